/* Findings are kept, sorted, counted and printed. */
#include "findings/report.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "space/fields.h"
#include "support/scratch.h"
#include "support/suite.h"

static struct report *report;

static void set_up(void)
{
    report = report_new();
}

static void tear_down(void)
{
    report_free(report);
}

static struct location at(unsigned line, unsigned column)
{
    return (struct location){.line = line & 0xffffff, .column = column & 0xff};
}

static char *printed(void)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    report_print(report, out);
    fclose(out);
    return text;
}

FIXTURE(set_up, tear_down)

TEST(an_empty_report_is_clean)
{
    ck_assert(report_is_clean(report));
    ck_assert_uint_eq(report_total(report), 0);
    report_sort(report);
}

static const char *refusal(const char *unseen)
{
    static struct err err;

    report_refusal(report, unseen, &err);
    return err.text;
}

TEST(a_refusal_is_the_first_error_and_how_many_there_are)
{
    report_add(report, FINDING_REGION, "a.yaml", at(1, 1), "warning");
    report_add(report, FINDING_TTL, "a.yaml", at(8, 12), "ttl is 0; write 1 or more");
    ck_assert_str_eq(refusal(NULL), "a.yaml:8:12: E-TTL: ttl is 0; write 1 or more");
    report_add(report, FINDING_TYPE, "b.yaml", at(1, 1), "x");
    ck_assert_str_eq(refusal(NULL), "a.yaml:8:12: E-TTL: ttl is 0; write 1 or more "
                                    "(the first of 2 errors)");
    ck_assert_str_eq(refusal("a.yaml"), "E-TTL: ttl is 0; write 1 or more "
                                        "(the first of 2 errors)");
}

TEST(a_refusal_leaves_room_for_what_to_do_next)
{
    char file[400], sentence[900];

    memset(file, 'f', sizeof file);
    memset(sentence, 's', sizeof sentence);
    file[sizeof file - 1] = sentence[sizeof sentence - 1] = '\0';
    report_add(report, FINDING_SPACE_OVERLAP, file, at(8, 12), "%s", sentence);
    report_add(report, FINDING_SPACE_OVERLAP, file, at(9, 12), "%s", sentence);
    ck_assert_uint_le(strlen(refusal(NULL)), 440);
    ck_assert_ptr_nonnull(strstr(refusal(NULL), ":8:12: E-SPACE-OVERLAP: sss"));
    ck_assert_ptr_nonnull(strstr(refusal(NULL), "s (the first of 2 errors)"));
}

TEST(a_refusal_without_an_error_is_for_want_of_memory)
{
    ck_assert_str_eq(refusal(NULL), "out of memory");
}

TEST(only_an_error_makes_a_report_unclean)
{
    report_add(report, FINDING_REGION, "a.yaml", at(1, 1), "warning");
    report_add(report, FINDING_TRUST_WIDE, "a.yaml", at(1, 1), "note");
    ck_assert(report_is_clean(report));
    report_add(report, FINDING_TTL, "a.yaml", at(1, 1), "error");
    ck_assert(!report_is_clean(report));
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 1);
    ck_assert_uint_eq(report_count(report, FINDING_WARNING), 1);
    ck_assert_uint_eq(report_count(report, FINDING_NOTE), 1);
}

TEST(findings_are_sorted_by_file_line_column_and_code)
{
    static const char *const order[] = {"1", "2", "3", "4", "5"};

    report_add(report, FINDING_TTL, "b.yaml", at(1, 1), "5");
    report_add(report, FINDING_TTL, "a.yaml", at(10, 1), "4");
    report_add(report, FINDING_TTL, "a.yaml", at(9, 2), "3");
    report_add(report, FINDING_TTL, "a.yaml", at(9, 1), "2");
    report_add(report, FINDING_TYPE, "a.yaml", at(9, 1), "1");
    report_sort(report);
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(report_findings(report)[i].sentence, order[i]);
}

TEST(the_findings_of_one_file_can_be_kept)
{
    report_add(report, FINDING_TTL, "a.yaml", at(8, 12), "elsewhere");
    for (unsigned i = 1; i <= FINDINGS_ALIKE + 3; i++)
        report_add(report, FINDING_REGION, "b.yaml", at(i, 1), "warning");
    report_sort(report);
    report_keep_file(report, "b.yaml");
    ck_assert_uint_eq(report_total(report), FINDINGS_ALIKE + 1);
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 0);
    ck_assert_uint_eq(report_count(report, FINDING_WARNING), FINDINGS_ALIKE + 3);
    ck_assert(report_is_clean(report));
    report_keep_file(report, "c.yaml");
    ck_assert_uint_eq(report_total(report), 0);
    ck_assert_uint_eq(report_count(report, FINDING_WARNING), 0);
}

TEST(a_finding_is_printed_as_file_line_column_level_code_sentence)
{
    report_add(report, FINDING_ROUTER_DYNO, "zones/test-space.yaml", at(8, 12), "router %s", "x");
    report_add(report, FINDING_REGION, "zones/b.yaml", at(0, 0), "nowhere");
    report_add(report, FINDING_TRUST_WIDE, "zones/b.yaml", at(7, 1), "wide");
    char *text = printed();
    ck_assert_str_eq(text, "zones/test-space.yaml:8:12: error E-ROUTER-DYNO: router x\n"
                           "zones/b.yaml: warning W-REGION: nowhere\n"
                           "zones/b.yaml:7:1: note N-TRUST-WIDE: wide\n");
    free(text);
}

TEST(errors_can_be_printed_alone)
{
    char place[FINDING_LOCATION_OCTETS], *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    report_add(report, FINDING_REGION, "a.yaml", at(2, 1), "nowhere");
    ck_assert_ptr_null(report_first_error(report));
    report_add(report, FINDING_TTL, "b.yaml", at(8, 12), "first");
    report_add(report, FINDING_TTL, "c.yaml", at(0, 0), "second");
    report_print_errors(report, out);
    fclose(out);
    ck_assert_str_eq(text, "b.yaml:8:12: error E-TTL: first\nc.yaml: error E-TTL: second\n");
    free(text);
    finding_write_location(report_first_error(report), place, sizeof place);
    ck_assert_str_eq(place, "b.yaml:8:12");
    finding_write_location(&report_findings(report)[2], place, sizeof place);
    ck_assert_str_eq(place, "c.yaml");
}

static const struct {
    const char *value;
    const char *printed;
} values[] = {
    {"plain", "plain"},
    {"a\x1b[2J", "a\\x1b[2J"},
    {"a\nb\r\t", "a\\x0ab\\x0d\\x09"},
    {"\x7f", "\\x7f"},
    {"m\xC3\xBCnchen", "m\xC3\xBCnchen"},
    {"\xE2\x82\xAC\xF0\x9F\x98\x80", "\xE2\x82\xAC\xF0\x9F\x98\x80"},
    {"\xC2\x9B"
     "31m",
     "\\xc2\\x9b"
     "31m"},
    {"cut \xE2\x82", "cut \\xe2\\x82"},
    {"\xFF\xC0\x80", "\\xff\\xc0\\x80"},
};

TEST_OVER(terminal_control_sequences_are_escaped, values)
{
    report_add(report, FINDING_TYPE, "a.yaml", at(1, 1), "%s", values[_i].value);
    ck_assert_str_eq(report_findings(report)->sentence, values[_i].printed);
}

TEST(an_endless_sentence_is_cut)
{
    char value[5000];

    memset(value, 0x1b, sizeof value);
    value[sizeof value - 1] = '\0';
    report_add(report, FINDING_TYPE, "a.yaml", at(1, 1), "%s", value);
    ck_assert_uint_lt(strlen(report_findings(report)->sentence), sizeof value);
}

TEST(merged_findings_outlive_the_report_they_came_from)
{
    struct report *other = report_new();
    char file[] = "other.yaml";

    report_add(other, FINDING_TTL, file, at(3, 4), "sentence %d", 1);
    report_add(report, FINDING_REGION, "a.yaml", at(1, 1), "own");
    report_merge(report, other);
    report_free(other);
    memset(file, 'x', sizeof file - 1);
    ck_assert_uint_eq(report_total(report), 2);
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 1);
    ck_assert_str_eq(report_findings(report)[1].file, "other.yaml");
    ck_assert_str_eq(report_findings(report)[1].sentence, "sentence 1");
}

TEST(a_hundred_alike_are_kept_and_the_rest_is_counted)
{
    for (unsigned i = 10000; i > 0; i--)
        report_add(report, FINDING_TTL, i % 2 ? "a.yaml" : "b.yaml", at(i, 1), "%u", i);
    report_add(report, FINDING_REGION, "a.yaml", at(20000, 1), "another");
    for (int times = 0; times < 2; times++) {
        report_sort(report);
        const struct finding *all = report_findings(report);
        ck_assert_uint_eq(report_total(report), 2 * FINDINGS_ALIKE + 3);
        ck_assert_uint_eq(report_count(report, FINDING_ERROR), 10000);
        ck_assert_str_eq(all[FINDINGS_ALIKE].sentence, "another");
        ck_assert_int_eq(all[FINDINGS_ALIKE + 1].code, FINDING_TTL);
        ck_assert_str_eq(all[FINDINGS_ALIKE + 1].sentence, "and 4900 more");
        ck_assert_str_eq(all[2 * FINDINGS_ALIKE + 2].file, "b.yaml");
        ck_assert_uint_eq(all[2 * FINDINGS_ALIKE + 2].more, 4900);
    }
}

TEST(findings_left_out_stay_counted_when_reports_are_merged)
{
    struct report *other = report_new();

    for (unsigned i = 1; i <= 250; i++)
        report_add(other, FINDING_TTL, "a.yaml", at(i, 1), "%u", i);
    report_sort(other);
    report_merge(report, other);
    report_add(report, FINDING_TTL, "a.yaml", at(300, 1), "one more");
    report_free(other);
    report_sort(report);
    ck_assert_uint_eq(report_total(report), FINDINGS_ALIKE + 1);
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 251);
    ck_assert_str_eq(report_findings(report)[FINDINGS_ALIKE].sentence, "and 151 more");
}

TEST(many_files_do_not_fill_the_memory)
{
    char file[32];

    for (unsigned i = 0; i < 2 * FINDINGS_KEPT; i++) {
        snprintf(file, sizeof file, "%05u.yaml", i / 2);
        report_add(report, FINDING_REGION, file, at(i + 1, 1), "%u", i);
    }
    ck_assert_uint_eq(report_total(report), FINDINGS_KEPT);
    report_sort(report);
    ck_assert_uint_eq(report_count(report, FINDING_WARNING), 2 * FINDINGS_KEPT);
    ck_assert_str_eq(report_findings(report)[report_total(report) - 1].sentence, "2 not listed");
}

TEST(a_thousand_errors_are_enough_and_warnings_never_are)
{
    for (unsigned i = 1; i <= 5000; i++)
        report_add(report, FINDING_REGION, "a.yaml", at(i, 1), "warning");
    for (unsigned i = 1; i < ERRORS_ENOUGH; i++)
        report_add(report, FINDING_TTL, "a.yaml", at(i, 1), "error");
    ck_assert(!report_is_full(report));
    report_add(report, FINDING_TTL, "a.yaml", at(1, 1), "error");
    ck_assert(report_is_full(report));
}

TEST(a_flag_is_a_location_without_a_line)
{
    char place[FINDING_LOCATION_OCTETS];

    report_add(report, FINDING_SETTING, "--listen (command line)", at(0, 0), "x");
    char *text = printed();
    ck_assert_str_eq(text, "--listen (command line): error E-SETTING: x\n");
    free(text);
    finding_write_location(report_findings(report), place, sizeof place);
    ck_assert_str_eq(place, "--listen (command line)");
}

TEST(a_long_file_name_is_cut_and_the_line_is_not)
{
    char file[4096], place[64], whole[4096 + 32];

    memset(file, 'f', sizeof file - 1);
    file[sizeof file - 1] = '\0';
    report_add(report, FINDING_TTL, file, location_at(8, 12), "x");
    finding_write_location(report_findings(report), place, sizeof place);
    ck_assert_uint_lt(strlen(place), sizeof place);
    ck_assert_str_eq(strchr(place, ':'), ":8:12");
    finding_write_location(report_findings(report), whole, sizeof whole);
    ck_assert_uint_eq(strlen(whole), sizeof file - 1 + strlen(":8:12"));
}

TEST(a_file_name_cannot_forge_a_line_or_control_the_terminal)
{
    char place[FINDING_LOCATION_OCTETS];

    report_add(report, FINDING_TTL, "e\033[31m\nb.yaml:1:1: error E-X: \u202e.yaml", at(8, 12),
               "x");
    char *text = printed();
    ck_assert_str_eq(text, "e\\x1b[31m\\x0ab.yaml:1:1: error E-X: <U+202E right-to-left "
                           "override>.yaml:8:12: error E-TTL: x\n");
    free(text);
    finding_write_location(report_findings(report), place, sizeof place);
    ck_assert_str_eq(place, "e\\x1b[31m\\x0ab.yaml:1:1: error E-X: <U+202E right-to-left "
                            "override>.yaml:8:12");
}

/* The letter is the level: E, W or N. */
TEST_LOOP(every_code_has_its_level_s_letter_and_a_meaning, 0, FINDING_CODE_COUNT)
{
    enum finding_code code = (enum finding_code)_i;

    ck_assert_int_eq(finding_name(code)[0], "EWN"[finding_level(code)]);
    ck_assert_int_eq(finding_name(code)[1], '-');
    ck_assert_uint_gt(strlen(finding_meaning(code)), 10);
    for (int other = 0; other < _i; other++)
        ck_assert_str_ne(finding_name((enum finding_code)other), finding_name(code));
}

static char *readme;

static void read_readme(void)
{
    const char *source = getenv("SOURCE_DIR");
    char path[SCRATCH_PATH_MOST];
    size_t length;

    snprintf(path, sizeof path, "%s/zones/README.md", source == NULL ? "." : source);
    char *text = file_read(path, &length);
    ck_assert_ptr_nonnull(text);
    readme = strndup(text, length);
    free(text);
}

static void free_readme(void)
{
    free(readme);
}

FIXTURE(read_readme, free_readme)

TEST_LOOP(the_readme_lists_every_code_with_its_meaning, 0, FINDING_CODE_COUNT)
{
    enum finding_code code = (enum finding_code)_i;
    char row[256];

    snprintf(row, sizeof row, "\n| %s | %s |\n", finding_name(code), finding_meaning(code));
    ck_assert_msg(strstr(readme, row) != NULL, "zones/README.md lacks the row%s", row);
}

TEST(the_readme_lists_every_key)
{
    char key[64];

    for (size_t i = 0; space_tables[i] != NULL; i++) {
        for (size_t j = 0; j < space_tables[i]->fields.count; j++) {
            snprintf(key, sizeof key, "`%s`", space_tables[i]->fields.items[j].name);
            ck_assert_msg(strstr(readme, key) != NULL, "zones/README.md lacks the key %s", key);
        }
    }
}

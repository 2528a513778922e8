/* The end mark is found, and a text without it is reported with its last line. */
#include "space/zone_text.h"

#include <string.h>

#include "support/suite.h"

static const struct {
    const char *text;
    bool is_marked;
} texts[] = {
    {"space: abc\n...\n", true},
    {"space: abc\n...", true},
    {"space: abc\r\n...\r\n", true},
    {"space: abc\n...  \n\n  \n", true},
    {"space: abc\n... # the end\n", true},
    {"...\n", true},
    {"", false},
    {"\n\n", false},
    {"space: abc\n", false},
    {"space: abc\n..", false},
    {"space: abc\n....\n", false},
    {"space: abc\n...#\n", false},
    {"space: abc\n... more\n", false},
    {"space: abc\n ...\n", false},
    {"space: ...\n", false},
    {"space: abc\n...\n# a comment\n", false},
};

TEST_OVER(the_last_line_that_is_not_blank_decides, texts)
{
    ck_assert_int_eq(zone_text_is_marked(texts[_i].text, strlen(texts[_i].text)),
                     texts[_i].is_marked);
}

TEST(no_prefix_of_a_marked_text_is_marked)
{
    static const char text[] = "space: abc\napps:\n  - {name: abc}\n...\n";

    for (size_t length = 0; length < sizeof text - 2; length++)
        ck_assert_msg(!zone_text_is_marked(text, length), "%zu octets", length);
}

TEST(the_content_ends_where_the_mark_begins)
{
    static const char marked[] = "space: abc\n...\n", bare[] = "space: abc\n";

    ck_assert_uint_eq(zone_text_content(marked, strlen(marked)), strlen(bare));
    ck_assert_uint_eq(zone_text_content(bare, strlen(bare)), strlen(bare));
}

static const struct {
    const char *text;
    unsigned line;
    const char *message;
} cuts[] = {
    {"space: abc\napps:\n  - name: ab\n\n", 3, "ends with `  - name: ab`"},
    {"space: abc", 1, "ends with `space: abc`"},
    {"", 1, "the file is empty"},
    {"\n\n", 1, "the file is empty"},
};

TEST_OVER(a_cut_is_reported_with_the_last_line_and_the_remedy, cuts)
{
    struct report *report = report_new();

    zone_text_report_cut("a.yaml", cuts[_i].text, strlen(cuts[_i].text), report);
    const struct finding *finding = report_first_error(report);
    ck_assert_ptr_nonnull(finding);
    ck_assert_str_eq(finding_name(finding->code), "E-CUT");
    ck_assert_uint_eq(finding->at.line, cuts[_i].line);
    ck_assert_msg(strstr(finding->sentence, cuts[_i].message) != NULL, "%s", finding->sentence);
    ck_assert_ptr_nonnull(strstr(finding->sentence, "`...`"));
    report_free(report);
}

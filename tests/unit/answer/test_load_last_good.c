#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer/kept_back.h"
#include "answer/state.h"
#include "source/folder.h"
#include "support/kept.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/zones.h"

/* A server with a state folder that is started again and again; the last start's result. */
static struct scratch zones, home;
static char path[SCRATCH_PATH_MOST + 16];
static struct policy policy;
static struct hash_key key;
static struct state state;
static struct snapshot *snapshot;
static struct report *report;
static struct load_outcome outcome;
static unsigned threads;
static bool is_check;

static void set_up(void)
{
    scratch_init(&zones);
    scratch_init(&home);
    snprintf(path, sizeof path, "%s/state", home.path);
    policy = policy_usual();
    key = key_usual();
    threads = 1;
    is_check = false;
}

static void end(void)
{
    snapshot_free(snapshot);
    snapshot = NULL;
    report_free(report);
    report = NULL;
    load_outcome_close(&outcome);
    state_close(&state);
    key.first += 1234567;
}

static void tear_down(void)
{
    end();
    scratch_remove_folder(path);
    scratch_close(&zones);
    scratch_close(&home);
}

/* Loads, at a start or again. Returns whether the server has what it would serve. */
static bool load(void)
{
    struct folder source;
    struct load_request request = {.source = &source.source,
                                   .policy = &policy,
                                   .key = key,
                                   .threads = threads,
                                   .before = snapshot,
                                   .stored = &state.stored,
                                   .is_check = is_check};
    struct err err;

    report_free(report);
    load_outcome_close(&outcome);
    report = report_new();
    folder_init(&source, zones.path, NULL);
    struct snapshot *next = snapshot_load(&request, report, &outcome, &err);
    bool passed = next != NULL || outcome.is_unchanged;
    if (passed)
        ck_assert(state_store(&state, next == NULL ? snapshot : next, 0, &outcome));
    if (next != NULL) {
        snapshot_free(snapshot);
        snapshot = next;
    }
    return passed;
}

static bool start(void)
{
    end();
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    return load();
}

/* Writes FILE.yaml with the space FILE-space, its apps (a list of names) and more keys. */
static void write_space(const char *file, const char *apps, const char *more)
{
    char text[4096], name[64];
    int length = snprintf(text, sizeof text,
                          "space: %s-space\ncidr: 10.%d.0.0/16\nrouters: [10.%d.0.37]\n%sapps:\n",
                          file, file[0] - 'a', file[0] - 'a', more);

    for (const char *app = apps; *app != '\0'; app += strcspn(app, " ")) {
        app += strspn(app, " ");
        length +=
            snprintf(text + length, sizeof text - (size_t)length,
                     "  - {name: %.*s-app, internal_routing: true}\n", (int)strcspn(app, " "), app);
    }
    length += snprintf(text + length, sizeof text - (size_t)length, "...\n");
    snprintf(name, sizeof name, "%s.yaml", file);
    scratch_write(&zones, name, text, (size_t)length);
}

static void write_broken(const char *file)
{
    char text[128], name[64];
    int length = snprintf(text, sizeof text, "space: %s-space\ncidr: 10.1.1.1/16\n...\n", file);

    snprintf(name, sizeof name, "%s.yaml", file);
    scratch_write(&zones, name, text, (size_t)length);
}

/* The names of the apps that are served, of one letter each, in order. */
static const char *served(void)
{
    static char letters[27];
    size_t count = 0;

    for (char letter = 'a'; letter <= 'z'; letter++) {
        const char name[] = {letter, letter, '-', 'a', 'p', 'p', '\0'};
        struct index_entry entry;
        if (snapshot_find_app(snapshot, name, strlen(name), &entry))
            letters[count++] = letter;
    }
    letters[count] = '\0';
    return letters;
}

static bool is_kept_back(const char *text)
{
    return snapshot_keeps_back(snapshot, text, NULL);
}

static size_t count_findings(enum finding_code code)
{
    size_t count = 0;

    for (size_t i = 0; i < report_total(report); i++)
        count += report_findings(report)[i].code == code;
    return count;
}

static const struct finding *find_finding(enum finding_code code)
{
    for (size_t i = 0; i < report_total(report); i++)
        if (report_findings(report)[i].code == code)
            return &report_findings(report)[i];
    ck_abort_msg("no finding %s", finding_name(code));
    return NULL;
}

/* The files that are not served as they are, by their first letters; capital: not at all. */
static const char *fallen(void)
{
    static char letters[27];

    for (size_t i = 0; i < outcome.last_good_count; i++) {
        char letter = strrchr(outcome.last_good[i].file, '/')[1];
        letters[i] = outcome.last_good[i].is_served ? letter : (char)(letter - 'a' + 'A');
    }
    letters[outcome.last_good_count] = '\0';
    return letters;
}

/* Three spaces of one app each, accepted, and then stopped. */
static void accept_three(void)
{
    write_space("a", "aa", "");
    write_space("b", "bb", "");
    write_space("c", "cc", "");
    ck_assert(start());
    ck_assert_str_eq(served(), "abc");
    end();
}

FIXTURE(set_up, tear_down)

TEST(a_file_with_errors_is_served_from_its_accepted_text_and_the_others_as_they_are)
{
    accept_three();
    write_broken("b");
    write_space("c", "cc xx", "");
    ck_assert(start());
    ck_assert_str_eq(served(), "abcx");
    ck_assert_str_eq(fallen(), "b");
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 0);
    const struct finding *finding = find_finding(FINDING_LAST_GOOD);
    ck_assert_ptr_nonnull(strstr(finding->file, "/b.yaml"));
    ck_assert_uint_eq(finding->at.line, 2);
    ck_assert_ptr_nonnull(strstr(finding->sentence, ": E-SPACE-CIDR: "));
    ck_assert_int_eq(outcome.last_good[0].code, FINDING_SPACE_CIDR);
    ck_assert_uint_eq(outcome.last_good[0].at.line, 2);
    ck_assert_int_gt(outcome.last_good[0].accepted_s, 1700000000);
    ck_assert(!is_kept_back("bb-app.herokuapp.com"));
}

TEST(it_is_so_at_every_start_until_the_file_is_correct)
{
    accept_three();
    write_broken("b");
    ck_assert(start());
    ck_assert(start());
    ck_assert_str_eq(served(), "abc");
    ck_assert_str_eq(fallen(), "b");
    write_space("b", "bb yy", "");
    ck_assert(start());
    ck_assert_str_eq(served(), "abcy");
    ck_assert_str_eq(fallen(), "");
}

TEST(a_reload_refuses_the_errors_and_takes_the_corrected_file)
{
    accept_three();
    write_broken("b");
    ck_assert(start());
    ck_assert(!load());
    ck_assert_uint_eq(count_findings(FINDING_SPACE_CIDR), 1);
    ck_assert_str_eq(served(), "abc");
    write_space("b", "bb yy", "");
    ck_assert(load());
    ck_assert_str_eq(served(), "abcy");
    ck_assert_uint_eq(outcome.last_good_count, 0);
}

TEST(a_file_put_back_as_it_was_changes_nothing)
{
    accept_three();
    write_broken("b");
    ck_assert(start());
    write_space("b", "bb", "");
    ck_assert(load());
    ck_assert(outcome.is_unchanged);
    ck_assert_str_eq(served(), "abc");
}

TEST(a_file_that_was_cut_while_no_server_ran_is_served_whole)
{
    accept_three();
    write_space("b", "bb yy", "");
    ck_assert(start());
    ck_assert(
        scratch_edit(&zones, "b.yaml", "  - {name: yy-app, internal_routing: true}\n...\n", ""));
    ck_assert(start());
    ck_assert_str_eq(served(), "abcy");
    ck_assert_int_eq(outcome.last_good[0].code, FINDING_CUT);
    ck_assert(!is_kept_back("yy-app.herokuapp.com"));
}

TEST(a_file_that_cannot_be_read_is_served_from_its_accepted_text)
{
    char folder[SCRATCH_PATH_MOST + 16];

    accept_three();
    scratch_remove(&zones, "b.yaml");
    snprintf(folder, sizeof folder, "%s/b.yaml", zones.path);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    ck_assert(start());
    ck_assert_str_eq(served(), "abc");
    ck_assert_int_eq(outcome.last_good[0].code, FINDING_FILE);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* Changes by which two correct files do not fit each other. */
struct clash {
    enum finding_code code;
    const char *file, *apps, *more; /* the changed file */
};

static const struct clash clashes[] = {
    {FINDING_DUP, "a", "aa bb", ""},
    {FINDING_DUP, "c", "cc bb", ""},
    {FINDING_DUP, "a", "aa xx", "id: 11111111-2222-4333-8444-00000000000b\n"},
    {FINDING_DUP, "c", "cc xx", "id: 11111111-2222-4333-8444-00000000000b\n"},
    {FINDING_REC_NAME, "a", "aa xx", "records: ['db.example.com. 60 IN A 10.0.9.9']\n"},
    {FINDING_REC_NAME, "c", "cc xx", "records: ['db.example.com. 60 IN A 10.2.9.9']\n"},
};

TEST_OVER(of_two_files_that_do_not_fit_the_changed_one_falls_back, clashes)
{
    const struct clash *clash = &clashes[_i];
    const char changed[] = {clash->file[0], '\0'};

    accept_three();
    write_space("b", "bb",
                "id: 11111111-2222-4333-8444-00000000000b\n"
                "records: ['db.example.com. 60 IN A 10.1.9.9']\n");
    ck_assert(start());
    write_space(clash->file, clash->apps, clash->more);
    ck_assert(start());
    ck_assert_str_eq(fallen(), changed);
    ck_assert_int_eq(outcome.last_good[0].code, clash->code);
    ck_assert_str_eq(served(), "abc");
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 0);
}

static const char *const overlapping[] = {"a", "c"};

TEST_OVER(of_two_spaces_that_overlap_the_changed_one_falls_back, overlapping)
{
    char name[16];
    const char *cidr = overlapping[_i][0] == 'a' ? "10.0." : "10.2.";

    accept_three();
    snprintf(name, sizeof name, "%s.yaml", overlapping[_i]);
    ck_assert(scratch_edit(&zones, name, cidr, "10.1."));
    ck_assert(scratch_edit(&zones, name, cidr, "10.1."));
    ck_assert(start());
    ck_assert_str_eq(fallen(), overlapping[_i]);
    ck_assert_int_eq(outcome.last_good[0].code, FINDING_SPACE_OVERLAP);
    ck_assert_str_eq(served(), "abc");
}

/* aa moved from a to b, bb from b to c, cc from c to d, ...; and a is broken. */
static void move_apps(char last)
{
    for (char letter = 'a'; letter <= last; letter++) {
        const char file[] = {letter, '\0'}, app[] = {letter, letter, '\0'};
        write_space(file, app, "");
    }
    ck_assert(start());
    write_broken("a");
    for (char letter = 'b'; letter <= last; letter++) {
        const char file[] = {letter, '\0'};
        const char apps[] = {(char)(letter - 1), (char)(letter - 1), '\0'};
        write_space(file, apps, "");
    }
    write_space("z", "zz", "");
}

TEST(an_app_moved_out_of_a_broken_file_is_served_where_it_was)
{
    move_apps('b');
    ck_assert(start());
    ck_assert_str_eq(fallen(), "ab");
    ck_assert_str_eq(served(), "abz");
}

TEST(files_that_do_not_fit_those_that_fell_back_follow_them)
{
    move_apps('d');
    ck_assert(start());
    ck_assert_str_eq(fallen(), "abcd");
    ck_assert_str_eq(served(), "abcdz");
}

/* z is new, and correct: nothing of it was ever accepted. */
TEST(in_the_end_all_changed_files_fall_back)
{
    threads = 3;
    move_apps('h');
    ck_assert(start());
    ck_assert_str_eq(fallen(), "abcdefghZ");
    ck_assert_str_eq(served(), "abcdefgh");
    ck_assert_uint_eq(count_findings(FINDING_LAST_GOOD), 8);
    ck_assert_uint_eq(count_findings(FINDING_UNSERVED), 1);
}

TEST(a_new_file_with_errors_is_not_served_and_the_others_are)
{
    accept_three();
    write_broken("d");
    ck_assert(start());
    ck_assert_str_eq(served(), "abc");
    ck_assert_str_eq(fallen(), "D");
    ck_assert_uint_eq(find_finding(FINDING_UNSERVED)->at.line, 2);
    ck_assert(!load()); /* a reload refuses it, as ever */
    write_space("d", "dd", "");
    ck_assert(load());
    ck_assert_str_eq(served(), "abcd");
}

static void spoil_accepted(const char *name)
{
    char file[sizeof path + 64];

    snprintf(file, sizeof file, "%s/zones/%s", path, name);
    ck_assert_int_eq(truncate(file, 100), 0);
}

TEST(an_accepted_text_that_decayed_is_not_served)
{
    accept_three();
    spoil_accepted("b.yaml");
    write_broken("b");
    ck_assert(start());
    ck_assert_str_eq(served(), "ac");
    ck_assert_str_eq(fallen(), "B");
}

TEST(with_nothing_left_the_start_is_refused_with_the_errors)
{
    write_space("b", "bb", "");
    ck_assert(start());
    spoil_accepted("b.yaml");
    write_broken("b");
    ck_assert(!start());
    ck_assert_uint_eq(count_findings(FINDING_SPACE_CIDR), 1);
    ck_assert_uint_eq(count_findings(FINDING_UNSERVED), 0);
}

/* Nobody depends yet on a server that never served: its operator is there to read the errors. */
TEST(without_any_accepted_text_errors_refuse_the_start)
{
    write_space("a", "aa", "");
    write_broken("b");
    ck_assert(!start());
    ck_assert_uint_eq(count_findings(FINDING_SPACE_CIDR), 1);
}

TEST(a_check_has_the_errors_and_what_a_start_would_serve)
{
    accept_three();
    write_broken("b");
    write_space("c", "cc aa", "");
    is_check = true;
    ck_assert(!start());
    ck_assert_uint_eq(count_findings(FINDING_SPACE_CIDR), 1);
    ck_assert_uint_eq(count_findings(FINDING_DUP), 1);
    ck_assert_uint_eq(count_findings(FINDING_LAST_GOOD), 2);
}

TEST(a_check_of_correct_files_finds_nothing)
{
    accept_three();
    is_check = true;
    ck_assert(start());
    ck_assert_uint_eq(outcome.last_good_count, 0);
}

TEST(names_of_files_that_are_gone_are_kept_back_as_ever)
{
    accept_three();
    write_broken("b");
    scratch_remove(&zones, "c.yaml");
    ck_assert(start());
    ck_assert_str_eq(served(), "ab");
    ck_assert(is_kept_back("cc-app.herokuapp.com"));
    ck_assert(!is_kept_back("bb-app.herokuapp.com"));
}

TEST(a_state_in_use_can_be_peeked_at_and_stays_as_it_is)
{
    struct state peeked = {.has_spaces = false};
    char draft[sizeof path + 64];

    accept_three();
    ck_assert(start());
    snprintf(draft, sizeof draft, "%s/zones/.new-0", path);
    FILE *file = fopen(draft, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert(state_peek(&peeked, path));
    ck_assert_uint_eq(peeked.stored.text_count, 3);
    state_close(&peeked);
    ck_assert_int_eq(access(draft, F_OK), 0);
    ck_assert(!state_peek(&peeked, "/nowhere/at/all"));
    state_close(&peeked);
}

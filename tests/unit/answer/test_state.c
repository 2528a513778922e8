// wrap: renameat
#include "answer/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer/kept_back_change.h"
#include "source/folder.h"
#include "support/kept.h"
#include "support/memory_source.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/zones.h"

static struct scratch zones, home;
static char path[SCRATCH_PATH_MOST + 16];
static struct policy policy;
static struct hash_key key;
static struct state state;
static struct snapshot *snapshot;
static struct load_outcome outcome;
static bool is_full;
static int64_t started_s;    /* when the process began, */
static int64_t opened_ran_s; /* and the running time then */
static int64_t clock_step;   /* of the wall clock, which somebody has set */

int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
    if (!is_full)
        return __real_renameat(from, old, to, new);
    errno = ENOSPC;
    return -1;
}

static void set_up(void)
{
    scratch_init(&zones);
    scratch_init(&home);
    scratch_copy(&zones, "zones/test-space.yaml");
    scratch_copy(&zones, "tests/zones_good/other-space.yaml");
    snprintf(path, sizeof path, "%s/state", home.path);
    policy = policy_usual();
    key = key_usual();
}

static void tear_down(void)
{
    is_full = false;
    clock_step = 0;
    snapshot_free(snapshot);
    snapshot = NULL;
    state_close(&state);
    scratch_remove_folder(path);
    scratch_close(&zones);
    scratch_close(&home);
}

/* Loads as the server does, at the start or again, and stores the result. */
static bool load(int64_t now_s)
{
    int64_t ran_s = opened_ran_s + now_s - started_s;
    struct folder source;
    struct load_request request = {.source = &source.source,
                                   .policy = &policy,
                                   .key = key,
                                   .threads = 1,
                                   .before = snapshot,
                                   .now_s = now_s + clock_step,
                                   .ran_s = ran_s,
                                   .stored = state_is_used(&state) ? &state.stored : NULL,
                                   .reads_all = state.is_behind};
    struct report *report = report_new();
    struct err err;
    folder_init(&source, zones.path, NULL);
    struct snapshot *next = snapshot_load(&request, report, &outcome, &err);

    report_free(report);
    ck_assert(next != NULL || outcome.is_unchanged);
    bool stored = state_store(&state, next == NULL ? snapshot : next, ran_s, &outcome);
    state_drop_names(&state);
    load_outcome_close(&outcome);
    if (next != NULL) {
        snapshot_free(snapshot);
        snapshot = next;
    }
    return stored;
}

/* How many files a check of a newly started process finds cut. */
static size_t count_cut_at_the_start(void)
{
    struct folder source;
    const struct load_request request = {.source = &source.source,
                                         .policy = &policy,
                                         .key = key,
                                         .threads = 1,
                                         .is_check = true,
                                         .stored = state_is_used(&state) ? &state.stored : NULL};
    struct report *report = report_new();
    struct err err;
    size_t cut = 0;

    folder_init(&source, zones.path, NULL);
    struct snapshot *next = snapshot_load(&request, report, &outcome, &err);
    for (size_t i = 0; i < report_total(report); i++)
        cut += report_findings(report)[i].code == FINDING_CUT;
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), cut);
    ck_assert((next == NULL) == (cut > 0));
    load_outcome_close(&outcome);
    report_free(report);
    snapshot_free(next);
    return cut;
}

static void end_process(void)
{
    snapshot_free(snapshot);
    snapshot = NULL;
    state_close(&state);
    key.first += 1234567; /* each process has its own */
}

static void begin_process(int64_t now_s)
{
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    started_s = now_s;
    opened_ran_s = state.stored.ran_s;
    load(now_s);
}

static bool is_kept_back(const char *text)
{
    return snapshot_keeps_back(snapshot, text, NULL);
}

FIXTURE(set_up, tear_down)

TEST(what_is_kept_back_outlives_the_process_with_its_generation_and_time)
{
    struct kept_back_entry entry;

    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(load(2000));
    end_process();
    begin_process(3000);
    ck_assert_uint_eq(snapshot->generation, 3);
    ck_assert(snapshot_keeps_back(snapshot, "api.example.com", &entry));
    ck_assert_uint_eq(entry.cohort->generation, 1);
    ck_assert_int_eq(entry.cohort->since_s, 2000);
    ck_assert_str_eq(entry.cohort->space, "test-space");
}

TEST(what_falls_out_while_no_server_runs_is_kept_back_at_the_start)
{
    begin_process(0);
    end_process();
    scratch_remove(&zones, "other-space.yaml");
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.net", "example.edu"));
    begin_process(0);
    ck_assert(is_kept_back("quiet.example.org") && is_kept_back("example.net"));
    ck_assert(!is_kept_back("api.example.com"));
    ck_assert_uint_eq(outcome.lost_texts, 0);
}

TEST(names_by_suffixes_of_before_are_kept_back)
{
    begin_process(1000);
    ck_assert(!is_kept_back("frozen-oasis-70544.herokuapp.com"));
    end_process();
    ck_assert(scratch_edit(&zones, "test-space.yaml",
                           "    default_domain: open-plain-1001-1234567890ab.herokuapp.com\n", ""));
    policy.suffixes.apps = "apps.example";
    policy.suffixes.discovery = "dynos.example";
    for (int starts = 0; starts < 2; starts++) { /* the second time they are read back */
        begin_process(1010);
        ck_assert(is_kept_back("frozen-oasis-70544.herokuapp.com"));
        ck_assert(is_kept_back("quiet-lake-4410.herokuapp.com"));
        ck_assert(is_kept_back("localspace"));
        ck_assert(is_kept_back("web.frozen-oasis-70544.app.localspace"));
        ck_assert(!is_kept_back("api.example.com"));
        ck_assert(!is_kept_back("frozen-oasis-70544.apps.example"));
        ck_assert_int_eq(state.damage.code, ERR_NONE);
        end_process();
    }
}

TEST(a_state_that_knows_no_suffixes_is_read)
{
    char command[SCRATCH_PATH_MOST + 64];

    begin_process(1000);
    end_process();
    snprintf(command, sizeof command, "sed -i '/^suffixes/,$d' '%s/state'", path);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
    begin_process(1010);
    ck_assert_int_eq(state.damage.code, ERR_NONE);
    ck_assert_uint_eq(snapshot->generation, 2);
    ck_assert_ptr_null(snapshot->kept_back);
}

TEST(what_is_declared_again_is_not_remembered)
{
    begin_process(0);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    load(0);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "papi.example.com", "api.example.com"));
    load(0);
    end_process();
    begin_process(0);
    ck_assert(is_kept_back("papi.example.com") && !is_kept_back("api.example.com"));
}

TEST(expired_names_are_released_at_the_start)
{
    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    load(1000);
    ck_assert(load(1500));
    end_process();
    policy.kept_back_seconds = 501;
    begin_process(1500);
    ck_assert(is_kept_back("api.example.com"));
    end_process();
    policy.kept_back_seconds = 500;
    begin_process(1500);
    ck_assert_ptr_null(snapshot->kept_back);
}

TEST(time_without_a_server_is_not_counted)
{
    int64_t later_s = 10 * (int64_t)policy.kept_back_seconds;

    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    load(1000);
    end_process();
    begin_process(later_s);
    ck_assert(is_kept_back("api.example.com"));
    later_s += (int64_t)policy.kept_back_seconds;
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.net", "example.edu"));
    load(later_s - 1);
    ck_assert(is_kept_back("api.example.com"));
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.edu", "example.net"));
    load(later_s);
    ck_assert(!is_kept_back("api.example.com"));
}

/* From 1970 at the boot to the present, years ahead, and back before the epoch. */
static const int64_t steps[] = {1800000000, 4000000000, -4000000000};

TEST_OVER(a_step_of_the_clock_lets_nothing_go, steps)
{
    struct kept_back_entry entry;

    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    load(1001);
    clock_step = steps[_i];
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.net", "example.edu"));
    load(1002);
    ck_assert(is_kept_back("api.example.com") && is_kept_back("example.net"));
    end_process();
    begin_process(1003);
    ck_assert(is_kept_back("api.example.com") && is_kept_back("example.net"));
    clock_step = 0;
    end_process();
    begin_process(1004);
    ck_assert(is_kept_back("api.example.com"));
    ck_assert(snapshot_keeps_back(snapshot, "example.net", &entry));
    ck_assert_int_eq(entry.cohort->since_s, 1002 + steps[_i]); /* shown as it was */
}

/* Names whose age is not known are as if just lost. */
static const char *const ages[] = {
    "sed -i '/^ran/,$d' state",
    "sed -i 's/^ran .*/ran 99999999/' state",
    "rm state",
    "sed -i 's/^cohort \\([0-9]*\\) \\([0-9]*\\) [0-9]*/cohort \\1 \\2 99999999/' kept-back "
    "kept-back.copy",
    "sed -i 's/^spacedns kept-back .*/spacedns kept-back 1/; s/^cohort \\([0-9]*\\) \\([0-9]*\\) "
    "[0-9]*/cohort \\1 \\2/' kept-back kept-back.copy",
};

TEST_OVER(an_unknown_age_begins_anew, ages)
{
    char command[SCRATCH_PATH_MOST + 256];

    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    load(1000);
    load(2000);
    end_process();
    snprintf(command, sizeof command, "cd '%s' && %s", path, ages[_i]);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
    policy.kept_back_seconds = 100;
    begin_process(2000);
    ck_assert(is_kept_back("api.example.com"));
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.net", "example.edu"));
    load(2100);
    ck_assert(!is_kept_back("api.example.com"));
}

TEST(a_full_disk_is_reported_and_the_next_load_writes_the_rest)
{
    begin_process(0);
    is_full = true;
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(!load(0));
    ck_assert(state.is_behind);
    ck_assert_ptr_nonnull(strstr(state.problem.text, "No space left on device"));
    ck_assert_ptr_nonnull(strstr(state.problem.text, "it is tried again"));
    ck_assert(is_kept_back("api.example.com"));
    is_full = false;
    ck_assert(load(0)); /* nothing has changed, and yet it is written */
    ck_assert(!state.is_behind);
    ck_assert_int_eq(state.problem.code, ERR_NONE);
    end_process();
    begin_process(0);
    ck_assert(is_kept_back("api.example.com") && !is_kept_back("papi.example.com"));
}

/* Without a load: what a timer does, and releasing names. */
static bool store_again(void)
{
    struct load_outcome none = {.texts = NULL};

    return state_store(&state, snapshot, 0, &none);
}

TEST(a_write_that_is_tried_again_writes_the_texts_that_are_served)
{
    begin_process(0);
    is_full = true;
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(!load(0));
    ck_assert(!store_again());
    ck_assert(state.is_behind);
    is_full = false;
    scratch_write(&zones, "test-space.yaml", "space: [", 8); /* not served: nobody reloads it */
    ck_assert(store_again());
    ck_assert(!state.is_behind);
    ck_assert_int_eq(state.problem.code, ERR_NONE);
    ck_assert_ptr_null(state.unstored);
    end_process();
    scratch_remove(&zones, "test-space.yaml");
    begin_process(0);
    ck_assert(is_kept_back("papi.example.com") && is_kept_back("api.example.com"));
}

TEST(an_end_while_the_disk_is_full_loses_nothing_that_was_written)
{
    begin_process(0);
    is_full = true;
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(!load(0));
    end_process();
    is_full = false;
    begin_process(0);
    ck_assert(is_kept_back("api.example.com"));
}

TEST(an_unchanged_start_writes_no_text_again)
{
    struct stat before, after;
    char text[sizeof path + 64];

    begin_process(0);
    snprintf(text, sizeof text, "%s/zones/test-space.yaml", path);
    ck_assert_int_eq(stat(text, &before), 0);
    end_process();
    begin_process(0);
    ck_assert_int_eq(stat(text, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
}

TEST(odd_octets_of_a_name_are_read_back)
{
    static const char odd[] = "  - \"a\\\\032b\\\\.c.internal.example.com. 60 IN A 172.23.1.5\"\n";
    char text[4096];

    snprintf(text, sizeof text, "space: odd-space\ncidr: 10.9.0.0/16\nrecords:\n%s", odd);
    scratch_write(&zones, "odd.yaml", text, strlen(text));
    begin_process(0);
    ck_assert_uint_eq(snapshot->kept_back == NULL, 1);
    scratch_remove(&zones, "odd.yaml");
    load(0);
    ck_assert_uint_eq(snapshot->kept_back->count, 1);
    end_process();
    begin_process(0);
    ck_assert_uint_eq(snapshot->kept_back->count, 1);
    ck_assert_int_eq(state.damage.code, ERR_NONE);
}

/* Damage to a file of the state, as a shell command run in the folder. */
static const char *const decays[] = {
    "printf 'spacedns state 1\\ngeneration 18446744073709551615\\nchecksum 0\\n' > state",
    "sed -i 's/^generation.*/generation 9223372036854775807/' state",
    "sed -i 's/^cohort 1 /cohort 18446744073709551615 /' kept-back",
    "truncate -s 4G kept-back",
    "truncate -s 4G zones/test-space.yaml",
    "sed -i '1s/.*//' kept-back",
    "echo nothing > kept-back",
    ": > kept-back",
    "rm kept-back",
    "sed -i 's/api/apj/' kept-back",
    "sed -i '/^name/d' kept-back",
    "sed -i '/^checksum/d' kept-back kept-back.copy",
    "sed -i 's/^cohort/cohorts/' kept-back kept-back.copy",
    "sed -i '$d' kept-back; echo nothing > kept-back.copy",
    "sed -i 's/^spacedns kept-back 2/spacedns kept-back 9/' kept-back",
    "sed -i 's/^spacedns kept-back 2/spacedns kept-back 9/' kept-back kept-back.copy",
};

TEST_OVER(whatever_decays_the_server_starts_in_a_later_generation, decays)
{
    char command[SCRATCH_PATH_MOST + 256];

    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    load(1010);
    end_process();
    snprintf(command, sizeof command, "cd '%s' && %s", path, decays[_i]);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
    begin_process(1020);
    ck_assert_int_ne(state.damage.code, ERR_NONE);
    ck_assert_uint_gt(snapshot->generation, 0);
    ck_assert_uint_le(snapshot->generation, INT64_MAX);
    ck_assert(is_kept_back("api.example.com"));
}

TEST(each_of_the_two_files_has_what_the_other_lost)
{
    char command[2 * SCRATCH_PATH_MOST + 256];

    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.net", "example.edu"));
    load(1010);
    end_process();
    snprintf(command, sizeof command,
             "cd '%s' && sed -i 's/^name api/nonsense/' kept-back && sed -i 's/^apex/nonsense/; "
             "s/example.net/nonsense/' kept-back.copy",
             path);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
    begin_process(1020);
    ck_assert_ptr_nonnull(strstr(state.damage.text, "neither is its copy"));
    ck_assert(is_kept_back("api.example.com") && is_kept_back("example.net"));
    snprintf(command, sizeof command, "cmp '%s/kept-back' '%s/kept-back.copy'", path, path);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
    end_process();
    begin_process(1030);
    ck_assert_int_eq(state.damage.code, ERR_NONE);
    ck_assert(is_kept_back("api.example.com") && is_kept_back("example.net"));
}

TEST_LOOP(a_copy_that_decays_or_is_missing_is_written_again, 0, 2)
{
    char command[2 * SCRATCH_PATH_MOST + 256];

    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    load(1010);
    end_process();
    snprintf(command, sizeof command,
             _i == 0 ? "rm '%s/kept-back.copy'" : "echo > '%s/kept-back.copy'", path);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
    begin_process(1020);
    ck_assert_int_eq(state.damage.code, ERR_NONE);
    snprintf(command, sizeof command, "cmp '%s/kept-back' '%s/kept-back.copy'", path, path);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
}

/* ---- the list ---- */

static char listed[1024];

static bool list_name(void *context, const struct name *name, const struct kept_back_entry *entry)
{
    struct text text = text_over(listed, sizeof listed - 1);

    (void)context;
    ck_assert_ptr_nonnull(entry->cohort);
    text.next = listed + strlen(listed);
    name_add(&text, name->octets);
    text_add_string(&text, " ");
    *text.next = '\0';
    return true;
}

static void expect_list(const char *expected)
{
    listed[0] = '\0';
    ck_assert(state_walk_names(&state, snapshot->kept_back, list_name, NULL));
    ck_assert_str_eq(listed, expected);
}

static size_t count_in_memory(void)
{
    size_t count = 0;

    for (size_t i = 0; i < snapshot->kept_back->cohort_count; i++)
        count += snapshot->kept_back->cohorts[i] != NULL &&
                 snapshot->kept_back->cohorts[i]->names != NULL;
    return count;
}

TEST(names_that_are_stored_are_listed_from_the_folder)
{
    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(load(1010));
    ck_assert_uint_eq(count_in_memory(), 0);
    expect_list("api.example.com ");
    is_full = true;
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.net", "example.edu"));
    ck_assert(!load(1020));
    ck_assert_uint_eq(count_in_memory(), 1);
    expect_list("api.example.com example.net ");
    is_full = false;
    ck_assert(scratch_edit(&zones, "test-space.yaml", "papi.example.com", "qapi.example.com"));
    ck_assert(load(1030));
    ck_assert_uint_eq(count_in_memory(), 0);
    expect_list("api.example.com example.net papi.example.com ");
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.edu", "example.net"));
    ck_assert(load(1040));
    expect_list("api.example.com papi.example.com example.edu ");
    end_process();
    begin_process(1050);
    ck_assert_uint_eq(count_in_memory(), 0);
    expect_list("api.example.com papi.example.com example.edu ");
}

TEST(names_are_listed_without_a_folder)
{
    state = (struct state){.folder = -1, .zones = -1};
    load(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    load(1010);
    expect_list("api.example.com ");
}

TEST(files_that_cannot_be_opened_are_not_replaced)
{
    char command[SCRATCH_PATH_MOST + 256];

    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(load(1010));
    snprintf(
        command, sizeof command,
        "cd '%s' && mkdir away && mv kept-back* away && ln -s away/kept-back away/kept-back.copy .",
        path);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.net", "example.edu"));
    ck_assert(!load(1020));
    ck_assert_ptr_nonnull(strstr(state.problem.text, "kept-back cannot be written"));
    snprintf(command, sizeof command, "cd '%s' && mv away/* . && rmdir away", path);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
    ck_assert(store_again());
    state_drop_names(&state);
    expect_list("api.example.com example.net ");
}

TEST(names_whose_files_are_lost_are_kept_back_until_the_end)
{
    char command[2 * SCRATCH_PATH_MOST + 256];

    begin_process(1000);
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert(load(1010));
    snprintf(command, sizeof command, "rm '%s/kept-back' '%s/kept-back.copy'", path, path);
    ck_assert_int_eq(system(command), 0); // NOLINT: a folder of this test's own
    ck_assert(scratch_edit(&zones, "test-space.yaml", "example.net", "example.edu"));
    ck_assert(load(1020));
    ck_assert_ptr_nonnull(
        strstr(state.damage.text, "1 names kept back could not be written again"));
    ck_assert(is_kept_back("api.example.com") && is_kept_back("example.net"));
    expect_list("example.net ");
}

TEST(a_corrupt_text_is_reported_and_written_again)
{
    char text[sizeof path + 64];

    begin_process(0);
    end_process();
    snprintf(text, sizeof text, "%s/zones/test-space.yaml", path);
    ck_assert_int_eq(truncate(text, 100), 0);
    ck_assert(state_open(&state, path, &key));
    ck_assert_int_ne(state.damage.code, ERR_NONE);
    load(0);
    end_process();
    ck_assert(state_open(&state, path, &key));
    ck_assert_int_eq(state.damage.code, ERR_NONE);
}

TEST(a_file_that_was_cut_while_no_server_ran_is_found_at_the_start)
{
    begin_process(1000);
    end_process();
    ck_assert(scratch_edit(&zones, "test-space.yaml", "\n...\n", "\n"));
    ck_assert_uint_eq(count_cut_at_the_start(), 0); /* the mark was not stored */
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    ck_assert_uint_eq(count_cut_at_the_start(), 1);
    end_process();
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    ck_assert_uint_eq(count_cut_at_the_start(), 1); /* and is so at the next start, too */
    scratch_copy(&zones, "zones/test-space.yaml");
    ck_assert_uint_eq(count_cut_at_the_start(), 0);
}

TEST(a_file_that_never_was_marked_is_not_cut_at_the_start)
{
    ck_assert(scratch_edit(&zones, "test-space.yaml", "\n...\n", "\n"));
    begin_process(1000);
    end_process();
    ck_assert(scratch_edit(&zones, "test-space.yaml", "api.example.com", "papi.example.com"));
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    ck_assert_uint_eq(count_cut_at_the_start(), 0);
}

TEST(files_of_others_are_neither_read_nor_removed)
{
    char other[sizeof path + 64];

    begin_process(0);
    end_process();
    snprintf(other, sizeof other, "%s/zones/notes.txt", path);
    FILE *file = fopen(other, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fclose(file), 0);
    begin_process(1000);
    ck_assert_int_eq(state.damage.code, ERR_NONE);
    ck_assert_int_eq(access(other, F_OK), 0);
}

/* A registry's texts have no suffix in their names. Returns whether they are stored. */
static bool try_spaces(struct memory_source *memory)
{
    const struct load_request request = {.source = &memory->source,
                                         .policy = &policy,
                                         .key = key,
                                         .threads = 1,
                                         .before = snapshot,
                                         .keeps_spaces = true,
                                         .stored = &state.stored};
    struct report *report = report_new();
    struct err err;
    struct snapshot *next = snapshot_load(&request, report, &outcome, &err);

    ck_assert(next != NULL || outcome.is_unchanged);
    bool stored = state_store(&state, next == NULL ? snapshot : next, 0, &outcome);
    load_outcome_close(&outcome);
    report_free(report);
    if (next != NULL) {
        snapshot_free(snapshot);
        snapshot = next;
    }
    return stored;
}

static void load_spaces(struct memory_source *memory)
{
    ck_assert_msg(try_spaces(memory), "%s", state.problem.text);
}

TEST(texts_named_after_spaces_are_kept_as_zone_files)
{
    static struct memory_source memory;
    char file[sizeof path + 64];

    memory_source_init(&memory);
    memory_source_put(&memory, "a-space",
                      "space: a-space\ncidr: 10.7.0.0/16\nrouters: [10.7.0.40]\n"
                      "apps: [{name: an-app-1, internal_routing: true}]\n");
    memory_source_commit(&memory);
    snprintf(file, sizeof file, "%s/zones/a-space.yaml", path);
    state.has_spaces = true;
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    load_spaces(&memory);
    ck_assert_int_eq(access(file, F_OK), 0);
    end_process();
    memory_source_put(&memory, "a-space", NULL);
    memory_source_commit(&memory);
    state.has_spaces = true;
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    ck_assert_uint_eq(state.stored.text_count, 1);
    ck_assert_str_eq(state.stored.texts[0].name, "a-space");
    load_spaces(&memory);
    ck_assert(is_kept_back("an-app-1.herokuapp.com"));
    ck_assert_int_ne(access(file, F_OK), 0);
}

static void put_space(struct memory_source *memory, char letter, const char *router)
{
    char name[16], text[128];

    snprintf(name, sizeof name, "%c-space", letter);
    snprintf(text, sizeof text, "space: %s\ncidr: 10.%d.0.0/16\nrouters: [10.%d.0.%s]\n", name,
             letter - 'a', letter - 'a', router);
    memory_source_put(memory, name, text);
    memory_source_commit(memory);
}

/* The text of a stored space, without its first line. */
static const char *stored_of(const char *space)
{
    static char text[256];
    const struct stored_text *found = stored_find(&state.stored, space);
    size_t length = 0;
    bool is_sound = false;
    char *octets = found == NULL ? NULL : stored_read(found, &length, &is_sound);

    snprintf(text, sizeof text, "%s%.*s", is_sound ? "" : "unsound ", (int)length,
             octets == NULL ? "" : octets);
    free(octets);
    return text;
}

/* Each load of a registry hands over what has changed, and nothing else. */
TEST(a_full_disk_gets_every_text_once_there_is_room_though_loads_went_on)
{
    static struct memory_source memory;

    memory_source_init(&memory);
    state.has_spaces = true;
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    put_space(&memory, 'b', "40");
    load_spaces(&memory);
    is_full = true;
    put_space(&memory, 'a', "40");
    ck_assert(!try_spaces(&memory));
    put_space(&memory, 'b', "41");
    ck_assert(!try_spaces(&memory));
    put_space(&memory, 'c', "40");
    ck_assert(!try_spaces(&memory));
    memory_source_put(&memory, "c-space", NULL);
    put_space(&memory, 'b', "40"); /* as it is stored */
    ck_assert(!try_spaces(&memory));
    ck_assert(!try_spaces(&memory)); /* nothing has changed */
    is_full = false;
    ck_assert(try_spaces(&memory));
    ck_assert(!state.is_behind);
    end_process();
    state.has_spaces = true;
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
    ck_assert_uint_eq(state.stored.text_count, 2);
    ck_assert_str_eq(stored_of("a-space"),
                     "space: a-space\ncidr: 10.0.0.0/16\nrouters: [10.0.0.40]\n");
    ck_assert_str_eq(stored_of("b-space"),
                     "space: b-space\ncidr: 10.1.0.0/16\nrouters: [10.1.0.40]\n");
}

TEST(a_link_to_another_folder_is_not_followed)
{
    char texts[sizeof path + 64];

    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(texts, sizeof texts, "%s/zones", path);
    ck_assert_int_eq(symlink(zones.path, texts), 0);
    ck_assert(!state_open(&state, path, &key));
}

TEST(a_lock_is_handed_over_and_never_free)
{
    struct state next = {.has_spaces = false}, third = {.has_spaces = false};

    begin_process(0);
    int locked = dup(state.folder);
    ck_assert_msg(state_take_over(&next, path, &key, locked), "%s", next.problem.text);
    ck_assert_int_eq(next.folder, locked);
    end_process();
    ck_assert(!state_open(&third, path, &key));
    ck_assert_ptr_nonnull(strstr(third.problem.text, "another server uses it"));
    state_close(&third);
    state_close(&next);
    ck_assert_msg(state_open(&state, path, &key), "%s", state.problem.text);
}

TEST(a_lock_of_another_folder_is_not_used)
{
    char elsewhere[] = "/tmp/spacedns-state.XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(elsewhere));
    int locked = open(elsewhere, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_msg(state_take_over(&state, path, &key, locked), "%s", state.problem.text);
    ck_assert_int_ne(state.folder, locked);
    ck_assert_int_eq(fcntl(locked, F_GETFD), -1);
    rmdir(elsewhere);
}

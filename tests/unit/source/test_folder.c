/*
 * Reading a file that another program may be writing: until two reads agree, and no longer than
 * allowed.
 *
 * The clock is the test's own; each wait gives the writer a turn.
 */
#include "source/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "findings/report.h"
#include "support/suite.h"

enum { PATH_MOST = 128, SECOND = 1000000 };

static struct {
    char folder[64];
    char path[PATH_MOST];
    int64_t age_us; /* of the file, by the clock */
    unsigned waited_ms;
    unsigned turns; /* of the writer, one for each wait */
    struct report *report;
} stand;

static void write_text(const char *text, const char *mode)
{
    FILE *file = fopen(stand.path, mode);

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static int64_t wall_us(void *context)
{
    struct stat status;

    (void)context;
    ck_assert_int_eq(stat(stand.path, &status), 0);
    return (int64_t)status.st_ctim.tv_sec * SECOND + status.st_ctim.tv_nsec / 1000 + stand.age_us;
}

static void wait_ms(void *context, unsigned ms)
{
    (void)context;
    stand.waited_ms += ms;
    if (stand.turns > 0) {
        stand.turns--;
        write_text("# more\n", "a");
    }
}

static const struct waiting_clock clock_of_test = {.wall_us = wall_us, .wait_ms = wait_ms};

static void set_up(void)
{
    memset(&stand, 0, sizeof stand);
    snprintf(stand.folder, sizeof stand.folder, "/tmp/test_folder.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(stand.folder));
    snprintf(stand.path, sizeof stand.path, "%s/a.yaml", stand.folder);
    write_text("space: abc\n", "w");
    stand.report = report_new();
}

static void tear_down(void)
{
    report_free(stand.report);
    remove(stand.path);
    remove(stand.folder);
}

static bool reads(const struct waiting_clock *clock, const char *expected)
{
    struct folder folder;
    struct source_text text;

    folder_init(&folder, stand.folder, clock);
    if (!folder.source.read(&folder.source, stand.path, &text, stand.report))
        return false;
    ck_assert_uint_eq(text.length, strlen(expected));
    ck_assert_mem_eq(text.octets, expected, text.length);
    free(text.octets);
    return true;
}

FIXTURE(set_up, tear_down)

TEST(an_old_file_is_read_at_once)
{
    stand.age_us = 200000;
    ck_assert(reads(&clock_of_test, "space: abc\n"));
    ck_assert_uint_eq(stand.waited_ms, 0);
}

TEST(a_file_of_this_moment_is_read_twice)
{
    stand.age_us = 199999;
    ck_assert(reads(&clock_of_test, "space: abc\n"));
    ck_assert_uint_eq(stand.waited_ms, FOLDER_STEP_MS);
}

TEST(a_file_under_way_is_read_when_it_is_whole)
{
    stand.turns = 3;
    ck_assert(reads(&clock_of_test, "space: abc\n# more\n# more\n# more\n"));
    ck_assert_uint_eq(stand.waited_ms, 4 * FOLDER_STEP_MS);
}

TEST(a_file_that_never_rests_is_busy)
{
    stand.turns = 1000;
    ck_assert(!reads(&clock_of_test, ""));
    ck_assert_uint_ge(stand.waited_ms, FOLDER_WAIT_MS);
    ck_assert_uint_le(stand.waited_ms, FOLDER_WAIT_MS + FOLDER_STEP_MS);
    ck_assert_uint_eq(report_total(stand.report), 1);
    ck_assert_str_eq(finding_name(report_findings(stand.report)->code), "E-BUSY");
}

TEST(a_file_that_cannot_be_opened_costs_no_wait)
{
    if (geteuid() == 0) /* root can open everything */
        return;
    ck_assert_int_eq(chmod(stand.path, 0), 0);
    ck_assert(!reads(&clock_of_test, ""));
    ck_assert_uint_eq(stand.waited_ms, 0);
    ck_assert_str_eq(finding_name(report_findings(stand.report)->code), "E-FILE");
}

TEST(a_time_in_the_future_costs_no_wait)
{
    stand.age_us = -3600LL * SECOND;
    ck_assert(reads(&clock_of_test, "space: abc\n"));
    ck_assert_uint_eq(stand.waited_ms, 0);
}

TEST(without_a_clock_it_is_taken_as_it_is)
{
    ck_assert(reads(NULL, "space: abc\n"));
    ck_assert_uint_eq(stand.waited_ms, 0);
}

static struct source_stamp stamp_of_read(struct source *source)
{
    struct source_text text;

    ck_assert(source->read(source, stand.path, &text, stand.report));
    free(text.octets);
    return text.stamp;
}

static bool is_still(struct source *source, const struct source_stamp *stamp)
{
    const struct source_stamp now = source->stamp(source, stand.path);

    return source_stamp_is_same(&now, stamp);
}

TEST(a_stamp_is_trusted_after_two_seconds_and_until_the_inode_changes)
{
    struct folder folder;
    struct source *source = &folder.source;
    struct stat before, status;

    folder_init(&folder, stand.folder, &clock_of_test);
    stand.age_us = 2 * SECOND - 1;
    struct source_stamp stamp = stamp_of_read(source);
    ck_assert(!is_still(source, &stamp));
    stand.age_us = 2 * SECOND;
    stamp = stamp_of_read(source);
    ck_assert(is_still(source, &stamp));
    ck_assert_int_eq(stat(stand.path, &before), 0);
    /* Other octets, as many as before, and the time put back: what cp -p and tar leave behind. */
    write_text("space: xyz\n", "r+");
    do {
        struct timespec times[2] = {before.st_mtim, before.st_mtim};
        ck_assert_int_eq(utimensat(AT_FDCWD, stand.path, times, 0), 0);
        ck_assert_int_eq(stat(stand.path, &status), 0);
    } while (status.st_ctim.tv_nsec == before.st_ctim.tv_nsec &&
             status.st_ctim.tv_sec == before.st_ctim.tv_sec);
    ck_assert(!is_still(source, &stamp));
}

TEST(a_file_that_is_gone_has_no_stamp)
{
    struct folder folder;

    folder_init(&folder, stand.folder, &clock_of_test);
    stand.age_us = 2 * SECOND;
    const struct source_stamp stamp = stamp_of_read(&folder.source);
    folder.clock = NULL; /* the test's has the file's time */
    ck_assert_int_eq(remove(stand.path), 0);
    ck_assert(!is_still(&folder.source, &stamp));
}

/* What lies in the folder besides a.yaml. */
static const char *const others[] = {"c.yml", "b.yaml", ".hidden.yaml", "notes.txt", ".yaml"};

TEST(zone_files_are_listed_in_order)
{
    struct arena *arena = arena_new();
    struct source_names names;
    struct folder folder;
    struct err err;
    char root[PATH_MOST], path[PATH_MOST];

    snprintf(root, sizeof root, "%s//", stand.folder);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", stand.folder, others[i]);
        fclose(fopen(path, "w"));
    }
    folder_init(&folder, root, NULL);
    ck_assert_msg(folder.source.list(&folder.source, arena, &names, &err), "%s", err.text);
    ck_assert_uint_eq(names.count, 3);
    ck_assert_str_eq(names.names[0], stand.path);
    ck_assert_str_eq(strrchr(names.names[1], '/'), "/b.yaml");
    ck_assert_str_eq(strrchr(names.names[2], '/'), "/c.yml");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", stand.folder, others[i]);
        remove(path);
    }
    arena_free(arena);
}

TEST(an_empty_folder_breaks_a_rule_and_a_missing_one_does_not)
{
    struct arena *arena = arena_new();
    struct source_names names;
    struct folder folder;
    struct err err;

    remove(stand.path);
    folder_init(&folder, stand.folder, NULL);
    ck_assert(!folder.source.list(&folder.source, arena, &names, &err));
    ck_assert_int_eq(err.code, ERR_RULE);
    ck_assert_ptr_nonnull(strstr(err.text, "holds no zone file; put one file NAME.yaml"));
    folder_init(&folder, "/nowhere/zones", NULL);
    ck_assert(!folder.source.list(&folder.source, arena, &names, &err));
    ck_assert_int_eq(err.code, ERR_SYSTEM);
    arena_free(arena);
}

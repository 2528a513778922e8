/*
 * Each file in tests/zones_bad breaks one rule once. Its name begins with the rule's code, its
 * first line has the expected finding: "# expect: LINE:COLUMN CODE".
 */
#include <check.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/report.h"
#include "space/parse.h"
#include "space/rules.h"
#include "support/scratch.h"
#include "support/suite.h"

enum { FILES_MAX = 512, NAME_MAX_OCTETS_HERE = 64 };

static char names[FILES_MAX][NAME_MAX_OCTETS_HERE];
static size_t name_count;
static char folder[SCRATCH_PATH_MOST];

/* Codes that no single file can fire: between files, on reload, of settings, of the system. */
static const enum finding_code beyond_one_file[] = {
    FINDING_FILE,      FINDING_MEMORY,        FINDING_SPACE_OVERLAP,
    FINDING_IMMUTABLE, FINDING_LISTEN_PUBLIC, FINDING_SETTING,
    FINDING_RESTART,   FINDING_BUSY,          FINDING_CUT,
    FINDING_NO_END,    FINDING_RESOLV_CONF,   FINDING_CONN_SPACE,
    FINDING_LOCAL_AS,  FINDING_LISTEN_SPACE,  FINDING_LAST_GOOD,
    FINDING_UNSERVED,  FINDING_IGNORED,       FINDING_TLS_NAME,
    FINDING_HELD,      FINDING_DYNO_IP_MOVED, FINDING_REGISTRY_LOGIN,
    FINDING_TAKEN,
};

static int by_name(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void find_files(void)
{
    const char *source = getenv("SOURCE_DIR");
    snprintf(folder, sizeof folder, "%s/tests/zones_bad", source == NULL ? "." : source);
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        const char *suffix = strrchr(entry->d_name, '.');
        if (suffix == NULL || suffix == entry->d_name || strcmp(suffix, ".yaml") != 0)
            continue;
        if (entry->d_type == DT_DIR || strlen(entry->d_name) >= sizeof names[0])
            continue;
        if (name_count < FILES_MAX)
            strcpy(names[name_count++], entry->d_name);
    }
    if (directory != NULL)
        closedir(directory);
    qsort(names, name_count, sizeof names[0], by_name);
}

static void write_expectation(const struct finding *finding, char *out, size_t size)
{
    snprintf(out, size, "# expect: %u:%u %s\n", (unsigned)finding->at.line,
             (unsigned)finding->at.column, finding_name(finding->code));
}

/* The file fires the finding that it is named after, once, where its first line says. */
static void check_bad_file(const char *name)
{
    char path[SCRATCH_PATH_MOST + NAME_MAX_OCTETS_HERE];
    char found[128];
    size_t length;
    struct suffixes suffixes = suffixes_default();
    struct report *report = report_new();
    struct arena *arena = arena_new();

    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = file_read(path, &length);
    ck_assert_ptr_nonnull(text);
    const struct space *space = space_parse(arena, name, text, length, report);
    if (space != NULL)
        space_check(space, &suffixes, report);
    if (report_total(report) != 1)
        report_print(report, stderr);
    ck_assert_msg(report_total(report) == 1, "%s: %zu findings", name, report_total(report));
    const struct finding *finding = report_findings(report);
    write_expectation(finding, found, sizeof found);
    ck_assert_msg(strncmp(text, found, strlen(found)) == 0, "%s: found %s", name, found);
    const char *code = finding_name(finding->code);
    ck_assert_msg(strncmp(name, code, strlen(code)) == 0 && name[strlen(code)] == '.',
                  "%s is not named after %s", name, code);
    free(text);
    report_free(report);
    arena_free(arena);
}

TEST(each_bad_file_fires_its_rule_once_at_the_right_location)
{
    for (size_t i = 0; i < name_count; i++)
        check_bad_file(names[i]);
}

static bool is_beyond_one_file(enum finding_code code)
{
    for (size_t i = 0; i < sizeof beyond_one_file / sizeof beyond_one_file[0]; i++)
        if (beyond_one_file[i] == code)
            return true;
    return false;
}

TEST_LOOP(every_code_that_one_file_can_fire_has_a_bad_file, 0, FINDING_CODE_COUNT)
{
    char plain[NAME_MAX_OCTETS_HERE];
    bool has_file = false;

    snprintf(plain, sizeof plain, "%s.yaml", finding_name((enum finding_code)_i));
    for (size_t i = 0; i < name_count; i++)
        has_file |= strcmp(names[i], plain) == 0;
    ck_assert_msg(has_file != is_beyond_one_file((enum finding_code)_i), "%s", plain);
}

int main(void)
{
    find_files();
    return suite_run();
}

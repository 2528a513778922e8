#include "inspect/summary.h"

#include <stdlib.h>

#include "support/snapshot_fixture.h"
#include "support/suite.h"

static char *summary_of(const char *folder, size_t files, const struct snapshot *snapshot,
                        const struct report *report)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    summary_print(folder, files, snapshot, report, out);
    fclose(out);
    return text;
}

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST(a_check_ends_with_its_counts)
{
    struct report *report = report_new();
    char expected[128];

    report_add(report, FINDING_REGION, "z.yaml", location_at(1, 1), "x");
    char *text = summary_of("zones", 4, fixture.snapshot, report);
    snprintf(expected, sizeof expected,
             "zones: 4 files, 4 spaces, %zu apps: 0 errors, 1 warning, 0 notes\n",
             fixture.snapshot->app_count);
    ck_assert_str_eq(text, expected);
    free(text);
    report_free(report);
}

TEST(a_refused_folder_has_no_count_of_spaces)
{
    struct report *report = report_new();

    report_add(report, FINDING_TTL, "z.yaml", location_at(1, 1), "x");
    char *text = summary_of("z\nones", 1, NULL, report);
    ck_assert_str_eq(text, "z\\x0aones: 1 file: 1 error, 0 warnings, 0 notes\n");
    free(text);
    report_free(report);
}

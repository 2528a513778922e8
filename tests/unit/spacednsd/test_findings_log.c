#include "spacednsd/findings_log.h"

#include <string.h>

#include "support/capture.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/world.h"

/* Loads a folder as the daemon does, and captures how it logs the refusal. */
static void refuse(struct world *world, struct capture *capture)
{
    struct zones_loading loading = {
        .zones = world->folder.path,
        .request = {
            .policy = &world->policy, .key = world->key, .threads = 2, .before = world->snapshot}};

    zones_load(&loading);
    ck_assert_ptr_null(loading.snapshot);
    capture_start(capture);
    findings_log_refusal(&loading, 7, &(struct audit){.by = "signal"});
    capture_stop(capture);
    zones_loading_close(&loading);
}

TEST(a_refused_reload_is_logged_with_location_code_and_count)
{
    struct world world;
    struct capture capture;

    world_init_fixture(&world);
    ck_assert(scratch_edit(&world.folder, "test-space.yaml", "10.0.0.37", "10.0.130.37"));
    ck_assert(scratch_edit(&world.folder, "test-space.yaml", "10.0.16.21", "10.0.130.38"));
    refuse(&world, &capture);
    const char *last = strstr(capture.text, "error reload_refused code=Q50 ");
    ck_assert_ptr_nonnull(last);
    ck_assert_ptr_nonnull(strstr(last, " generation=7 errors="));
    ck_assert_ptr_nonnull(strstr(last, " first=E-ROUTER-DYNO "));
    ck_assert_ptr_nonnull(strstr(last, "test-space.yaml:"));
    ck_assert_ptr_eq(strchr(last, '\n'), capture.text + strlen(capture.text) - 1);
    ck_assert_ptr_nonnull(strstr(capture.text, "error finding code=E-ROUTER-DYNO place="));
    world_close(&world);
}

TEST(an_empty_folder_refuses_the_reload)
{
    struct world world;
    struct capture capture;

    world_init_fixture(&world);
    scratch_clear(&world.folder);
    refuse(&world, &capture);
    ck_assert_ptr_nonnull(strstr(capture.text, "error reload_refused code=Q50 "));
    ck_assert_ptr_nonnull(strstr(capture.text, "holds no zone file"));
    world_close(&world);
}

TEST(a_flood_of_findings_is_cut_and_the_rest_counted)
{
    struct report *report = report_new();
    struct location at = {.line = 3, .column = 1};
    struct capture capture;

    for (unsigned i = 0; i < 130; i++)
        report_add(report, FINDING_TYPE, "z.yaml", at, "x");
    capture_start(&capture);
    findings_log(report);
    capture_stop(&capture);
    size_t lines = 0;
    for (const char *next = capture.text; (next = strchr(next, '\n')) != NULL; next++)
        lines++;
    ck_assert_uint_eq(lines, 101);
    ck_assert_ptr_nonnull(strstr(capture.text, "warning findings_left_out count=30 "));
    report_free(report);
}

TEST(a_finding_of_a_flag_is_logged_with_the_flag_as_place)
{
    struct report *report = report_new();
    struct capture capture;

    report_add(report, FINDING_SETTING, "--upstream (command line)", location_at(0, 0), "x");
    report_add(report, FINDING_RESTART, "/s.yaml", location_at(3, 9), "y");
    capture_start(&capture);
    findings_log(report);
    capture_stop(&capture);
    ck_assert_ptr_nonnull(strstr(capture.text, " error finding code=E-SETTING "
                                               "place=\"--upstream (command line)\" text=x\n"));
    ck_assert_ptr_nonnull(
        strstr(capture.text, " warning finding code=W-RESTART place=/s.yaml:3:9 text=y\n"));
    report_free(report);
}

#include "spacednsd/check.h"

#include <stdlib.h>

#include "inspect/summary.h"
#include "spacednsd/daemon.h"
#include "spacednsd/reload_first.h"

/* Zone files that could not be read have no findings to count. */
static void print_outcome(const struct zones_loading *loading)
{
    bool has_failed = loading->err.code != ERR_NONE;

    if (has_failed)
        fprintf(stdout, "spacednsd: %s\n", loading->err.text);
    if (has_failed && report_count(loading->report, FINDING_ERROR) == 0)
        fprintf(stdout, "%s: not checked\n", loading->zones);
    else
        summary_print(loading->zones, loading->outcome.file_count, loading->snapshot,
                      loading->report, stdout);
}

/*
 * Root could read everything: what the server's user may not read must be found by a check, too. A
 * host without that user is one where files are only checked.
 */
static bool become_user(const struct settings *settings, struct err *err)
{
    struct report *unknown = report_new();
    struct privileges privileges;

    bool is_known = unknown != NULL && privileges_find(&privileges, settings, unknown);
    report_free(unknown);
    return !is_known || privileges_begin(&privileges, settings, err);
}

static bool load(struct reloads *reloads, struct report *report)
{
    struct zones_loading *loading = &reloads->loading;
    const char *state_dir = reloads->settings.state_dir;

    reloads_prepare(reloads, NULL);
    reloads->state.has_spaces = settings_has_registry(&reloads->settings);
    if (state_dir != NULL && state_peek(&reloads->state, state_dir))
        loading->request.stored = &reloads->state.stored;
    loading->request.is_check = true;
    zones_loading_open(loading, report);
    zones_load(loading);
    return loading->snapshot != NULL && reload_first_check(reloads);
}

/* What is in the registry was checked when it was pushed, and changes without this file. */
static int check_without_zones(struct report *report)
{
    bool passed = report_is_clean(report);

    report_sort(report);
    report_print(report, stdout);
    if (passed)
        fputs("settings: correct; the zones come from the registry, which is not asked\n", stdout);
    report_free(report);
    return passed ? EXIT_SUCCESS : EXIT_REFUSED;
}

int check_run(const struct settings *settings, struct report *report)
{
    struct reloads reloads;
    struct err err;

    if (settings_has_registry(settings))
        return check_without_zones(report);

    if (!become_user(settings, &err)) {
        daemon_print(err.text);
        report_free(report);
        return EXIT_REFUSED;
    }
    if (!reloads_init(&reloads, settings)) {
        daemon_print("out of memory");
        report_free(report);
        return EXIT_UNAVAILABLE;
    }
    bool passed = load(&reloads, report);
    report_print(reloads.loading.report, stdout);
    print_outcome(&reloads.loading);
    snapshot_free(reloads.loading.snapshot);
    reloads_close(&reloads);
    return passed ? EXIT_SUCCESS : EXIT_REFUSED;
}

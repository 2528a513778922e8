#include "spacednsd/reload_load.h"

#include <net/if.h>

#include "base/clock.h"
#include "spacednsd/reload_registry.h"
#include "spacednsd/settings_check.h"
#include "spacednsd/settings_reload.h"

/* What would be served; NULL: the loading failed. */
static const struct snapshot *find_after(const struct zones_loading *loading)
{
    return loading->outcome.is_unchanged ? loading->request.before : loading->snapshot;
}

/* Whoever comes by an interface is let in by its number, which is looked up for what is served. */
static void find_devices(const struct access *access)
{
    for (uint32_t device = 0; device < access->device_count; device++)
        access_set_interface(access, device, if_nametoindex(access->devices[device]));
}

/* Returns false without memory for it. */
static bool replay(struct reloads *reloads, const struct snapshot *before,
                   const struct snapshot *after)
{
    if (reloads->questions == NULL)
        return false;
    if (after != before)
        find_devices(&after->access);
    reloads->replay = replay_new(reloads->questions, before, after);
    return reloads->replay != NULL;
}

/* Those that would be in force. */
static const struct settings *settings_of(const struct reloads *reloads)
{
    const struct settings_reload *reloaded = reloads->loading.reloaded;

    return reloaded == NULL ? &reloads->settings : &reloaded->settings;
}

/* A registry's loads are judged document by document (replica.h). Computes what would change;
 * without memory for it the loading fails. */
static void compare(struct reloads *reloads)
{
    struct zones_loading *loading = &reloads->loading;
    const struct snapshot *before = loading->request.before;
    const struct snapshot *after = find_after(loading);

    if (after == NULL ||
        (!reloads->queue.request.is_dry &&
         (reloads->queue.request.is_forced || loading->request.keeps_spaces || after == before)))
        return;
    const struct diff_options options = {
        .changes_most = reloads->queue.request.is_dry ? DIFF_CHANGES_MOST : 0,
        .guard_share_percent = settings_of(reloads)->guard_share,
    };
    reloads->diff = diff_new(before, after, &options);
    if (reloads->diff != NULL &&
        (!reloads->queue.request.has_traffic || replay(reloads, before, after)))
        return;
    diff_free(reloads->diff);
    reloads->diff = NULL;
    snapshot_free(loading->snapshot);
    loading->snapshot = NULL;
    loading->outcome.is_unchanged = false;
    err_set(&loading->err, ERR_MEMORY, "out of memory while comparing the zone files");
}

/* For the log; without memory for it nothing is counted. */
static void count_changes(struct reloads *reloads)
{
    const struct zones_loading *loading = &reloads->loading;

    reloads->tally = (struct tally){.spaces = {0}};
    if (loading->snapshot != NULL && !reloads->queue.request.is_dry)
        tally_compare(loading->request.before, loading->snapshot, &reloads->tally);
}

/* Settings come first: they name the zones folder and set the policy. */
static bool reread_settings(struct reloads *reloads)
{
    struct zones_loading *loading = &reloads->loading;

    if (!zones_loading_open(loading, NULL))
        return false;
    loading->reloaded = settings_reload_read(&reloads->settings, loading->report);
    if (loading->reloaded == NULL)
        return false;
    loading->request.policy = &loading->reloaded->policy;
    loading->request.is_new_policy = loading->reloaded->changed.count > 0;
    if (reloads->queue.request.folder == NULL)
        loading->zones = loading->reloaded->settings.zones;
    return true;
}

/* What does not fit the settings; only the start is refused for it. */
static void check_spaces(const struct reloads *reloads)
{
    const struct zones_loading *loading = &reloads->loading;
    const struct snapshot *after = find_after(loading);

    if (after == NULL)
        return;
    settings_check_spaces(settings_of(reloads), after, FINDING_LOCAL_AS, loading->report);
    report_sort(loading->report);
}

void reload_load(struct reloads *reloads)
{
    if (reloads->queue.request.kind != REQUEST_RELOAD) {
        reloads->loading.started_ns = clock_monotonic_ns();
        kept_let_go(&reloads->loading, &reloads->queue.names);
        return;
    }
    bool has_settings = reloads->queue.request.is_documents || reread_settings(reloads);
    reload_read_login(reloads);
    if (!has_settings)
        return;
    zones_load(&reloads->loading);
    check_spaces(reloads);
    compare(reloads);
    count_changes(reloads);
}

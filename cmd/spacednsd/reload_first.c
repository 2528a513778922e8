#include "spacednsd/reload_first.h"

#include <unistd.h>

#include "spacednsd/replica.h"
#include "spacednsd/settings_check.h"

void reload_first_close(struct reloads *reloads)
{
    snapshot_free(reloads->compiled);
    reloads->compiled = NULL;
}

/* The key comes first: the names kept back are hashed with it. */
static void open_state(struct reloads *reloads, const char *path, int locked)
{
    struct state *state = &reloads->state;
    struct err err;

    state->has_spaces = settings_has_registry(&reloads->settings);
    reloads->compiled =
        compiled_read(path, &reloads->policy.suffixes, (unsigned)reloads->settings.workers, &err);
    if (reloads->compiled != NULL)
        reloads->key = reloads->compiled->index.key;
    if (locked >= 0)
        state_take_over(state, path, &reloads->key, locked);
    else
        state_open(state, path, &reloads->key);
    if (!state_is_used(state))
        reload_first_close(reloads);
    else if (err.code != ERR_NONE && state->damage.code == ERR_NONE)
        state->damage = err;
}

void reload_first_open_state(struct reloads *reloads, int locked)
{
    const char *path = reloads->settings.state_dir;

    if (path != NULL)
        open_state(reloads, path, locked);
    else if (locked >= 0)
        close(locked);
    storing_begin(&reloads->storing, &reloads->state);
}

bool reload_first_check(struct reloads *reloads)
{
    const struct zones_loading *loading = &reloads->loading;
    bool is_whole = loading->outcome.last_good_count == 0 && reloads->replica == NULL;

    if (reloads->replica != NULL && replica_is_waiting(reloads->replica))
        return report_is_clean(loading->report); /* which spaces there are is not known yet */
    settings_check_spaces(&reloads->settings, loading->snapshot,
                          is_whole ? FINDING_SETTING : FINDING_LOCAL_AS, loading->report);
    report_sort(loading->report);
    return report_is_clean(loading->report);
}

void reload_first_store(struct reloads *reloads)
{
    struct zones_loading *loading = &reloads->loading;

    /* What an earlier run has accepted stays until the registry has said what there is. */
    if (reloads->replica == NULL || !replica_is_waiting(reloads->replica)) {
        state_store(&reloads->state, loading->snapshot, loading->request.ran_s, &loading->outcome);
        reloads_note_stored(reloads);
    } else if (!state_is_used(&reloads->state)) {
        reloads_note_stored(reloads); /* why it is not */
    }
    loading->request.before = NULL;
    reload_first_close(reloads);
}

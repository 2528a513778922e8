#include "spacednsd/reload_registry.h"

#include "base/log.h"
#include "spacednsd/replica.h"
#include "spacednsd/settings_reload.h"

bool reload_reads_registry(const struct reloads *reloads)
{
    const struct reload_request *request = &reloads->queue.request;

    return reloads->replica != NULL && request->kind == REQUEST_RELOAD && request->folder == NULL;
}

void reload_prepare_registry(struct reloads *reloads, const struct snapshot *before)
{
    struct zones_loading *loading = &reloads->loading;

    if (reload_reads_registry(reloads))
        loading->lacks_source = !replica_prepare(reloads->replica, &loading->request);
    else if (reloads->replica != NULL && reloads->queue.request.kind != REQUEST_RELOAD)
        loading->request.generation = before->generation; /* the registry's revision */
}

/* What an operator has requested to be read anew, and not only to be tried. */
static bool reads_login(const struct reloads *reloads)
{
    return reload_reads_registry(reloads) && !reloads->queue.request.is_dry &&
           !reloads->queue.request.is_documents;
}

void reload_read_login(struct reloads *reloads)
{
    const struct zones_loading *loading = &reloads->loading;

    if (reads_login(reloads) && loading->report != NULL)
        replica_read_login(reloads->replica,
                           loading->reloaded == NULL ? &reloads->settings
                                                     : &loading->reloaded->settings,
                           loading->report);
}

/* They are kept back by this load, and let go after it. */
static void queue_releases(struct reloads *reloads)
{
    size_t count;
    const char *const *names = replica_releases(reloads->replica, &count);

    if (count > 0 && !kept_add_names(&reloads->queue.releases, names, count))
        log_sentence(LOG_WARNING, "names_kept_back",
                     "out of memory for the names that a push lets go: they are kept from "
                     "upstreams until they expire, or: spacedns forget NAME");
}

void reload_note_published(struct reloads *reloads)
{
    if (reloads->replica == NULL)
        return;
    queue_releases(reloads);
    replica_note_loaded(reloads->replica, &reloads->loading.outcome);
}

/* What is published has been noted. */
void reload_note_ended(struct reloads *reloads, enum reload_end end)
{
    if (reloads->replica == NULL)
        return;
    if (end == RELOAD_UNCHANGED)
        replica_note_loaded(reloads->replica, &reloads->loading.outcome);
    else
        replica_note_failed(reloads->replica);
    if (reads_login(reloads))
        replica_note_settings(reloads->replica);
}

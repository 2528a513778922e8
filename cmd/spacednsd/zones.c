#include "spacednsd/zones.h"

#include "base/clock.h"
#include "base/debug.h"
#include "decide/client.h"
#include "inspect/prove.h"

/* A debug build serves only what passes the proof. */
static void prove_loaded(struct zones_loading *loading)
{
    struct proof proof;

    if (!IS_DEBUG_BUILD || loading->snapshot == NULL ||
        prove(loading->snapshot, &proof, &loading->err))
        return;
    snapshot_free(loading->snapshot);
    loading->snapshot = NULL;
}

bool zones_loading_open(struct zones_loading *loading, struct report *report)
{
    loading->started_ns = clock_monotonic_ns();
    loading->outcome = (struct load_outcome){0};
    loading->err = (struct err){.code = ERR_NONE};
    loading->snapshot = NULL;
    loading->report = report == NULL ? report_new() : report;
    return loading->report != NULL ||
           err_set(&loading->err, ERR_MEMORY, "out of memory while loading the zone files");
}

void zones_load(struct zones_loading *loading)
{
    if (loading->report == NULL && !zones_loading_open(loading, NULL))
        return;
    if (loading->lacks_source) {
        err_set(&loading->err, ERR_MEMORY, "out of memory for the documents of the registry");
        return;
    }
    /* This thread may wait: it serves no clients. */
    if (loading->request.source == NULL) {
        folder_init(&loading->folder, loading->zones, &clock_machine);
        loading->request.source = &loading->folder.source;
    }
    loading->snapshot =
        snapshot_load(&loading->request, loading->report, &loading->outcome, &loading->err);
    report_sort(loading->report);
    if (loading->snapshot != NULL)
        loading->err.code = ERR_NONE; /* a load that succeeds may have set it */
    prove_loaded(loading);
}

void zones_loading_close(struct zones_loading *loading)
{
    report_free(loading->report);
    loading->report = NULL;
    load_outcome_close(&loading->outcome);
}

uint64_t zones_loading_ms(const struct zones_loading *loading)
{
    return (clock_monotonic_ns() - loading->started_ns) / 1000000;
}

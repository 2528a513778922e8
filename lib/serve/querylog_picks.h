#pragma once
/**
 * What readers with filters want of every worker, beyond what is wanted of each kind at all
 * (querylog_ring.h): the replies that pass, and only those are copied.
 *
 *     control thread: querylog_picks_set ─► picks ─► querylog_picks_copy :worker, when they change
 *
 * Threads: as named above; a lock is held while the picks are copied, which a worker only tries
 * for: if it is taken, the worker goes on with what it has, and tries again with the next batch.
 * Memory: none of its own; the filters' texts are copied.
 */
#include <uv.h>

#include "serve/querylog_filter.h"

enum { QUERYLOG_PICKS = 16, QUERYLOG_PICKS_NONE = -1 };

struct querylog_pick {
    bool is_used;
    struct querylog_filter filter; /* its texts are these: */
    size_t app_length;
    char app[QUERYLOG_APP_OCTETS + 1];
    char space[QUERYLOG_SPACE_OCTETS + 1];
};

struct querylog_picks {
    uv_mutex_t lock;
    struct querylog_pick items[QUERYLOG_PICKS];
};

/** Returns false without memory. */
bool querylog_picks_init(struct querylog_picks *picks);

void querylog_picks_close(struct querylog_picks *picks);

/** Adds a filter. Returns its number, or QUERYLOG_PICKS_NONE when there is no room for it. */
int querylog_picks_add(struct querylog_picks *picks, const struct querylog_filter *filter);

/** Takes a filter out. */
void querylog_picks_remove(struct querylog_picks *picks, int number);

/** Copies all. Returns false when that would have to wait. */
bool querylog_picks_copy(struct querylog_picks *picks, struct querylog_pick copy[QUERYLOG_PICKS]);

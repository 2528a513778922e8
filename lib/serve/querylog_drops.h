#pragma once
/**
 * The event querylog_dropped: how many lines of the query log were lost since the last one, at most
 * every QUERYLOG_DROPS_SECONDS, and at the end.
 *
 * Threads: the log's.  Memory: none.
 */
#include <stdbool.h>
#include <stdint.h>

enum { QUERYLOG_DROPS_SECONDS = 10 };

struct querylog_drops {
    uint64_t logged;    /* of the drops that an event has counted */
    uint64_t logged_ns; /* when the last one was; 0: never */
};

/** Logs what was dropped. `dropped` is the number ever; is_last: there is no later call. */
void querylog_drops_log(struct querylog_drops *drops, uint64_t dropped, bool is_last);

#pragma once
/**
 * How often each reason was given in each of the last 60 minutes.
 *
 *     workers' counters ─► every REASONS_SAMPLED_MS, and when somebody asks ─► what is new
 *       ─► minutes
 *
 * A reply is counted in the minute in which it was noticed. It begins with the process: an upgrade
 * begins anew.
 *
 * Threads: the control thread.  Memory: one struct, some 15 KB.
 */
#include <uv.h>

#include "inspect/print.h"
#include "serve/server.h"
#include "traffic/lately.h"

enum { REASONS_SAMPLED_MS = 5000 };

struct reasons_lately {
    const struct server *server;
    uv_timer_t timer;
    bool has_timer;
    uint32_t since_s;
    uint64_t known[STATS_REASONS]; /* replies that are in the minutes, and before */
    struct lately given[STATS_REASONS];
};

/** Starts; the loop and the server are borrowed. */
void reasons_lately_start(struct reasons_lately *reasons, uv_loop_t *loop,
                          const struct server *server);

/** Adds what is new in the totals, at a time in seconds since 1970. */
void reasons_lately_add(struct reasons_lately *reasons, const struct totals *totals,
                        uint32_t now_s);

/** Reads the server's totals, and adds what is new. */
void reasons_lately_sample(struct reasons_lately *reasons);

/** {"since": ..., "reasons": [...]}: those that were given, most often first; a code once. */
json_t *reasons_lately_json(const struct reasons_lately *reasons, uint32_t now_s);

/** Closes the timer. */
void reasons_lately_stop(struct reasons_lately *reasons);

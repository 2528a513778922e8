#pragma once
/**
 * What a forwarder is made of; for forward.c and forward_report.c alone.
 *
 * Threads, memory, time: forward.h.
 */
#include "forward/forward.h"
#include "forward/routing.h"

struct forward {
    struct routing routing;
    struct standings *standings;
    struct cache *cache; /* the standings' */
    struct grace_member *member;
    struct fetch_table *table;
    struct stats *stats;
    uint64_t now_ms;
    uint32_t now_s; /* the cache's time, which begins at 1 */
    forward_on_result *on_result;
    void *context;
    bool is_draining;
};

/** True while the entry's failure is cached. */
bool forward_has_failed(const struct forward *forward, const struct cache_entry *entry);

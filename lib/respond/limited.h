#pragma once
/**
 * Who was limited lately: one worker's counts for the operator.
 *
 *     limited_count ──► a set of LIMITED_WAYS entries by the hash ──► limited_list, newest minute
 *
 * An entry is forgotten LIMITED_SECONDS after its last request. In a full set the one with the
 * fewest requests makes room, so that those who ask most stay while others come and go; that some
 * are missing is then part of the list.
 *
 * Threads: one table per worker, used on its thread.  Memory: in place; a zeroed table is empty.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LIMITED_WAYS = 4,
    LIMITED_SETS = 32,
    LIMITED_MOST = LIMITED_WAYS * LIMITED_SETS,
    LIMITED_SECONDS = 60,
};

struct limited_entry {
    uint64_t who;      /* as the caller numbers them */
    uint64_t requests; /* above the rate; 0: a free entry */
    uint32_t first_s;
    uint32_t last_s;
};

struct limited {
    struct limited_entry entries[LIMITED_MOST];
    bool has_lost;   /* an entry made room ... */
    uint32_t lost_s; /* ... at this time, the last one */
};

/** Counts a request; `hash` is of `who`, with a key that no client knows. */
void limited_count(struct limited *limited, uint64_t who, uint64_t hash, uint32_t now_s);

/** One entry as it is reported, whatever the worker's clock counts from. */
struct limited_one {
    uint64_t who;
    uint64_t requests;
    uint32_t since_s; /* seconds since the first of them ... */
    uint32_t ago_s;   /* ... and since the last */
};

struct limited_list {
    struct limited_one items[LIMITED_MOST];
    size_t count;
    bool has_more; /* some others were limited, too */
};

/** Lists who was limited within the last LIMITED_SECONDS, in no order. */
void limited_list(const struct limited *limited, uint32_t now_s, struct limited_list *out);

#pragma once
/**
 * Counters: one set per worker, each written by that worker alone, summed on request.
 *
 *     worker 1 ─ stats ─┐
 *     worker 2 ─ stats ─┼─ stats_add_to ─► totals ─► counters event, metrics
 *     worker 3 ─ stats ─┘
 *
 * A counter is stored relaxed by its one writer, so counting costs an addition, and a reader sees
 * each counter as it was a moment ago.
 *
 * Threads: stats_count and friends on the owner's thread; stats_add_to on any.
 * Memory: never allocates. A struct stats has cache lines of its own.
 */
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum counter {
#define COUNTER(symbol, name, help) COUNTER_##symbol,
#include "stats/counters.def"
#undef COUNTER
    COUNTER_COUNT
};

enum {
    STATS_RCODES = 24, /* 0..23; the last one counts all above, too */
    STATS_REASONS = 32,
    STATS_LINE_OCTETS = 64,
};

struct stats {
    alignas(STATS_LINE_OCTETS) _Atomic uint64_t counters[COUNTER_COUNT];
    _Atomic uint64_t rcodes[STATS_RCODES];
    _Atomic uint64_t reasons[STATS_REASONS]; /* by enum reason */
};

struct totals {
    uint64_t counters[COUNTER_COUNT];
    uint64_t rcodes[STATS_RCODES];
    uint64_t reasons[STATS_REASONS];
};

static inline void stats_raise(_Atomic uint64_t *counter, uint64_t by)
{
    /* One writer: no read-modify-write instruction is needed. */
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + by, memory_order_relaxed);
}

/** Adds to a counter. */
static inline void stats_count(struct stats *stats, enum counter counter, uint64_t by)
{
    stats_raise(&stats->counters[counter], by);
}

/** Counts one reply by its response code and its reason. */
static inline void stats_count_reply(struct stats *stats, unsigned rcode, unsigned reason)
{
    stats_raise(&stats->rcodes[rcode < STATS_RCODES ? rcode : STATS_RCODES - 1], 1);
    stats_raise(&stats->reasons[reason < STATS_REASONS ? reason : 0], 1);
}

/** Adds one worker's counters to the totals. */
void stats_add_to(struct totals *totals, const struct stats *stats);

/** The counter's name and its line of help. */
const char *counter_name(enum counter counter);
const char *counter_help(enum counter counter);

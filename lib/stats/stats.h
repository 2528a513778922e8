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
#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum counter {
#define COUNTER(symbol, name, metric, labels, help) COUNTER_##symbol,
#include "stats/counters.def"
#undef COUNTER
    COUNTER_COUNT
};

/** What a scrape gets (metrics.def): each counter is a part of one metric. */
enum metric {
#define METRIC(symbol, kind, name, unit, labels, help) METRIC_##symbol,
#include "stats/metrics.def"
#undef METRIC
    METRIC_COUNT
};

enum metric_kind {
    METRIC_KIND_COUNTER,
    METRIC_KIND_GAUGE,
    METRIC_KIND_HISTOGRAM,
    METRIC_KIND_INFO,
};

struct metric_entry {
    const char *name;
    enum metric_kind kind;
    const char *unit;   /* NULL: none */
    const char *labels; /* names with a blank between; NULL: none */
    const char *help;
};

/** Where a reply came from. */
enum stats_source {
    STATS_LOCAL,    /* our own data, or a refusal */
    STATS_CACHE,    /* the cache of upstreams' answers */
    STATS_UPSTREAM, /* an upstream: the client has waited for it */
    STATS_SOURCES
};

enum {
    STATS_CLASSES = 4,    /* enum client_class */
    STATS_TRANSPORTS = 2, /* enum transport */
    STATS_RCODES = 24,    /* 0..23; the last one counts all above, too */
    STATS_REASONS = 32,   /* enum reason; the first one counts all above, too */
    STATS_DURATIONS = 18, /* stats_duration_bounds_us, and one for all above */
    STATS_LINE_OCTETS = 64,
};

struct stats {
    alignas(STATS_LINE_OCTETS) _Atomic uint64_t counters[COUNTER_COUNT];
    _Atomic uint64_t replies[STATS_CLASSES][STATS_TRANSPORTS][STATS_RCODES][STATS_REASONS];
    _Atomic uint64_t durations[STATS_SOURCES][STATS_DURATIONS]; /* not cumulated */
    _Atomic uint64_t duration_ns[STATS_SOURCES];                /* their sum */
};

struct totals {
    uint64_t counters[COUNTER_COUNT];
    uint64_t replies[STATS_CLASSES][STATS_TRANSPORTS][STATS_RCODES][STATS_REASONS];
    uint64_t rcodes[STATS_RCODES];   /* sums of replies */
    uint64_t reasons[STATS_REASONS]; /* sums of replies */
    uint64_t durations[STATS_SOURCES][STATS_DURATIONS];
    uint64_t duration_ns[STATS_SOURCES];
};

/** The greatest duration of each bucket but the last, in microseconds. */
extern const uint32_t stats_duration_bounds_us[STATS_DURATIONS - 1];

/** What a reply is counted by; each value is of the enum that the sizes above name. */
struct stats_reply {
    unsigned class;
    unsigned transport;
    unsigned rcode;
    unsigned reason;
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

/** Counts one reply. */
static inline void stats_count_reply(struct stats *stats, const struct stats_reply *reply)
{
    unsigned rcode = reply->rcode < STATS_RCODES ? reply->rcode : STATS_RCODES - 1;
    unsigned reason = reply->reason < STATS_REASONS ? reply->reason : 0;

    assert(reply->class < STATS_CLASSES && reply->transport < STATS_TRANSPORTS);
    stats_raise(&stats->replies[reply->class][reply->transport][rcode][reason], 1);
}

/** Counts `count` replies that took `ns` each, from the request's reading to the reply. */
void stats_count_durations(struct stats *stats, enum stats_source source, uint64_t ns,
                           uint64_t count);

/** "local", "cache", "upstream". */
const char *stats_source_text(enum stats_source source);

/** Adds one worker's counters to the totals. */
void stats_add_to(struct totals *totals, const struct stats *stats);

/** The counter's name and its line of help. */
const char *counter_name(enum counter counter);
const char *counter_help(enum counter counter);

/** Its metric, and there its labels: "limit=external_rate action=dropped"; NULL: none. */
enum metric counter_metric(enum counter counter);
const char *counter_labels(enum counter counter);

const struct metric_entry *metric_entry(enum metric metric);

#pragma once
/**
 * The state of a running server at a glance: what it is asked now and in the last minute, by whom,
 * and how that ends. As JSON, which is also how it goes from the server to the operator's command:
 *
 *     server     workers, usage ─► struct top ─► top_print_json ──┐
 *     command    screen, lines ◄── struct top ◄── top_read ◄──────┘
 *
 *     {"at": "2026-11-30T10:41:17Z", "generation": 7, "window_ms": 60003, "queries": 11880,
 *      "per_second": 205, "by_second": [198, 201, ... 205], "classes": [{"class": "space",
 *      "queries": 11800}, ...], "busiest_apps": [{"space": "test-space",
 *      "name": "frozen-oasis-70544", "asked_least": 5120, "asked_most": 5120, "failed": 0}, ...],
 *      ...}
 *
 * Counts are of the window, the last minute. Those of the busiest are bounds (traffic/busiest.h):
 * what was asked is at least the one and at most the other; both are the same while there are few.
 * Latencies are bounds of buckets: so much, or less.
 *
 * A reader takes what it knows, so that a command and a server of other versions understand each
 * other: what lacks is 0, or an empty list.
 *
 * Threads: one.  Memory: a top borrows every text; top_read from the JSON value.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

enum {
    TOP_SECONDS = 60,
    TOP_COUNTS_MOST = 32,
    TOP_LATENCIES_MOST = 4,
    TOP_BUSY_BY_COUNT = 40,  /* the busiest by what was asked ... */
    TOP_BUSY_BY_FAILED = 20, /* ... and those that failed most */
    TOP_BUSY_MOST = TOP_BUSY_BY_COUNT + TOP_BUSY_BY_FAILED,
    TOP_UPSTREAMS_MOST = 32,
};

/** How many replies were of one kind: a class, a response code, a reason. */
struct top_count {
    const char *key;
    const char *text; /* NULL: the key says it all */
    uint64_t queries;
};

enum top_counts { TOP_TRANSPORTS, TOP_CLASSES, TOP_RCODES, TOP_REASONS, TOP_COUNTS };

struct top_count_list {
    struct top_count items[TOP_COUNTS_MOST];
    size_t count;
};

/** How long replies of one source took, in microseconds; UINT32_MAX: longer than any bucket. */
struct top_latency {
    const char *source;
    uint64_t queries;
    uint32_t p50_us, p90_us, p99_us;
};

/** An app, a client or a name. */
struct top_busy {
    const char *name;    /* of the app, of what the client belongs to, or the name */
    const char *space;   /* NULL: none, as for names */
    const char *kind;    /* of clients: "app", "peering", ... */
    const char *address; /* of clients; NULL: all of them outside */
    uint64_t asked_least, asked_most;
    uint64_t failed;
};

enum top_busiest { TOP_APPS, TOP_CLIENTS, TOP_NAMES, TOP_BUSIEST };

struct top_busy_list {
    struct top_busy items[TOP_BUSY_MOST];
    size_t count;
};

struct top_upstream {
    const char *text;
    const char *state;
    bool has_rtt;
    uint64_t rtt_ms;            /* the longest of any worker */
    uint64_t queries, failures; /* since the server asks it */
};

struct top {
    const char *at; /* "2026-11-30T10:41:17Z" */
    uint64_t uptime_seconds;
    uint64_t generation;
    uint64_t spaces, apps;
    uint64_t workers, silent_workers;
    uint64_t window_ms;
    uint64_t queries;                /* replies */
    uint64_t per_second;             /* in the last second */
    uint64_t by_second[TOP_SECONDS]; /* oldest first */
    size_t seconds;
    uint64_t unanswered; /* requests dropped, by the kernel, too */
    uint64_t cache_entries, cache_hits, cache_misses;
    struct top_count_list counts[TOP_COUNTS];
    struct top_latency latencies[TOP_LATENCIES_MOST];
    size_t latency_count;
    struct top_busy_list busiest[TOP_BUSIEST];
    struct top_upstream upstreams[TOP_UPSTREAMS_MOST];
    size_t upstream_count;
    uint64_t reloads_done, reloads_unchanged, reloads_refused, reloads_guarded;
    const char *reload;       /* how the last one ended; NULL: none yet */
    const char *reload_cause; /* NULL: it did not fail */
    uint64_t reload_seconds_ago;
};

/** Prints one JSON object: on one line, or indented. */
void top_print_json(const struct top *top, bool is_line, FILE *out);

/** Reads what top_print_json has printed. Returns false when it is no object. */
bool top_read(const json_t *json, struct top *top);

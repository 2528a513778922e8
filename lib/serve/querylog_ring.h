#pragma once
/**
 * One worker's records on their way to the query log's thread.
 *
 *     worker: querylog_ring_wants ─► querylog_ring_add ─► querylog_ring_hand_over ─► the log
 *
 * A record is some 500 octets, so the worker asks first whether anybody wants it: the log says how
 * many replies of each kind (querylog_line.h) it wants of a worker in a second, and which others
 * pass the filter of a reader (querylog_picks.h). For any further one only a number grows. A full
 * ring drops the record and counts it. The log's thread is woken for records that somebody waits
 * for; the others may wait until half the ring is filled.
 *
 * Threads: one worker adds; `filled`, `written` and the counts are shared with the log, which reads
 * the records under its own lock.  Memory: QUERYLOG_RECORDS records, in querylog_ring_init.
 */
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/querylog_picks.h"

enum {
    QUERYLOG_RECORDS = 8192,   /* of one ring; a power of two */
    QUERYLOG_PICK_RATE = 1000, /* of one filter and worker in a second */
    QUERYLOG_RING_ALIGN = 128, /* two cache lines of the processor, which fetches them in pairs */
};

/** No bound to the records of a second. */
#define QUERYLOG_UNBOUNDED UINT32_MAX

/** What the log wants of every worker; written by the log, seldom. */
struct querylog_wants {
    atomic_uint version;                   /* grows with each change */
    atomic_uint rates[QUERYLOG_KINDS];     /* records of a worker in a second */
    atomic_bool is_urgent[QUERYLOG_KINDS]; /* somebody waits for them */
    atomic_bool is_asleep;                 /* the log's thread; cleared by who wakes it */
    int bell;                              /* an eventfd that wakes it */
    struct querylog_picks picks;
};

/** A reply, as the log may want it. */
struct querylog_source {
    const struct snapshot *snapshot;
    const struct exchange *exchange;
    const struct endpoint *client; /* the source address, as the socket reports it */
};

struct querylog_ring {
    /* The worker's side. */
    alignas(QUERYLOG_RING_ALIGN) struct querylog_wants *wants;
    uint64_t now_ns;
    uint64_t second_ends_ns; /* of `left` */
    unsigned version;        /* of the wants that were read last */
    uint32_t left[QUERYLOG_KINDS];
    bool is_urgent[QUERYLOG_KINDS];
    bool must_wake;   /* a record since the last hand-over is urgent */
    size_t picks_end; /* behind the last one that is used */
    struct querylog_pick picks[QUERYLOG_PICKS];
    uint32_t picks_left[QUERYLOG_PICKS];
    atomic_uint_fast64_t picks_skipped[QUERYLOG_PICKS]; /* passed, above QUERYLOG_PICK_RATE, ever */
    size_t added;                                       /* records ever added, handed over or not */
    struct querylog_record *records;
    atomic_uint_fast64_t skipped[QUERYLOG_KINDS]; /* replies that were not wanted, ever */
    atomic_uint_fast64_t dropped;                 /* records dropped for a full ring, ever */
    atomic_size_t filled;                         /* records handed over, ever */
    /* The log's side. */
    alignas(QUERYLOG_RING_ALIGN) atomic_size_t written;
};

/** `ring` is all zero. Returns false without memory. */
bool querylog_ring_init(struct querylog_ring *ring, struct querylog_wants *wants);

void querylog_ring_close(struct querylog_ring *ring);

/** Begins a new second, or reads wants that have changed. For querylog_ring_set_time. */
void querylog_ring_refill(struct querylog_ring *ring);

/** Sets the time of the records to come, which is monotonic. */
static inline void querylog_ring_set_time(struct querylog_ring *ring, uint64_t now_ns)
{
    ring->now_ns = now_ns;
    if (now_ns >= ring->second_ends_ns ||
        ring->version != atomic_load_explicit(&ring->wants->version, memory_order_acquire))
        querylog_ring_refill(ring);
}

/** True when a filter wants a reply that is not wanted for its kind. */
bool querylog_ring_picks(struct querylog_ring *ring, enum querylog_kind kind,
                         const struct querylog_source *source);

/** True when a reply of that kind is to be added; else it is counted. */
static inline bool querylog_ring_wants(struct querylog_ring *ring, enum querylog_kind kind,
                                       const struct querylog_source *source)
{
    if (ring->left[kind] > 0) {
        ring->left[kind]--;
        return true;
    }
    if (ring->picks_end > 0 && querylog_ring_picks(ring, kind, source))
        return true;
    uint64_t skipped = atomic_load_explicit(&ring->skipped[kind], memory_order_relaxed);
    atomic_store_explicit(&ring->skipped[kind], skipped + 1, memory_order_relaxed);
    return false;
}

/**
 * Adds one exchange that has a reply.
 *
 * kind    of the reply
 * client  the source address, as the socket reports it
 *
 * Returns false when the ring is full; the record is dropped then.
 */
bool querylog_ring_add(struct querylog_ring *ring, const struct snapshot *snapshot,
                       const struct exchange *exchange, enum querylog_kind kind,
                       const struct endpoint *client, int64_t wall_us);

/** Sets the service time of the records added since the last call, and hands them to the log. */
void querylog_ring_hand_over(struct querylog_ring *ring, uint32_t service_ms);

/** For the log: the oldest record handed over, NULL when there is none. */
static inline const struct querylog_record *querylog_ring_first(const struct querylog_ring *ring)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);

    return atomic_load(&ring->filled) == written ? NULL
                                                 : &ring->records[written % QUERYLOG_RECORDS];
}

/** For the log: frees the place of that record. */
static inline void querylog_ring_pass(struct querylog_ring *ring)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);

    atomic_store_explicit(&ring->written, written + 1, memory_order_release);
}

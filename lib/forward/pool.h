#pragma once
/**
 * The pool of fetches, of fixed size.
 *
 *     items     [ fetch | fetch | fetch | ... ]   by number: name, waiters, attempts
 *     due_ms    [  625  | never | 4500  | ... ]   next deadline; scanned as a whole
 *     buckets   hash ──► number ──► number        fetches that equal questions can join
 *     queue     number ──► number                 not sent yet, oldest first
 *     lingering number ◄─► number                 without waiters, oldest first
 *     free      number ──► number
 *
 * Questions and probes have separate numbers of slots and cannot take the other's.
 *
 * Threads: one worker's.  Memory: everything in pool_init.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/fetch.h"

/** A time that never comes. */
static const uint64_t pool_never = UINT64_MAX;

struct pool {
    struct fetch *items;
    uint64_t *due_ms;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t size;      /* questions and probes */
    uint32_t questions; /* at most */
    uint32_t used;      /* probes included */
    uint32_t probes;
    uint32_t lingering;
    uint32_t touched;    /* numbers below were used before; the memory behind is untouched */
    uint32_t first_free; /* of those below */
    uint32_t first_queued;
    uint32_t last_queued;
    uint32_t first_lingering;
    uint32_t last_lingering;
};

/** Returns false without memory, or when `questions` is 0 or more than tickets can number. */
bool pool_init(struct pool *pool, size_t questions);
void pool_close(struct pool *pool);

/** Returns the fetch that an equal question can join, or NULL. */
struct fetch *pool_find(const struct pool *pool, const struct question *question);

/** Takes a free slot and copies the question and its name; NULL when there is none. */
struct fetch *pool_take(struct pool *pool, const struct question *question, bool is_probe);

/** Adds the fetch to its bucket, so that equal questions find it. */
void pool_publish(struct pool *pool, struct fetch *fetch);

/** Appends the fetch to the queue. */
void pool_queue(struct pool *pool, struct fetch *fetch);

/** The oldest in the queue, left there or taken out; NULL when the queue is empty. */
struct fetch *pool_first_queued(const struct pool *pool);
struct fetch *pool_dequeue(struct pool *pool);

/** For a fetch that has lost its last waiter, and for one that has a waiter again. */
void pool_linger(struct pool *pool, struct fetch *fetch);
void pool_stop_lingering(struct pool *pool, struct fetch *fetch);

/** The one that lingers longest, or NULL. */
struct fetch *pool_first_lingering(const struct pool *pool);

/** Frees the slot of a fetch that is not in the queue. */
void pool_release(struct pool *pool, struct fetch *fetch);

/** The number of questions whose slots no other can take: not sent yet, or with waiters. */
static inline uint32_t pool_busy(const struct pool *pool)
{
    return pool->used - pool->probes - pool->lingering;
}

/** Sets the next deadline of a fetch. */
static inline void pool_set_due(struct pool *pool, const struct fetch *fetch, uint64_t due_ms)
{
    pool->due_ms[fetch - pool->items] = due_ms;
}

/** Brings the next deadline of a fetch forward, unless it is earlier already. */
static inline void pool_hasten(struct pool *pool, const struct fetch *fetch, uint64_t due_ms)
{
    uint64_t *next_ms = &pool->due_ms[fetch - pool->items];

    if (due_ms < *next_ms)
        *next_ms = due_ms;
}

static inline uint32_t pool_number(const struct pool *pool, const struct fetch *fetch)
{
    return (uint32_t)(fetch - pool->items);
}

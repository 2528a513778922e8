#pragma once
/**
 * The room for questions on their way, of fixed size.
 *
 *     items     [ fetch | fetch | fetch | ... ]   by number: name, waiters, attempts
 *     due_ms    [   625   |  never  |  4500   | ... ]   when to look after it, scanned as a whole
 *     buckets   hash ──► number ──► number              those that equal questions can join
 *     queue     number ──► number                       those not sent yet, oldest first
 *     lingering number ◄─► number                       those nobody waits for, oldest first
 *     free      number ──► number
 *
 * Questions and probes have each so many places and cannot take the other's.
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
    uint32_t touched;    /* numbers below were taken before; memory behind is not there yet */
    uint32_t first_free; /* of those below */
    uint32_t first_queued;
    uint32_t last_queued;
    uint32_t first_lingering;
    uint32_t last_lingering;
};

/** Returns false when there is no memory, or `questions` is 0 or more than tickets can count. */
bool pool_init(struct pool *pool, size_t questions);
void pool_close(struct pool *pool);

/** The fetch that an equal question can join, or NULL. */
struct fetch *pool_find(const struct pool *pool, const struct question *question);

/** Takes a free place for a question and its name; NULL when there is none. */
struct fetch *pool_take(struct pool *pool, const struct question *question, bool is_probe);

/** Lets equal questions find it. */
void pool_publish(struct pool *pool, struct fetch *fetch);

/** Puts it at the end of the queue. */
void pool_queue(struct pool *pool, struct fetch *fetch);

/** The oldest in the queue, left there or taken out as asked; NULL when there is none. */
struct fetch *pool_first_queued(const struct pool *pool);
struct fetch *pool_dequeue(struct pool *pool);

/** Nobody waits any more for one that is asked; somebody does again for one that lingers. */
void pool_linger(struct pool *pool, struct fetch *fetch);
void pool_stop_lingering(struct pool *pool, struct fetch *fetch);

/** The one that lingers longest, or NULL. */
struct fetch *pool_first_lingering(const struct pool *pool);

/** Frees the place of an fetch that is not in the queue. */
void pool_release(struct pool *pool, struct fetch *fetch);

/** Questions whose places no other can take: not sent yet, or waited for. */
static inline uint32_t pool_busy(const struct pool *pool)
{
    return pool->used - pool->probes - pool->lingering;
}

/** When to look after an fetch next. */
static inline void pool_set_due(struct pool *pool, const struct fetch *fetch, uint64_t due_ms)
{
    pool->due_ms[fetch - pool->items] = due_ms;
}

static inline uint64_t pool_due(const struct pool *pool, const struct fetch *fetch)
{
    return pool->due_ms[fetch - pool->items];
}

static inline uint32_t pool_number(const struct pool *pool, const struct fetch *fetch)
{
    return (uint32_t)(fetch - pool->items);
}

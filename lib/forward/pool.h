#pragma once
/**
 * The room for questions on their way, of fixed size.
 *
 *     items     [ inquiry | inquiry | inquiry | ... ]   by number: name, waiters, attempts
 *     due_ms    [   625   |  never  |  1900   | ... ]   when to look after it, scanned as a whole
 *     buckets   hash ──► number ──► number              those that equal questions can join
 *     queue     number ──► number                       those not sent yet, oldest first
 *     free      number ──► number
 *
 * Threads: one worker's.  Memory: everything in pool_init.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/inquiry.h"

/** A time that never comes. */
static const uint64_t pool_never = UINT64_MAX;

struct pool {
    struct inquiry *items;
    uint64_t *due_ms;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t size;
    uint32_t used;
    uint32_t touched;    /* numbers below were taken before; memory behind is not there yet */
    uint32_t first_free; /* of those below */
    uint32_t first_queued;
    uint32_t last_queued;
};

/** Returns false when there is no memory, or `size` is 0 or more than tickets can count. */
bool pool_init(struct pool *pool, size_t size);
void pool_close(struct pool *pool);

/** The inquiry that an equal question can join, or NULL. */
struct inquiry *pool_find(const struct pool *pool, const struct question *question);

/** Takes a free place for a question and its name; NULL when the pool is full. */
struct inquiry *pool_take(struct pool *pool, const struct question *question);

/** Lets equal questions find it, and puts it at the end of the queue. */
void pool_queue(struct pool *pool, struct inquiry *inquiry);

/** The oldest in the queue, left there or taken out; NULL when there is none. */
struct inquiry *pool_first_queued(const struct pool *pool);
struct inquiry *pool_dequeue(struct pool *pool);

/** Frees the place of an inquiry that is not in the queue. */
void pool_release(struct pool *pool, struct inquiry *inquiry);

/** When to look after an inquiry next; its deadline at the latest. */
void pool_set_due(struct pool *pool, const struct inquiry *inquiry, uint64_t due_ms);

static inline uint32_t pool_number(const struct pool *pool, const struct inquiry *inquiry)
{
    return (uint32_t)(inquiry - pool->items);
}

#include "forward/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint32_t bucket_count(size_t size)
{
    uint32_t count = 16;

    while (count < size)
        count *= 2;
    return count;
}

static void clear(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->size; i++)
        pool->due_ms[i] = pool_never;
    for (uint32_t i = 0; i <= pool->bucket_mask; i++)
        pool->buckets[i] = FETCH_NONE;
    pool->first_free = pool->first_queued = pool->last_queued = FETCH_NONE;
    pool->first_lingering = pool->last_lingering = FETCH_NONE;
}

bool pool_init(struct pool *pool, size_t questions)
{
    size_t size = questions + FETCH_PROBES;

    *pool = (struct pool){.size = (uint32_t)size, .questions = (uint32_t)questions};
    if (questions == 0 || size > UINT32_MAX / FETCH_ATTEMPTS / 2)
        return false;
    pool->bucket_mask = bucket_count(size) - 1;
    pool->items = calloc(size, sizeof pool->items[0]);
    pool->due_ms = malloc(size * sizeof pool->due_ms[0]);
    pool->buckets = malloc(((size_t)pool->bucket_mask + 1) * sizeof pool->buckets[0]);
    if (pool->items == NULL || pool->due_ms == NULL || pool->buckets == NULL) {
        pool_close(pool);
        return false;
    }
    clear(pool);
    return true;
}

void pool_close(struct pool *pool)
{
    free(pool->items);
    free(pool->due_ms);
    free(pool->buckets);
    *pool = (struct pool){.size = 0};
}

static uint32_t *bucket_of(const struct pool *pool, const struct question *question)
{
    return &pool->buckets[question->hash & pool->bucket_mask];
}

static bool is_equal(const struct question *a, const struct question *b)
{
    return a->hash == b->hash && a->type == b->type && a->class == b->class && a->bits == b->bits &&
           name_equals(a->name, b->name->octets, b->name->length);
}

struct fetch *pool_find(const struct pool *pool, const struct question *question)
{
    uint32_t number = *bucket_of(pool, question);

    while (number != FETCH_NONE && !is_equal(&pool->items[number].question, question))
        number = pool->items[number].next_in_bucket;
    return number == FETCH_NONE ? NULL : &pool->items[number];
}

/* Cannot fail: questions and probes together are never more than `size`. */
static uint32_t take_number(struct pool *pool)
{
    uint32_t number = pool->first_free;

    assert(pool->used < pool->size);
    if (number == FETCH_NONE)
        return pool->touched++;
    pool->first_free = pool->items[number].next;
    return number;
}

static bool is_full(const struct pool *pool, bool is_probe)
{
    return is_probe ? pool->probes >= FETCH_PROBES : pool->used - pool->probes >= pool->questions;
}

struct fetch *pool_take(struct pool *pool, const struct question *question, bool is_probe)
{
    if (is_full(pool, is_probe))
        return NULL;
    struct fetch *fetch = &pool->items[take_number(pool)];
    pool->used++;
    pool->probes += is_probe;
    *fetch = (struct fetch){.state = FETCH_ASKED,
                            .is_probe = is_probe,
                            .question = *question,
                            .name = *question->name,
                            .next_in_bucket = FETCH_NONE};
    fetch->question.name = &fetch->name;
    return fetch;
}

void pool_publish(struct pool *pool, struct fetch *fetch)
{
    uint32_t *bucket = bucket_of(pool, &fetch->question);

    fetch->next_in_bucket = *bucket;
    *bucket = pool_number(pool, fetch);
}

void pool_queue(struct pool *pool, struct fetch *fetch)
{
    uint32_t number = pool_number(pool, fetch);

    fetch->state = FETCH_QUEUED;
    fetch->next = FETCH_NONE;
    if (pool->first_queued == FETCH_NONE)
        pool->first_queued = number;
    else
        pool->items[pool->last_queued].next = number;
    pool->last_queued = number;
}

struct fetch *pool_first_queued(const struct pool *pool)
{
    return pool->first_queued == FETCH_NONE ? NULL : &pool->items[pool->first_queued];
}

struct fetch *pool_dequeue(struct pool *pool)
{
    struct fetch *fetch = pool_first_queued(pool);

    if (fetch == NULL)
        return NULL;
    pool->first_queued = fetch->next;
    fetch->state = FETCH_ASKED;
    return fetch;
}

void pool_linger(struct pool *pool, struct fetch *fetch)
{
    uint32_t number = pool_number(pool, fetch);

    assert(fetch->state == FETCH_ASKED && fetch->first_waiter == NULL);
    fetch->state = FETCH_LINGERING;
    fetch->next = FETCH_NONE;
    fetch->previous = pool->last_lingering;
    if (pool->last_lingering == FETCH_NONE)
        pool->first_lingering = number;
    else
        pool->items[pool->last_lingering].next = number;
    pool->last_lingering = number;
    pool->lingering++;
}

void pool_stop_lingering(struct pool *pool, struct fetch *fetch)
{
    assert(fetch->state == FETCH_LINGERING && pool->lingering > 0);
    if (fetch->previous == FETCH_NONE)
        pool->first_lingering = fetch->next;
    else
        pool->items[fetch->previous].next = fetch->next;
    if (fetch->next == FETCH_NONE)
        pool->last_lingering = fetch->previous;
    else
        pool->items[fetch->next].previous = fetch->previous;
    fetch->state = FETCH_ASKED;
    pool->lingering--;
}

struct fetch *pool_first_lingering(const struct pool *pool)
{
    return pool->first_lingering == FETCH_NONE ? NULL : &pool->items[pool->first_lingering];
}

/* A probe is in no bucket. */
static void leave_bucket(struct pool *pool, const struct fetch *fetch)
{
    uint32_t number = pool_number(pool, fetch);
    uint32_t *link = bucket_of(pool, &fetch->question);

    while (*link != FETCH_NONE && *link != number)
        link = &pool->items[*link].next_in_bucket;
    if (*link == number)
        *link = fetch->next_in_bucket;
}

void pool_release(struct pool *pool, struct fetch *fetch)
{
    assert(fetch->state == FETCH_ASKED || fetch->state == FETCH_LINGERING);
    assert(pool->used > 0 && pool->probes >= fetch->is_probe && pool->probes <= pool->used);
    if (fetch->state == FETCH_LINGERING)
        pool_stop_lingering(pool, fetch);
    leave_bucket(pool, fetch);
    pool->due_ms[pool_number(pool, fetch)] = pool_never;
    fetch->state = FETCH_FREE;
    fetch->next = pool->first_free;
    pool->first_free = pool_number(pool, fetch);
    pool->used--;
    pool->probes -= fetch->is_probe;
}

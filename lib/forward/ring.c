#include "forward/ring.h"

#include <assert.h>
#include <string.h>

#include "forward/cache.h"

_Static_assert(offsetof(struct cache_entry, stored_s) <= RING_UNIT,
               "the least padding holds the members that make it one: hash and octets");

void ring_init(struct ring *ring, uint8_t *start, size_t size)
{
    assert(size % RING_UNIT == 0);
    *ring = (struct ring){.start = start, .size = size};
}

static struct cache_entry *entry_at(const struct ring *ring, size_t at)
{
    return (struct cache_entry *)(void *)(ring->start + at);
}

static size_t advance(const struct ring *ring, size_t at, size_t octets)
{
    return at + octets < ring->size ? at + octets : at + octets - ring->size;
}

/* Where the next entry goes. */
static size_t head_of(const struct ring *ring)
{
    assert(ring->tail < ring->size && ring->used <= ring->size);
    return advance(ring, ring->tail, ring->used);
}

/* The padding needed before `octets` fit without wrapping around. */
static size_t padding_before(const struct ring *ring, size_t octets)
{
    size_t left = ring->size - head_of(ring);

    return left < octets ? left : 0;
}

/* The octets that an entry takes of the ring. */
static size_t need_of(const struct ring *ring, size_t octets)
{
    return octets + padding_before(ring, octets);
}

bool ring_has_room(const struct ring *ring, size_t octets, size_t reserve)
{
    size_t taken = ring->used + ring->open + ring->closed;

    assert(taken <= ring->size);
    return ring->size - taken >= need_of(ring, octets) + reserve;
}

bool ring_will_have_room(const struct ring *ring, size_t octets, size_t reserve)
{
    return ring->size - ring->used >= need_of(ring, octets) + reserve;
}

struct cache_entry *ring_oldest(const struct ring *ring)
{
    assert(ring->used > 0);
    return entry_at(ring, ring->tail);
}

void ring_drop(struct ring *ring)
{
    size_t octets = ring_oldest(ring)->octets;

    assert(octets > 0 && octets % RING_UNIT == 0 && octets <= ring->used);
    ring->tail = advance(ring, ring->tail, octets);
    ring->used -= octets;
    ring->open += octets;
}

void ring_drop_all(struct ring *ring)
{
    ring->tail = head_of(ring);
    ring->open += ring->used;
    ring->used = 0;
}

void ring_close(struct ring *ring, uint64_t epoch)
{
    assert(ring->closed == 0);
    ring->closed = ring->open;
    ring->open = 0;
    ring->epoch = epoch;
}

void ring_free(struct ring *ring)
{
    ring->closed = 0;
}

static void pad(struct ring *ring, size_t octets)
{
    struct cache_entry *padding = entry_at(ring, head_of(ring));

    padding->hash = 0;
    padding->octets = (uint32_t)octets;
    ring->used += octets;
}

struct cache_entry *ring_append(struct ring *ring, size_t octets)
{
    size_t padding = padding_before(ring, octets);

    assert(octets % RING_UNIT == 0 && ring_has_room(ring, octets, 0));
    if (padding > 0)
        pad(ring, padding);
    struct cache_entry *entry = entry_at(ring, head_of(ring));
    ring->used += octets;
    return entry;
}

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

bool ring_has_room(const struct ring *ring, size_t octets)
{
    return ring->size - ring->used >= octets + padding_before(ring, octets);
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

    assert(octets % RING_UNIT == 0 && ring_has_room(ring, octets));
    if (padding > 0)
        pad(ring, padding);
    struct cache_entry *entry = entry_at(ring, head_of(ring));
    ring->used += octets;
    return entry;
}

/*
 * No room is needed. Either the head is before the tail, and the entry moves down over the gap
 * between them; or the gap wraps around the ring's end, and the entry fits before the end or, once
 * that is padded, at the start, where the rest of the gap and the entry's own octets are.
 */
struct cache_entry *ring_renew(struct ring *ring)
{
    struct cache_entry *oldest = ring_oldest(ring);
    size_t octets = oldest->octets;
    size_t padding = padding_before(ring, octets);

    if (padding > 0)
        pad(ring, padding);
    assert(ring->used <= ring->size);
    struct cache_entry *newest = entry_at(ring, head_of(ring));
    assert(ring->size - head_of(ring) >= octets);
    memmove(newest, oldest, octets);
    ring->tail = advance(ring, ring->tail, octets);
    return newest;
}

#pragma once
/**
 * A ring of cache entries: written one behind another, the oldest dropped first.
 *
 *     start                 tail                       head              end
 *     │ newer entries, free │ oldest │ ... │ ... │ newest │ free, or what pads out the end │
 *
 * An entry never wraps around the end: the rest there is filled with padding, which looks like an
 * entry that nothing points to. Every length is a multiple of RING_UNIT.
 *
 * Threads: one worker's.  Memory: borrows the octets given to ring_init.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_UNIT = 16 };

struct cache_entry;

struct ring {
    uint8_t *start;
    size_t size;
    size_t tail; /* offset of the oldest, below `size` */
    size_t used; /* octets from there to the head, padding included */
};

/** Makes an empty ring over `size` octets. */
void ring_init(struct ring *ring, uint8_t *start, size_t size);

/** True for an entry within the ring's octets. */
static inline bool ring_holds(const struct ring *ring, const struct cache_entry *entry)
{
    return (size_t)((const uint8_t *)(const void *)entry - ring->start) < ring->size;
}

/** True when an entry of `octets` can be appended, with the padding that it may need. */
bool ring_has_room(const struct ring *ring, size_t octets);

/** The oldest entry, or padding, which has the hash 0; the ring is not empty. */
struct cache_entry *ring_oldest(const struct ring *ring);

/** Drops the oldest. */
void ring_drop(struct ring *ring);

/** Takes room for an entry at the head; ring_has_room must be true. */
struct cache_entry *ring_append(struct ring *ring, size_t octets);

/** Makes the oldest the newest; needs no room. Returns its new address. */
struct cache_entry *ring_renew(struct ring *ring);

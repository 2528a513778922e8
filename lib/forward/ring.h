#pragma once
/**
 * A ring of cache entries: written one behind another, the oldest dropped first.
 *
 *     start                        tail                       head              end
 *     │ newer entries, free │ held │ oldest │ ... │ ... │ newest │ free, or what pads the end │
 *
 * An entry never wraps around the end: the rest there is filled with padding, which looks like an
 * entry that nothing points to. Every length is a multiple of RING_UNIT.
 *
 * What was dropped is held, and not written over, as long as some reader may still read it
 * (grace.h): first in `open`, to which each drop adds, then in `closed`, which has the epoch that
 * its readers must pass.
 *
 *     dropped ──► open ──(ring_close: epoch)──► closed ──(all have passed: ring_free)──► free
 *
 * Threads: whoever has the lock of its shard.  Memory: borrows the octets given to ring_init.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_UNIT = 16 };

struct cache_entry;

struct ring {
    uint8_t *start;
    size_t size;
    size_t tail;    /* offset of the oldest, below `size` */
    size_t used;    /* octets from there to the head, padding included */
    size_t open;    /* octets before the tail, dropped since ring_close */
    size_t closed;  /* octets before these, dropped before it */
    uint64_t epoch; /* of `closed` */
};

/** Makes an empty ring over `size` octets. */
void ring_init(struct ring *ring, uint8_t *start, size_t size);

/** True for an entry within the ring's octets. */
static inline bool ring_holds(const struct ring *ring, const struct cache_entry *entry)
{
    return (size_t)((const uint8_t *)(const void *)entry - ring->start) < ring->size;
}

/** True when an entry of `octets` can be appended, with `reserve` octets to spare. */
bool ring_has_room(const struct ring *ring, size_t octets, size_t reserve);

/** The same if nothing were held. */
bool ring_will_have_room(const struct ring *ring, size_t octets, size_t reserve);

/** The oldest entry, or padding, which has the hash 0; the ring is not empty. */
struct cache_entry *ring_oldest(const struct ring *ring);

/** Drops the oldest; drops all. Their octets are held. */
void ring_drop(struct ring *ring);
void ring_drop_all(struct ring *ring);

/** What is open becomes closed; nothing else is closed. */
void ring_close(struct ring *ring, uint64_t epoch);

/** Frees what is closed. */
void ring_free(struct ring *ring);

/** Takes room for an entry at the head; ring_has_room must be true. */
struct cache_entry *ring_append(struct ring *ring, size_t octets);

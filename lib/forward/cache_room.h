#pragma once
/**
 * The inside of the cache: what cache.c and cache_room.c share.
 *
 *     cache │ lines ...... │ ghosts .. │ small ... │ main ...................... │   one mapping
 *
 * cache_room.c evicts: it gives a new entry its octets in a ring and its slot in a line, and evicts
 * what is in the way.
 *
 * Threads: one worker's.  Memory: never allocates.
 */
#include "forward/cache.h"
#include "forward/ring.h"

enum { LINE_SLOTS = 8, LINE_OCTETS = 64 };

/** One line of the index. An offset of 0 is an empty slot: struct cache itself is there. */
struct index_line {
    alignas(LINE_OCTETS) uint32_t tags[LINE_SLOTS];
    uint32_t offsets[LINE_SLOTS]; /* in units of RING_UNIT, from the cache's first octet */
};

_Static_assert(sizeof(struct index_line) == LINE_OCTETS, "a lookup touches one cache line");

/** At the start of its own mapping; lines, ghosts and rings follow it. */
struct cache {
    struct index_line *lines;
    uint16_t *ghosts; /* fingerprints of hashes; 0: empty */
    uint32_t line_count;
    uint32_t ghost_count;
    struct ring small;
    struct ring main;
    size_t octets; /* of the whole mapping */
    size_t entry_most;
    size_t live_octets;
    size_t live_entries;
    uint64_t evicted;
};

/** Maps one half of a hash to a number below `count`. */
static inline uint32_t cache_scale(uint32_t half, uint32_t count)
{
    return (uint32_t)((uint64_t)half * count >> 32);
}

static inline struct index_line *cache_line(const struct cache *cache, uint64_t hash)
{
    return &cache->lines[cache_scale((uint32_t)(hash >> 32), cache->line_count)];
}

static inline struct cache_entry *cache_entry_at(const struct cache *cache, uint32_t offset)
{
    return (struct cache_entry *)(void *)((uint8_t *)(uintptr_t)cache + (size_t)offset * RING_UNIT);
}

static inline uint32_t cache_offset(const struct cache *cache, const struct cache_entry *entry)
{
    return (uint32_t)((size_t)((const uint8_t *)entry - (const uint8_t *)cache) / RING_UNIT);
}

/** Fresh, stale, passing or failed: still of use. */
static inline bool cache_entry_is_alive(const struct cache_entry *entry, uint32_t now_s)
{
    return cache_entry_is_fresh(entry, now_s) || cache_entry_is_stale(entry, now_s) ||
           cache_entry_is_passing(entry, now_s) || now_s < entry->failed_until_s;
}

/** Empties a slot; the entry is dead. */
void cache_room_forget(struct cache *cache, uint32_t *slot);

/** Removes the hash's ghost. Returns true when there was one: it was evicted from `small`. */
bool cache_room_take_ghost(struct cache *cache, uint64_t hash);

/** Allocates room in a ring, and a slot, for an entry with this head. Copies the head. */
struct cache_entry *cache_room_add(struct cache *cache, struct ring *ring,
                                   const struct cache_entry *head);

#pragma once
/**
 * The inside of the cache: what cache.c and cache_room.c share.
 *
 *     cache │ lines ...................... │ shard 0's small, main │ shard 1's ... │   one mapping
 *              shard 0's │ shard 1's │ ...
 *
 * A shard is a run of the index's lines with two rings of its own. A hash's line, and so its shard,
 * follows from its upper half. cache_room.c evicts: it gives a new entry its octets in a ring and
 * its slot in a line, and evicts what is in the way.
 *
 * Threads: cache.h. Everything below is for whoever has the shard's lock, but for what finds lines
 * and entries.  Memory: never allocates.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "forward/cache.h"
#include "forward/grace.h"
#include "forward/ring.h"

enum {
    LINE_SLOTS = 8,
    LINE_OCTETS = 64,
    TAG_WORDS = 2,
    TAG_BITS = 16, /* the highest is 0 */
    SHARDS_MOST = 16,
};

/** One in each quarter of a word. */
#define CACHE_QUARTERS UINT64_C(0x0001000100010001)

/**
 * One line of the index. Slot i has 15 bits of hash in quarter i / 2 of word i % 2 of `tags`, and
 * an offset in units of RING_UNIT from the cache's first octet; 0, where struct cache itself is: it
 * is empty.
 */
struct index_line {
    alignas(LINE_OCTETS) _Atomic uint64_t tags[TAG_WORDS];
    _Atomic uint32_t offsets[LINE_SLOTS];
    uint16_t ghosts[LINE_SLOTS]; /* fingerprints of hashes, for the lock's owner; 0: none */
};

_Static_assert(sizeof(struct index_line) == LINE_OCTETS, "a lookup touches one cache line");

struct shard {
    alignas(LINE_OCTETS) pthread_mutex_t lock;
    struct ring small;
    struct ring main;
    size_t main_octets; /* of entries in `main` that can be found */
    size_t live_octets; /* the same for both rings */
    size_t live_entries;
    uint64_t evicted;
};

/** At the start of its own mapping; lines and rings follow it. */
struct cache {
    struct index_line *lines; /* this and the next four never change */
    uint32_t line_count;
    uint32_t shard_count; /* divides line_count */
    size_t octets;        /* of the whole mapping */
    size_t entry_most;
    _Atomic uint64_t claimed; /* cache_claim's last number */
    struct grace grace;
    struct shard shards[SHARDS_MOST];
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

/** The hash's tag in each quarter: bits of its lower half, of which the line knows nothing. */
static inline uint64_t cache_tags(uint64_t hash)
{
    return (hash << 32 | (uint32_t)hash) & ~(CACHE_QUARTERS << (TAG_BITS - 1));
}

/** The shard of cache_line: shards have equal runs of lines. */
static inline struct shard *cache_shard(struct cache *cache, uint64_t hash)
{
    return &cache->shards[cache_scale((uint32_t)(hash >> 32), cache->shard_count)];
}

static inline struct cache_entry *cache_entry_at(const struct cache *cache, uint32_t offset)
{
    return (struct cache_entry *)(void *)((uint8_t *)(uintptr_t)cache + (size_t)offset * RING_UNIT);
}

static inline uint32_t cache_offset(const struct cache *cache, const struct cache_entry *entry)
{
    return (uint32_t)((size_t)((const uint8_t *)entry - (const uint8_t *)cache) / RING_UNIT);
}

/** The entry that a slot of the lock's owner points to. */
static inline struct cache_entry *cache_entry_of(const struct cache *cache,
                                                 const _Atomic uint32_t *slot)
{
    return cache_entry_at(cache, atomic_load_explicit(slot, memory_order_relaxed));
}

/** Fresh, stale, passing or failed: still of use. */
static inline bool cache_entry_is_alive(const struct cache_entry *entry, uint32_t now_s)
{
    return cache_entry_is_fresh(entry, now_s) || cache_entry_is_stale(entry, now_s) ||
           cache_entry_is_passing(entry, now_s) || now_s < cache_entry_failure(entry).until_s;
}

/** Empties a slot; the entry is dead. */
void cache_room_forget(const struct cache *cache, struct shard *shard, _Atomic uint32_t *slot);

/** Removes the hash's ghost. Returns true when there was one: it was evicted from `small`. */
bool cache_room_take_ghost(const struct cache *cache, uint64_t hash);

/** Who stores in a shard, and when. */
struct storing {
    struct cache *cache;
    struct shard *shard;
    const struct grace_member *self; /* NULL: none */
    uint32_t now_s;
};

/** Takes room in a ring of the shard. Returns NULL when too much of it is held for readers. */
struct cache_entry *cache_room_take(const struct storing *storing, struct ring *ring,
                                    size_t octets);

/** Lets the entry be found, in place of the one that `slot` has (NULL: none). */
void cache_room_publish(const struct storing *storing, struct cache_entry *entry,
                        _Atomic uint32_t *slot);

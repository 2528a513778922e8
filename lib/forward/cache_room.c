#include "forward/cache_room.h"

#include <assert.h>
#include <string.h>

enum {
    /*
     * So much of a ring is free, or held for readers until they pass: more than all workers store
     * while one of them answers a batch.
     */
    RESERVE_MOST = 1 << 16,
    RESERVE_SMALL_SHARE = 4, /* ... but at most so much of `small`, through which all pass */
    RESERVE_MAIN_SHARE = 16,
    ROOMY_QUARTERS = 3, /* `main` is roomy while the entries in it take no more of its quarters */
    TIDY_SHARE = 8,     /* a roomy `main` is kept free by so much */
    TIDY_MOVES = 8,     /* by moving so many entries at most with each store */
};

/* What one store may still move. */
struct move_budget {
    unsigned moves;
    size_t octets;
};

/* The slot that points to an entry of a ring; NULL for padding or a dead entry. */
static _Atomic uint32_t *slot_of(const struct cache *cache, const struct cache_entry *entry)
{
    struct index_line *line = cache_line(cache, entry->hash);
    uint32_t offset = cache_offset(cache, entry);

    for (int i = 0; i < LINE_SLOTS; i++)
        if (atomic_load_explicit(&line->offsets[i], memory_order_relaxed) == offset)
            return &line->offsets[i];
    return NULL;
}

/* ---- What can be found ---- */

static void count_live(struct shard *shard, const struct cache_entry *entry)
{
    shard->live_entries++;
    shard->live_octets += entry->octets;
    if (ring_holds(&shard->main, entry))
        shard->main_octets += entry->octets;
}

static void count_dead(struct shard *shard, const struct cache_entry *entry)
{
    assert(shard->live_entries > 0 && shard->live_octets >= entry->octets);
    shard->live_entries--;
    shard->live_octets -= entry->octets;
    if (!ring_holds(&shard->main, entry))
        return;
    assert(shard->main_octets >= entry->octets);
    shard->main_octets -= entry->octets;
}

/* What the entry has was written before: whoever loads the offset (acquire) sees it. */
static void point(const struct cache *cache, _Atomic uint32_t *slot,
                  const struct cache_entry *entry)
{
    atomic_store_explicit(slot, cache_offset(cache, entry), memory_order_release);
}

void cache_room_forget(const struct cache *cache, struct shard *shard, _Atomic uint32_t *slot)
{
    count_dead(shard, cache_entry_of(cache, slot));
    atomic_store_explicit(slot, 0, memory_order_relaxed);
}

static void evict(const struct cache *cache, struct shard *shard, _Atomic uint32_t *slot)
{
    cache_room_forget(cache, shard, slot);
    shard->evicted++;
}

/* ---- Ghosts ---- */

/* The slot of a hash's ghost, and the hash's fingerprint: of bits that do not choose the slot. */
static inline uint16_t *ghost_of(const struct cache *cache, uint64_t hash)
{
    return &cache_line(cache, hash)->ghosts[hash % LINE_SLOTS];
}

static inline uint16_t print_of(uint64_t hash)
{
    uint16_t print = (uint16_t)(hash >> TAG_BITS);
    return print != 0 ? print : 1;
}

bool cache_room_take_ghost(const struct cache *cache, uint64_t hash)
{
    uint16_t *ghost = ghost_of(cache, hash);

    if (*ghost != print_of(hash))
        return false;
    *ghost = 0;
    return true;
}

/* ---- Octets ---- */

/* Frees what no reader can read any more. */
static void reclaim(const struct storing *storing, struct ring *ring)
{
    struct grace *grace = &storing->cache->grace;

    for (int turn = 0; turn < 2; turn++) {
        if (ring->closed == 0)
            ring_close(ring, grace_advance(grace));
        if (!grace_is_over(grace, ring->epoch, storing->self))
            return;
        ring_free(ring);
    }
}

static size_t reserve_of(const struct shard *shard, const struct ring *ring)
{
    size_t part = ring->size / (ring == &shard->main ? RESERVE_MAIN_SHARE : RESERVE_SMALL_SHARE);

    return part < RESERVE_MOST ? part : RESERVE_MOST;
}

static bool will_have_room(const struct shard *shard, const struct ring *ring, size_t octets)
{
    return ring_will_have_room(ring, octets, reserve_of(shard, ring));
}

/* Half of the reserve is left to readers that have not passed when the other half is used. */
static bool has_room(const struct storing *storing, struct ring *ring, size_t octets)
{
    if (!ring_has_room(ring, octets, reserve_of(storing->shard, ring) / 2))
        reclaim(storing, ring);
    return ring_has_room(ring, octets, 0);
}

/* ---- Eviction ---- */

/* True when the ring's oldest entry is worth keeping and the budget allows to move it. */
static bool may_move(struct move_budget *budget, const struct cache_entry *entry, bool is_wanted,
                     uint32_t now_s)
{
    if (!is_wanted || !cache_entry_is_alive(entry, now_s) || budget->moves == 0 ||
        budget->octets < entry->octets)
        return false;
    budget->moves--;
    budget->octets -= entry->octets;
    return true;
}

static uint8_t uses_of(const struct cache_entry *entry)
{
    return atomic_load_explicit(&entry->uses, memory_order_relaxed);
}

/* Readers may write what is atomic at the same time; what they write last may be lost. */
static void copy(struct cache_entry *to, const struct cache_entry *from, uint8_t uses)
{
    size_t head = offsetof(struct cache_entry, data), fixed = offsetof(struct cache_entry, uses);

    memcpy(to, from, fixed);
    atomic_init(&to->uses, uses);
    atomic_init(&to->is_refreshing,
                atomic_load_explicit(&from->is_refreshing, memory_order_relaxed));
    atomic_init(&to->failure, atomic_load_explicit(&from->failure, memory_order_relaxed));
    memcpy(to->data, from->data, from->octets - head);
}

/* Writes the entry again at the front of `main`, with one use less; its old octets are as before.
   Returns false when there is no room now. */
static bool move_to_main(const struct storing *storing, _Atomic uint32_t *slot)
{
    struct shard *shard = storing->shard;
    struct cache_entry *old = cache_entry_of(storing->cache, slot);

    if (!has_room(storing, &shard->main, old->octets))
        return false;
    struct cache_entry *entry = ring_append(&shard->main, old->octets);
    uint8_t uses = uses_of(old);
    copy(entry, old, uses > 0 ? uses - 1 : 0);
    count_dead(shard, old);
    count_live(shard, entry);
    point(storing->cache, slot, entry);
    return true;
}

/* So much of `main` is dead, or free, that an entry stays without being used. */
static bool is_roomy(const struct shard *shard)
{
    return shard->main_octets <= shard->main.size / 4 * ROOMY_QUARTERS;
}

static void move_or_drop_main(const struct storing *storing, struct move_budget *budget)
{
    struct shard *shard = storing->shard;
    const struct cache_entry *oldest = ring_oldest(&shard->main);
    _Atomic uint32_t *slot = slot_of(storing->cache, oldest);

    if (slot != NULL) {
        bool is_wanted = uses_of(oldest) > 0 || is_roomy(shard);
        if (!may_move(budget, oldest, is_wanted, storing->now_s) || !move_to_main(storing, slot))
            evict(storing->cache, shard, slot);
    }
    ring_drop(&shard->main);
}

/* Terminates: every turn drops an entry, and the budget bounds the moves. */
static void make_room_in_main(const struct storing *storing, size_t octets,
                              struct move_budget *budget)
{
    while (!will_have_room(storing->shard, &storing->shard->main, octets))
        move_or_drop_main(storing, budget);
}

/*
 * Entries that are replaced leave dead octets between others that stay. They are found before they
 * are needed, so that a long row of others need not be moved at once.
 */
static void tidy(const struct storing *storing, struct move_budget *budget)
{
    struct shard *shard = storing->shard;
    size_t wanted = shard->main.size / TIDY_SHARE;

    for (int i = 0; i < TIDY_MOVES; i++)
        if (is_roomy(shard) && !ring_will_have_room(&shard->main, RING_UNIT, wanted))
            move_or_drop_main(storing, budget);
}

/* Making room in `main` does not touch `small`, so there is no recursion. */
static bool promote(const struct storing *storing, _Atomic uint32_t *slot,
                    struct move_budget *budget)
{
    make_room_in_main(storing, cache_entry_of(storing->cache, slot)->octets, budget);
    return move_to_main(storing, slot);
}

static void move_or_drop_small(const struct storing *storing, struct move_budget *budget)
{
    struct shard *shard = storing->shard;
    const struct cache_entry *oldest = ring_oldest(&shard->small);
    _Atomic uint32_t *slot = slot_of(storing->cache, oldest);

    if (slot != NULL) {
        bool is_wanted = uses_of(oldest) > 0 || will_have_room(shard, &shard->main, oldest->octets);
        if (!may_move(budget, oldest, is_wanted, storing->now_s) ||
            !promote(storing, slot, budget)) {
            *ghost_of(storing->cache, oldest->hash) = print_of(oldest->hash);
            evict(storing->cache, shard, slot);
        }
    }
    ring_drop(&shard->small);
}

static void make_room(const struct storing *storing, struct ring *ring, size_t octets)
{
    struct move_budget budget = {.moves = CACHE_MOVES_MOST, .octets = CACHE_MOVED_OCTETS_MOST};

    if (ring == &storing->shard->main) {
        tidy(storing, &budget);
        make_room_in_main(storing, octets, &budget);
    } else {
        while (!will_have_room(storing->shard, ring,
                               octets)) /* terminates: every turn drops an entry */
            move_or_drop_small(storing, &budget);
    }
}

struct cache_entry *cache_room_take(const struct storing *storing, struct ring *ring, size_t octets)
{
    make_room(storing, ring, octets);
    return has_room(storing, ring, octets) ? ring_append(ring, octets) : NULL;
}

/* ---- Slots ---- */

/* The value of an entry: 0 when it is dead, else more for each use. */
static unsigned worth(const struct cache_entry *entry, uint32_t now_s)
{
    return cache_entry_is_alive(entry, now_s) ? 1U + uses_of(entry) : 0;
}

/* Returns an empty slot of the line; if there is none, evicts the entry of the least worth. */
static int vacate_slot(const struct storing *storing, struct index_line *line)
{
    const struct cache *cache = storing->cache;
    int least = 0;

    for (int i = 0; i < LINE_SLOTS; i++) {
        if (atomic_load_explicit(&line->offsets[i], memory_order_relaxed) == 0)
            return i;
        const struct cache_entry *entry = cache_entry_of(cache, &line->offsets[i]);
        const struct cache_entry *other = cache_entry_of(cache, &line->offsets[least]);
        unsigned here = worth(entry, storing->now_s), there = worth(other, storing->now_s);
        if (here < there || (here == there && entry->stored_s < other->stored_s))
            least = i;
    }
    evict(cache, storing->shard, &line->offsets[least]);
    return least;
}

static void set_tag(struct index_line *line, int slot, uint64_t hash)
{
    _Atomic uint64_t *word = &line->tags[slot % TAG_WORDS];
    unsigned shift = (unsigned)(slot / TAG_WORDS) * TAG_BITS;
    uint64_t mask = UINT64_C(0xffff) << shift;
    uint64_t others = atomic_load_explicit(word, memory_order_relaxed) & ~mask;

    atomic_store_explicit(word, others | (cache_tags(hash) & mask), memory_order_relaxed);
}

void cache_room_publish(const struct storing *storing, struct cache_entry *entry,
                        _Atomic uint32_t *slot)
{
    struct shard *shard = storing->shard;
    struct index_line *line = cache_line(storing->cache, entry->hash);

    if (slot != NULL) {
        count_dead(shard, cache_entry_of(storing->cache, slot));
    } else {
        int vacant = vacate_slot(storing, line);
        set_tag(line, vacant, entry->hash);
        slot = &line->offsets[vacant];
    }
    count_live(shard, entry);
    point(storing->cache, slot, entry);
}

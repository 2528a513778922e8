#include "forward/cache_room.h"

#include <assert.h>
#include <string.h>

/* What one call of cache_store may still move. */
struct move_budget {
    uint32_t now_s;
    unsigned moves;
    size_t octets;
};

/* The slot that points to an entry of a ring; NULL for padding or a dead entry. */
static uint32_t *slot_of(const struct cache *cache, const struct cache_entry *entry)
{
    struct index_line *line = cache_line(cache, entry->hash);
    uint32_t offset = cache_offset(cache, entry);

    for (int i = 0; i < LINE_SLOTS; i++)
        if (line->offsets[i] == offset)
            return &line->offsets[i];
    return NULL;
}

void cache_room_forget(struct cache *cache, uint32_t *slot)
{
    size_t octets = cache_entry_at(cache, *slot)->octets;

    assert(cache->live_entries > 0 && cache->live_octets >= octets);
    cache->live_octets -= octets;
    cache->live_entries--;
    *slot = 0;
}

static void evict(struct cache *cache, uint32_t *slot)
{
    cache_room_forget(cache, slot);
    cache->evicted++;
}

/* The slot of a hash's ghost, and the hash's fingerprint. */
static inline uint16_t *ghost_of(const struct cache *cache, uint64_t hash)
{
    return &cache->ghosts[cache_scale((uint32_t)hash, cache->ghost_count)];
}

static inline uint16_t print_of(uint64_t hash)
{
    uint16_t print = (uint16_t)(hash >> 32);
    return print != 0 ? print : 1;
}

bool cache_room_take_ghost(struct cache *cache, uint64_t hash)
{
    uint16_t *ghost = ghost_of(cache, hash);

    if (*ghost != print_of(hash))
        return false;
    *ghost = 0;
    return true;
}

/* True when the ring's oldest entry is worth keeping and the budget allows to move it. */
static bool may_move(struct move_budget *budget, const struct cache_entry *entry, bool is_wanted)
{
    if (!is_wanted || !cache_entry_is_alive(entry, budget->now_s) || budget->moves == 0 ||
        budget->octets < entry->octets)
        return false;
    budget->moves--;
    budget->octets -= entry->octets;
    return true;
}

static void age(struct cache_entry *entry)
{
    if (entry->uses > 0)
        entry->uses--;
}

static void move_or_drop_main(struct cache *cache, struct move_budget *budget)
{
    struct cache_entry *oldest = ring_oldest(&cache->main);
    uint32_t *slot = slot_of(cache, oldest);

    if (slot != NULL && may_move(budget, oldest, oldest->uses > 0)) {
        oldest = ring_renew(&cache->main);
        age(oldest);
        *slot = cache_offset(cache, oldest);
        return;
    }
    if (slot != NULL)
        evict(cache, slot);
    ring_drop(&cache->main);
}

/* Terminates: every turn drops an entry, or is one of the moves that the budget allows. */
static void make_room_in_main(struct cache *cache, size_t octets, struct move_budget *budget)
{
    while (!ring_has_room(&cache->main, octets))
        move_or_drop_main(cache, budget);
}

/* Making room in `main` does not touch `small`, so there is no recursion. */
static void move_to_main(struct cache *cache, uint32_t *slot, struct move_budget *budget)
{
    struct cache_entry *oldest = cache_entry_at(cache, *slot);

    make_room_in_main(cache, oldest->octets, budget);
    struct cache_entry *entry = ring_append(&cache->main, oldest->octets);
    memcpy(entry, oldest, oldest->octets);
    age(entry);
    *slot = cache_offset(cache, entry);
}

static void move_or_drop_small(struct cache *cache, struct move_budget *budget)
{
    struct cache_entry *oldest = ring_oldest(&cache->small);
    uint32_t *slot = slot_of(cache, oldest);

    if (slot != NULL) {
        bool is_wanted = oldest->uses > 0 || ring_has_room(&cache->main, oldest->octets);
        if (may_move(budget, oldest, is_wanted)) {
            move_to_main(cache, slot, budget);
        } else {
            *ghost_of(cache, oldest->hash) = print_of(oldest->hash);
            evict(cache, slot);
        }
    }
    ring_drop(&cache->small);
}

static void make_room(struct cache *cache, struct ring *ring, size_t octets, uint32_t now_s)
{
    struct move_budget budget = {
        .now_s = now_s, .moves = CACHE_MOVES_MOST, .octets = CACHE_MOVED_OCTETS_MOST};

    if (ring == &cache->main)
        make_room_in_main(cache, octets, &budget);
    else /* terminates: every turn drops an entry */
        while (!ring_has_room(ring, octets))
            move_or_drop_small(cache, &budget);
}

/* The value of an entry: 0 when it is dead, else more for each use. */
static unsigned worth(const struct cache_entry *entry, uint32_t now_s)
{
    return cache_entry_is_alive(entry, now_s) ? 1U + entry->uses : 0;
}

/* Returns an empty slot of the line; if there is none, evicts the entry of the least worth. */
static int vacate_slot(struct cache *cache, struct index_line *line, uint32_t now_s)
{
    int least = 0;

    for (int i = 0; i < LINE_SLOTS; i++) {
        if (line->offsets[i] == 0)
            return i;
        const struct cache_entry *entry = cache_entry_at(cache, line->offsets[i]);
        const struct cache_entry *other = cache_entry_at(cache, line->offsets[least]);
        unsigned here = worth(entry, now_s), there = worth(other, now_s);
        if (here < there || (here == there && entry->stored_s < other->stored_s))
            least = i;
    }
    evict(cache, &line->offsets[least]);
    return least;
}

struct cache_entry *cache_room_add(struct cache *cache, struct ring *ring,
                                   const struct cache_entry *head)
{
    make_room(cache, ring, head->octets, head->stored_s);
    struct cache_entry *entry = ring_append(ring, head->octets);
    *entry = *head;
    struct index_line *line = cache_line(cache, head->hash);
    int slot = vacate_slot(cache, line, head->stored_s);
    line->tags[slot] = (uint32_t)head->hash;
    line->offsets[slot] = cache_offset(cache, entry);
    cache->live_entries++;
    cache->live_octets += entry->octets;
    return entry;
}

#include "forward/cache.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "forward/ring.h"

enum {
    LINE_SLOTS = 8,
    LINE_OCTETS = 64,
    OCTETS_PER_SLOT = 64, /* of the whole: more slots than there are entries of usual size */
    OCTETS_PER_GHOST = 64,
    SMALL_SHARE = 10, /* one tenth of the rings */
    ENTRY_SHARE = 8,  /* no entry is larger than an eighth of `small` */
    FAILURES_COUNTED = 6,
};

/* One line of the index. A place of 0 is empty: the cache itself stands there. */
struct line {
    alignas(LINE_OCTETS) uint32_t tags[LINE_SLOTS];
    uint32_t places[LINE_SLOTS]; /* in units of RING_UNIT, from the cache's first octet */
};

_Static_assert(sizeof(struct line) == LINE_OCTETS, "a look-up touches one line of the processor's");

/* At the start of its own mapping; lines, ghosts and rings stand behind it. */
struct cache {
    struct line *lines;
    uint16_t *ghosts; /* prints of hashes; 0: empty */
    uint32_t line_count;
    uint32_t ghost_count;
    struct ring small;
    struct ring main;
    size_t octets; /* of all this */
    size_t entry_most;
    size_t live_octets;
    size_t live_entries;
    uint64_t evicted;
};

/* What one call of cache_store may still do to keep entries. */
struct effort {
    uint32_t now_s;
    unsigned moves;
    size_t octets;
};

static size_t round_up(size_t octets, size_t unit)
{
    return (octets + unit - 1) / unit * unit;
}

static void empty_rings(struct cache *cache)
{
    uint8_t *start = (uint8_t *)(cache->ghosts + cache->ghost_count);
    size_t octets = (size_t)((uint8_t *)cache + cache->octets - start);
    size_t small = octets / SMALL_SHARE / RING_UNIT * RING_UNIT;

    ring_init(&cache->small, start, small);
    ring_init(&cache->main, start + small, (octets - small) / RING_UNIT * RING_UNIT);
    cache->entry_most = small / ENTRY_SHARE;
    cache->live_octets = 0;
    cache->live_entries = 0;
}

struct cache *cache_new(size_t octets, struct err *err)
{
    if (octets < CACHE_OCTETS_LEAST || octets / RING_UNIT > UINT32_MAX) {
        err_set(err, ERR_LIMIT, "a cache of %zu octets is impossible: at least %d, at most 64 GB",
                octets, (int)CACHE_OCTETS_LEAST);
        return NULL;
    }
    struct cache *cache =
        mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (cache == MAP_FAILED) {
        err_set(err, ERR_MEMORY, "a cache of %zu octets: %s", octets, strerror(errno));
        return NULL;
    }
    cache->octets = octets;
    cache->lines = (struct line *)(void *)((uint8_t *)cache + round_up(sizeof *cache, LINE_OCTETS));
    cache->line_count = (uint32_t)(octets / OCTETS_PER_SLOT / LINE_SLOTS);
    cache->ghosts = (uint16_t *)(void *)(cache->lines + cache->line_count);
    cache->ghost_count = (uint32_t)(octets / OCTETS_PER_GHOST / LINE_SLOTS * LINE_SLOTS);
    empty_rings(cache);
    return cache;
}

void cache_free(struct cache *cache)
{
    if (cache != NULL)
        munmap(cache, cache->octets);
}

void cache_flush(struct cache *cache)
{
    memset(cache->lines, 0, cache->line_count * sizeof *cache->lines);
    memset(cache->ghosts, 0, cache->ghost_count * sizeof *cache->ghosts);
    empty_rings(cache);
}

struct cache_use cache_use(const struct cache *cache)
{
    return (struct cache_use){
        .octets = cache->live_octets,
        .entries = cache->live_entries,
        .octets_most = cache->octets,
        .evicted = cache->evicted,
    };
}

/* A number below `count` from the upper or the lower half of a hash. */
static inline uint32_t scale(uint32_t half, uint32_t count)
{
    return (uint32_t)((uint64_t)half * count >> 32);
}

static inline struct line *line_of(const struct cache *cache, uint64_t hash)
{
    return &cache->lines[scale((uint32_t)(hash >> 32), cache->line_count)];
}

static inline struct cache_entry *entry_at(const struct cache *cache, uint32_t place)
{
    return (struct cache_entry *)(void *)((uint8_t *)(uintptr_t)cache + (size_t)place * RING_UNIT);
}

static uint32_t place_of(const struct cache *cache, const struct cache_entry *entry)
{
    return (uint32_t)((size_t)((const uint8_t *)entry - (const uint8_t *)cache) / RING_UNIT);
}

typedef uint32_t four __attribute__((vector_size(16)));

/* Bit i is set when slot i has the tag; all eight are compared at once. */
static inline unsigned slots_with_tag(const struct line *line, uint32_t tag)
{
    const four low_bits = {1, 2, 4, 8}, high_bits = {16, 32, 64, 128};
    const four wanted = {tag, tag, tag, tag};
    four low, high;
    uint64_t halves[2];

    memcpy(&low, line->tags, sizeof low);
    memcpy(&high, line->tags + 4, sizeof high);
    four bits = ((four)(low == wanted) & low_bits) | ((four)(high == wanted) & high_bits);
    memcpy(halves, &bits, sizeof halves);
    uint64_t all = halves[0] | halves[1];
    return (unsigned)((all | all >> 32) & 0xff);
}

static inline const uint8_t *name_of(const struct cache_entry *entry)
{
    return entry->data + (entry->has_response ? cache_response(entry)->octets : 0);
}

static inline bool is_entry_of(const struct cache_entry *entry, const struct question *question)
{
    return entry->hash == question->hash && entry->type == question->type &&
           entry->class == question->class && entry->bits == question->bits &&
           name_equals(question->name, name_of(entry), entry->name_length);
}

/* The place in its slot of a question's entry, or NULL. */
static inline uint32_t *seek(const struct cache *cache, const struct question *question)
{
    struct line *line = line_of(cache, question->hash);

    /* At most eight turns. */
    for (unsigned slots = slots_with_tag(line, (uint32_t)question->hash); slots != 0;
         slots &= slots - 1) {
        uint32_t *place = &line->places[__builtin_ctz(slots)];
        if (*place != 0 && is_entry_of(entry_at(cache, *place), question))
            return place;
    }
    return NULL;
}

void cache_prefetch(const struct cache *cache, uint64_t hash)
{
    __builtin_prefetch(line_of(cache, hash));
}

void cache_prefetch_entry(const struct cache *cache, uint64_t hash)
{
    const struct line *line = line_of(cache, hash);
    unsigned slots = slots_with_tag(line, (uint32_t)hash);

    if (slots == 0)
        return;
    const struct cache_entry *entry = entry_at(cache, line->places[__builtin_ctz(slots)]);
    __builtin_prefetch(entry);
    __builtin_prefetch((const uint8_t *)entry + LINE_OCTETS);
}

/* Fresh, stale or failed: not yet without meaning. */
static inline bool is_alive(const struct cache_entry *entry, uint32_t now_s)
{
    return cache_entry_is_fresh(entry, now_s) || cache_entry_is_stale(entry, now_s) ||
           now_s < entry->failed_until_s;
}

static inline struct cache_entry *find(const struct cache *cache, const struct question *question,
                                       uint32_t now_s)
{
    const uint32_t *place = seek(cache, question);

    if (place == NULL)
        return NULL;
    struct cache_entry *entry = entry_at(cache, *place);
    return is_alive(entry, now_s) ? entry : NULL;
}

struct cache_entry *cache_find(struct cache *cache, const struct question *question, uint32_t now_s)
{
    struct cache_entry *entry = find(cache, question, now_s);

    if (entry != NULL && entry->uses < CACHE_USES_MOST)
        entry->uses++;
    return entry;
}

const struct cache_entry *cache_peek(const struct cache *cache, const struct question *question,
                                     uint32_t now_s)
{
    return find(cache, question, now_s);
}

/* The slot's place that points to an entry of a ring; NULL when it is dead, or padding. */
static uint32_t *slot_of(const struct cache *cache, const struct cache_entry *entry)
{
    struct line *line = line_of(cache, entry->hash);
    uint32_t place = place_of(cache, entry);

    for (int i = 0; i < LINE_SLOTS; i++)
        if (line->places[i] == place)
            return &line->places[i];
    return NULL;
}

/* Empties a slot; the entry is dead. */
static void forget(struct cache *cache, uint32_t *slot)
{
    size_t octets = entry_at(cache, *slot)->octets;

    assert(cache->live_entries > 0 && cache->live_octets >= octets);
    cache->live_octets -= octets;
    cache->live_entries--;
    *slot = 0;
}

static void evict(struct cache *cache, uint32_t *slot)
{
    forget(cache, slot);
    cache->evicted++;
}

/* Where the trace of a hash is, and what it looks like. */
static inline uint16_t *ghost_of(const struct cache *cache, uint64_t hash)
{
    return &cache->ghosts[scale((uint32_t)hash, cache->ghost_count)];
}

static inline uint16_t print_of(uint64_t hash)
{
    uint16_t print = (uint16_t)(hash >> 32);
    return print != 0 ? print : 1;
}

static bool take_ghost(struct cache *cache, uint64_t hash)
{
    uint16_t *ghost = ghost_of(cache, hash);

    if (*ghost != print_of(hash))
        return false;
    *ghost = 0;
    return true;
}

/* True when there is a reason to keep an entry that is its ring's oldest, and strength to. */
static bool may_move(struct effort *effort, const struct cache_entry *entry, bool is_wanted)
{
    if (!is_wanted || !is_alive(entry, effort->now_s) || effort->moves == 0 ||
        effort->octets < entry->octets)
        return false;
    effort->moves--;
    effort->octets -= entry->octets;
    return true;
}

static void age(struct cache_entry *entry)
{
    if (entry->uses > 0)
        entry->uses--;
}

static void look_over_main(struct cache *cache, struct effort *effort)
{
    struct cache_entry *oldest = ring_oldest(&cache->main);
    uint32_t *slot = slot_of(cache, oldest);

    if (slot != NULL && may_move(effort, oldest, oldest->uses > 0)) {
        oldest = ring_renew(&cache->main);
        age(oldest);
        *slot = place_of(cache, oldest);
        return;
    }
    if (slot != NULL)
        evict(cache, slot);
    ring_drop(&cache->main);
}

/* Ends: every turn drops an entry, or is one of the moves that the effort allows. */
static void make_room_in_main(struct cache *cache, size_t octets, struct effort *effort)
{
    while (!ring_has_room(&cache->main, octets))
        look_over_main(cache, effort);
}

/* `main` makes room for it without looking at `small` again, so this goes no deeper. */
static void move_to_main(struct cache *cache, uint32_t *slot, struct effort *effort)
{
    struct cache_entry *oldest = entry_at(cache, *slot);

    make_room_in_main(cache, oldest->octets, effort);
    struct cache_entry *entry = ring_append(&cache->main, oldest->octets);
    memcpy(entry, oldest, oldest->octets);
    age(entry);
    *slot = place_of(cache, entry);
}

static void look_over_small(struct cache *cache, struct effort *effort)
{
    struct cache_entry *oldest = ring_oldest(&cache->small);
    uint32_t *slot = slot_of(cache, oldest);

    if (slot != NULL) {
        bool is_wanted = oldest->uses > 0 || ring_has_room(&cache->main, oldest->octets);
        if (may_move(effort, oldest, is_wanted)) {
            move_to_main(cache, slot, effort);
        } else {
            *ghost_of(cache, oldest->hash) = print_of(oldest->hash);
            evict(cache, slot);
        }
    }
    ring_drop(&cache->small);
}

static void make_room(struct cache *cache, struct ring *ring, size_t octets, uint32_t now_s)
{
    struct effort effort = {
        .now_s = now_s, .moves = CACHE_MOVES_MOST, .octets = CACHE_MOVED_OCTETS_MOST};

    if (ring == &cache->main)
        make_room_in_main(cache, octets, &effort);
    else /* ends: every turn drops an entry */
        while (!ring_has_room(ring, octets))
            look_over_small(cache, &effort);
}

/* How much is lost with an entry: nothing, or the more the more it was used. */
static unsigned worth(const struct cache_entry *entry, uint32_t now_s)
{
    return is_alive(entry, now_s) ? 1U + entry->uses : 0;
}

/* An empty slot of the line; when there is none, the least worthy of its entries goes. */
static int vacate_slot(struct cache *cache, struct line *line, uint32_t now_s)
{
    int least = 0;

    for (int i = 0; i < LINE_SLOTS; i++) {
        if (line->places[i] == 0)
            return i;
        const struct cache_entry *entry = entry_at(cache, line->places[i]);
        const struct cache_entry *other = entry_at(cache, line->places[least]);
        unsigned here = worth(entry, now_s), there = worth(other, now_s);
        if (here < there || (here == there && entry->stored_s < other->stored_s))
            least = i;
    }
    evict(cache, &line->places[least]);
    return least;
}

/* Takes room in a ring and a slot of the line for an entry that begins with this head. */
static struct cache_entry *add(struct cache *cache, struct ring *ring,
                               const struct cache_entry *head)
{
    make_room(cache, ring, head->octets, head->stored_s);
    struct cache_entry *entry = ring_append(ring, head->octets);
    *entry = *head;
    struct line *line = line_of(cache, head->hash);
    int slot = vacate_slot(cache, line, head->stored_s);
    line->tags[slot] = (uint32_t)head->hash;
    line->places[slot] = place_of(cache, entry);
    cache->live_entries++;
    cache->live_octets += entry->octets;
    return entry;
}

/* Takes the place of what was there for the question, or a new one. */
static struct cache_entry *replace(struct cache *cache, struct cache_entry *head, uint32_t *slot)
{
    if (slot == NULL)
        return add(cache, take_ghost(cache, head->hash) ? &cache->main : &cache->small, head);
    struct cache_entry *old = entry_at(cache, *slot);
    head->uses = old->uses;
    if (head->octets <= old->octets && old->octets <= 2 * head->octets) {
        head->octets = old->octets;
        *old = *head;
        return old;
    }
    bool is_wanted = ring_holds(&cache->main, old) || old->uses > 0;
    forget(cache, slot);
    return add(cache, is_wanted ? &cache->main : &cache->small, head);
}

static size_t entry_octets(const struct question *question, const struct response *response)
{
    size_t octets = response != NULL ? response->octets : 0;
    return round_up(sizeof(struct cache_entry) + octets + question->name->length, RING_UNIT);
}

/* Writes an entry with the response, or without any. */
static struct cache_entry *write_entry(struct cache *cache, uint32_t *slot,
                                       const struct question *question,
                                       const struct response *response, uint32_t now_s)
{
    const struct name *name = question->name;
    struct cache_entry head = {
        .hash = question->hash,
        .octets = (uint32_t)entry_octets(question, response),
        .stored_s = now_s,
        .type = question->type,
        .class = question->class,
        .bits = question->bits,
        .has_response = response != NULL,
        .name_length = name->length,
    };
    struct cache_entry *entry = replace(cache, &head, slot);

    if (response != NULL)
        memcpy(entry->data, response, response->octets);
    memcpy((uint8_t *)(uintptr_t)name_of(entry), name->octets, name->length);
    return entry;
}

void cache_store(struct cache *cache, const struct question *question,
                 const struct response *response, uint32_t now_s)
{
    uint32_t *slot = seek(cache, question);

    if (response->ttl_seconds > 0 && entry_octets(question, response) <= cache->entry_most) {
        struct cache_entry *entry = write_entry(cache, slot, question, response, now_s);
        entry->fresh_until_s = now_s + response->ttl_seconds;
    } else if (slot != NULL) {
        forget(cache, slot);
    }
}

/* 1, 2, 4 ... seconds (RFC 9520 section 3.2). */
static uint32_t failure_seconds(unsigned failures)
{
    uint32_t seconds = (uint32_t)CACHE_FAILURE_LEAST_SECONDS << (failures - 1);
    return seconds < CACHE_FAILURE_MOST_SECONDS ? seconds : CACHE_FAILURE_MOST_SECONDS;
}

void cache_fail(struct cache *cache, const struct question *question,
                const struct cache_failure *failure, uint32_t now_s)
{
    uint32_t *slot = seek(cache, question);
    struct cache_entry *entry =
        slot != NULL ? entry_at(cache, *slot) : write_entry(cache, NULL, question, NULL, now_s);

    if (entry->failed_era != failure->era)
        entry->failures = 0;
    if (entry->failures < FAILURES_COUNTED)
        entry->failures++;
    entry->failed_until_s = now_s + failure_seconds(entry->failures);
    entry->failed_era = failure->era;
    entry->failure = failure->failure;
    entry->server = failure->server;
}

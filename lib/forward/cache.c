#include "forward/cache.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "forward/cache_room.h"
#include "forward/resolver.h"

enum {
    OCTETS_PER_SLOT = 64, /* of the whole: more slots than there are entries of usual size */
    OCTETS_PER_GHOST = 64,
    SMALL_SHARE = 10, /* one tenth of the rings */
    ENTRY_SHARE = 8,  /* no entry is larger than an eighth of `small` */
    FAILURES_COUNTED = 6,
    FETCHED_OCTETS = 3 * LINE_OCTETS, /* a usual entry takes two or three lines */
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
    /* A lookup reads two or three distant addresses; with huge pages each costs one miss less. */
    madvise(cache, octets, MADV_HUGEPAGE);
    cache->octets = octets;
    cache->lines =
        (struct index_line *)(void *)((uint8_t *)cache + round_up(sizeof *cache, LINE_OCTETS));
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

typedef uint32_t four __attribute__((vector_size(16)));

/* Bit i is set when slot i has the tag; all eight are compared at once. */
static inline unsigned slots_with_tag(const struct index_line *line, uint32_t tag)
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

static inline bool is_entry_of(const struct cache_entry *entry, const struct question *question)
{
    return entry->hash == question->hash && entry->type == question->type &&
           entry->class == question->class && entry->bits == question->bits &&
           name_equals(question->name, cache_entry_name(entry), entry->name_length);
}

/* Returns the slot of the question's entry, or NULL. */
static inline uint32_t *seek(const struct cache *cache, const struct question *question)
{
    struct index_line *line = cache_line(cache, question->hash);

    /* At most eight turns. */
    for (unsigned slots = slots_with_tag(line, (uint32_t)question->hash); slots != 0;
         slots &= slots - 1) {
        uint32_t *slot = &line->offsets[__builtin_ctz(slots)];
        if (*slot != 0 && is_entry_of(cache_entry_at(cache, *slot), question))
            return slot;
    }
    return NULL;
}

void cache_prefetch(const struct cache *cache, uint64_t hash)
{
    __builtin_prefetch(cache_line(cache, hash));
}

void cache_prefetch_entry(const struct cache *cache, uint64_t hash)
{
    const struct index_line *line = cache_line(cache, hash);
    unsigned slots = slots_with_tag(line, (uint32_t)hash);

    if (slots == 0)
        return;
    const struct cache_entry *entry = cache_entry_at(cache, line->offsets[__builtin_ctz(slots)]);
    for (size_t i = 0; i < FETCHED_OCTETS; i += LINE_OCTETS)
        __builtin_prefetch((const uint8_t *)entry + i);
}

static inline struct cache_entry *find(const struct cache *cache, const struct question *question,
                                       uint32_t now_s)
{
    const uint32_t *slot = seek(cache, question);

    if (slot == NULL)
        return NULL;
    struct cache_entry *entry = cache_entry_at(cache, *slot);
    return cache_entry_is_alive(entry, now_s) ? entry : NULL;
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

/* Reuses the room of the question's old entry, or takes new room. */
static struct cache_entry *replace(struct cache *cache, struct cache_entry *head, uint32_t *slot)
{
    if (slot == NULL)
        return cache_room_add(
            cache, cache_room_take_ghost(cache, head->hash) ? &cache->main : &cache->small, head);
    struct cache_entry *old = cache_entry_at(cache, *slot);
    head->uses = old->uses;
    if (head->octets <= old->octets && old->octets <= 2 * head->octets) {
        head->octets = old->octets;
        *old = *head;
        return old;
    }
    bool is_wanted = ring_holds(&cache->main, old) || old->uses > 0;
    cache_room_forget(cache, slot);
    return cache_room_add(cache, is_wanted ? &cache->main : &cache->small, head);
}

static size_t entry_octets(const struct question *question, const struct response *response)
{
    size_t octets = response != NULL ? response->octets : 0;
    return round_up(sizeof(struct cache_entry) + octets + question->name->length, RING_UNIT);
}

/* Writes an entry; `response` may be NULL. */
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
        .answered_by = RESOLVER_NONE,
        .has_response = response != NULL,
        .name_length = name->length,
    };
    struct cache_entry *entry = replace(cache, &head, slot);

    uint8_t *end = entry->data;
    if (response != NULL) {
        memcpy(end, response, response->octets);
        end += response->octets;
    }
    memcpy(end, name->octets, name->length);
    return entry;
}

struct cache_entry *cache_store(struct cache *cache, const struct question *question,
                                const struct response *response, uint32_t now_s)
{
    uint32_t *slot = seek(cache, question);

    if (entry_octets(question, response) <= cache->entry_most) {
        struct cache_entry *entry = write_entry(cache, slot, question, response, now_s);
        entry->fresh_until_s = now_s + response->ttl_seconds;
        return entry;
    }
    if (slot != NULL)
        cache_room_forget(cache, slot);
    return NULL;
}

/* 2, 2, 4, 8 ... seconds. */
static uint32_t failure_seconds(unsigned failures)
{
    uint32_t seconds = UINT32_C(1) << (failures - 1);
    if (seconds < CACHE_FAILURE_LEAST_SECONDS)
        return CACHE_FAILURE_LEAST_SECONDS;
    return seconds < CACHE_FAILURE_MOST_SECONDS ? seconds : CACHE_FAILURE_MOST_SECONDS;
}

void cache_fail(struct cache *cache, const struct question *question,
                const struct cache_failure *failure, uint32_t now_s)
{
    uint32_t *slot = seek(cache, question);
    struct cache_entry *entry = slot != NULL ? cache_entry_at(cache, *slot)
                                             : write_entry(cache, NULL, question, NULL, now_s);

    if (entry->failed_era != failure->era)
        entry->failures = 0;
    if (entry->failures == 0 || (entry->failures < FAILURES_COUNTED && !failure->is_again))
        entry->failures++;
    entry->failed_until_s = now_s + failure_seconds(entry->failures);
    entry->failed_era = failure->era;
    entry->failure = failure->failure;
    entry->server = failure->server;
}

static void walk_line(struct cache *cache, struct index_line *line, cache_on_entry *on_entry,
                      void *context)
{
    for (int i = 0; i < LINE_SLOTS; i++)
        if (line->offsets[i] != 0 && on_entry(context, cache_entry_at(cache, line->offsets[i])))
            cache_room_forget(cache, &line->offsets[i]);
}

bool cache_walk(struct cache *cache, uint32_t *line, uint32_t count, cache_on_entry *on_entry,
                void *context)
{
    uint32_t left = cache->line_count - *line;
    uint32_t end = *line + (count < left ? count : left);

    while (*line < end)
        walk_line(cache, &cache->lines[(*line)++], on_entry, context);
    return *line == cache->line_count;
}

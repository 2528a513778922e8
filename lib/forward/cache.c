#include "forward/cache.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "forward/cache_room.h"
#include "forward/resolver.h"

enum {
    OCTETS_PER_SLOT = 64, /* of the whole: more slots than there are entries of usual size */
    SMALL_SHARE = 10,     /* one tenth of the rings */
    ENTRY_SHARE = 8,      /* no entry is larger than an eighth of `small` */
    FAILURES_COUNTED = 6,
    FETCHED_OCTETS = 3 * LINE_OCTETS, /* a usual entry takes two or three lines */
};

static size_t round_up(size_t octets, size_t unit)
{
    return (octets + unit - 1) / unit * unit;
}

static size_t round_down(size_t octets, size_t unit)
{
    return octets / unit * unit;
}

static uint32_t count_shards(size_t octets)
{
    size_t shards = octets / CACHE_SHARD_OCTETS;

    if (shards == 0)
        return 1;
    return (uint32_t)(shards < SHARDS_MOST ? shards : SHARDS_MOST);
}

static void init_shard(struct shard *shard, uint8_t *start, size_t octets)
{
    size_t small = round_down(octets / SMALL_SHARE, RING_UNIT);

    pthread_mutex_init(&shard->lock, NULL); /* cannot fail without attributes */
    ring_init(&shard->small, start, small);
    ring_init(&shard->main, start + small, octets - small);
}

/* Divides the mapping, which is all zeros. */
static void divide(struct cache *cache, size_t octets)
{
    size_t head = round_up(sizeof *cache, LINE_OCTETS);
    size_t lines = octets / OCTETS_PER_SLOT / LINE_SLOTS;

    cache->octets = octets;
    cache->shard_count = count_shards(octets);
    cache->lines = (struct index_line *)(void *)((uint8_t *)cache + head);
    cache->line_count = (uint32_t)round_down(lines, cache->shard_count);
    uint8_t *start = (uint8_t *)(cache->lines + cache->line_count);
    size_t left = (size_t)((uint8_t *)cache + octets - start);
    size_t each = round_down(left / cache->shard_count, RING_UNIT);
    for (uint32_t i = 0; i < cache->shard_count; i++)
        init_shard(&cache->shards[i], start + i * each, each);
    cache->entry_most = cache->shards[0].small.size / ENTRY_SHARE;
    grace_init(&cache->grace);
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
        err_set(err, ERR_MEMORY, "a cache of %zu octets: %s; lower cache_size", octets,
                strerror(errno));
        return NULL;
    }
    /* A lookup reads two or three distant addresses; with huge pages each costs one miss less. */
    madvise(cache, octets, MADV_HUGEPAGE);
    divide(cache, octets);
    return cache;
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    for (uint32_t i = 0; i < cache->shard_count; i++)
        pthread_mutex_destroy(&cache->shards[i].lock);
    munmap(cache, cache->octets);
}

struct grace_member *cache_join(struct cache *cache, struct err *err)
{
    struct grace_member *member = grace_join(&cache->grace);

    if (member == NULL)
        err_set(err, ERR_LIMIT, "a cache is for %d workers at most", (int)GRACE_MEMBERS_MOST);
    return member;
}

void cache_leave(struct grace_member *member)
{
    grace_leave(member);
}

void cache_pass(const struct cache *cache, struct grace_member *member)
{
    grace_pass(&cache->grace, member);
}

bool cache_claim(struct cache *cache, uint64_t number)
{
    uint64_t last = atomic_load(&cache->claimed);

    while (last < number)
        if (atomic_compare_exchange_weak(&cache->claimed, &last, number))
            return true;
    return false;
}

static void lock(struct shard *shard)
{
    pthread_mutex_lock(&shard->lock);
}

static void unlock(struct shard *shard)
{
    pthread_mutex_unlock(&shard->lock);
}

static void flush_line(struct index_line *line)
{
    for (int i = 0; i < LINE_SLOTS; i++)
        atomic_store_explicit(&line->offsets[i], 0, memory_order_relaxed);
    memset(line->ghosts, 0, sizeof line->ghosts);
}

static void flush_shard(struct cache *cache, uint32_t number)
{
    struct shard *shard = &cache->shards[number];
    uint32_t lines = cache->line_count / cache->shard_count;

    lock(shard);
    for (uint32_t i = 0; i < lines; i++)
        flush_line(&cache->lines[number * lines + i]);
    ring_drop_all(&shard->small);
    ring_drop_all(&shard->main);
    shard->main_octets = shard->live_octets = shard->live_entries = 0;
    unlock(shard);
}

void cache_flush(struct cache *cache)
{
    for (uint32_t i = 0; i < cache->shard_count; i++)
        flush_shard(cache, i);
}

struct cache_use cache_use(struct cache *cache)
{
    struct cache_use use = {.octets_most = cache->octets};

    for (uint32_t i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        lock(shard);
        use.octets += shard->live_octets;
        use.entries += shard->live_entries;
        use.evicted += shard->evicted;
        unlock(shard);
    }
    return use;
}

/* The highest bit of each quarter of `word` that equals the same of `wanted`; tags do not have it,
   so that no quarter borrows of the next. */
static inline uint64_t equal_quarters(uint64_t word, uint64_t wanted)
{
    const uint64_t highs = CACHE_QUARTERS << (TAG_BITS - 1);

    return (highs - (word ^ wanted)) & highs;
}

/* Bit 8 i + 7 of slot i is set when it has the hash's tag; all eight are compared at once. */
static inline uint64_t slots_with_tag(const struct index_line *line, uint64_t hash)
{
    uint64_t wanted = cache_tags(hash);
    uint64_t even = atomic_load_explicit(&line->tags[0], memory_order_relaxed);
    uint64_t odd = atomic_load_explicit(&line->tags[1], memory_order_relaxed);

    return equal_quarters(even, wanted) >> 8 | equal_quarters(odd, wanted);
}

static inline unsigned first_slot(uint64_t slots)
{
    return (unsigned)__builtin_ctzll(slots) / 8;
}

static inline bool is_entry_of(const struct cache_entry *entry, const struct question *question)
{
    return entry->hash == question->hash && entry->type == question->type &&
           entry->class == question->class && entry->bits == question->bits &&
           name_equals(question->name, cache_entry_name(entry), entry->name_length);
}

/* Returns the question's entry, and its slot (NULL: not wanted); or NULL. */
static inline struct cache_entry *seek(const struct cache *cache, const struct question *question,
                                       _Atomic uint32_t **slot)
{
    struct index_line *line = cache_line(cache, question->hash);

    /* At most eight turns. */
    for (uint64_t slots = slots_with_tag(line, question->hash); slots != 0; slots &= slots - 1) {
        _Atomic uint32_t *one = &line->offsets[first_slot(slots)];
        uint32_t offset = atomic_load_explicit(one, memory_order_acquire);
        if (offset == 0 || !is_entry_of(cache_entry_at(cache, offset), question))
            continue;
        if (slot != NULL)
            *slot = one;
        return cache_entry_at(cache, offset);
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
    uint64_t slots = slots_with_tag(line, hash);

    if (slots == 0)
        return;
    uint32_t offset = atomic_load_explicit(&line->offsets[first_slot(slots)], memory_order_relaxed);
    const uint8_t *entry = (const uint8_t *)cache_entry_at(cache, offset);
    for (size_t i = 0; i < FETCHED_OCTETS; i += LINE_OCTETS)
        __builtin_prefetch(entry + i);
}

static inline struct cache_entry *find(const struct cache *cache, const struct question *question,
                                       uint32_t now_s)
{
    struct cache_entry *entry = seek(cache, question, NULL);

    return entry != NULL && cache_entry_is_alive(entry, now_s) ? entry : NULL;
}

/* Two workers at once may count one use: a use more or less decides nothing. */
struct cache_entry *cache_find(const struct cache *cache, const struct question *question,
                               uint32_t now_s)
{
    struct cache_entry *entry = find(cache, question, now_s);

    if (entry == NULL)
        return NULL;
    unsigned uses = cache_entry_uses(entry);
    if (uses < CACHE_USES_MOST)
        atomic_store_explicit(&entry->uses, (uint8_t)(uses + 1), memory_order_relaxed);
    return entry;
}

const struct cache_entry *cache_peek(const struct cache *cache, const struct question *question,
                                     uint32_t now_s)
{
    return find(cache, question, now_s);
}

static size_t entry_octets(const struct question *question, const struct response *response)
{
    size_t octets = response != NULL ? response->octets : 0;
    return round_up(sizeof(struct cache_entry) + octets + question->name->length, RING_UNIT);
}

/* The ring for a new entry, whose uses are those of the question's old one (NULL: none). */
static struct ring *choose_ring(const struct storing *storing, struct cache_entry *head,
                                const struct cache_entry *old)
{
    struct shard *shard = storing->shard;
    bool is_wanted = cache_room_take_ghost(storing->cache, head->hash);

    if (old != NULL) {
        unsigned uses = cache_entry_uses(old);
        atomic_init(&head->uses, (uint8_t)uses);
        is_wanted = ring_holds(&shard->main, old) || uses > 0;
    }
    return is_wanted ? &shard->main : &shard->small;
}

/* Writes an entry; `response` may be NULL. Returns NULL when there is no room. */
static struct cache_entry *write_entry(const struct storing *storing, struct cache_entry *head,
                                       const struct question *question,
                                       const struct response *response)
{
    const struct name *name = question->name;
    _Atomic uint32_t *slot = NULL;
    struct ring *ring = choose_ring(storing, head, seek(storing->cache, question, NULL));
    struct cache_entry *entry = cache_room_take(storing, ring, head->octets);

    if (entry == NULL)
        return NULL;
    memcpy(entry, head, sizeof *head);
    uint8_t *end = entry->data;
    if (response != NULL) {
        memcpy(end, response, response->octets);
        end += response->octets;
    }
    memcpy(end, name->octets, name->length);
    seek(storing->cache, question, &slot); /* the old one may have been moved, or evicted */
    cache_room_publish(storing, entry, slot);
    return entry;
}

static void fill_head(struct cache_entry *head, const struct question *question,
                      const struct response *response, uint32_t now_s)
{
    *head = (struct cache_entry){
        .hash = question->hash,
        .octets = (uint32_t)entry_octets(question, response),
        .stored_s = now_s,
        .fresh_until_s = response != NULL ? now_s + response->ttl_seconds : 0,
        .type = question->type,
        .class = question->class,
        .bits = question->bits,
        .name_length = question->name->length,
        .answered_by = RESOLVER_NONE,
        .has_response = response != NULL,
    };
}

static enum cache_stored store(const struct storing *storing, const struct question *question,
                               const struct response *response, uint8_t answered_by)
{
    struct cache_entry head;
    _Atomic uint32_t *slot;

    fill_head(&head, question, response, storing->now_s);
    bool is_large = head.octets > storing->cache->entry_most;
    head.answered_by = answered_by;
    if (!is_large && write_entry(storing, &head, question, response) != NULL)
        return CACHE_STORED;
    if (seek(storing->cache, question, &slot) != NULL)
        cache_room_forget(storing->cache, storing->shard, slot);
    return is_large ? CACHE_TOO_LARGE : CACHE_HELD;
}

enum cache_stored cache_store(struct cache *cache, const struct grace_member *self,
                              const struct question *question, const struct response *response,
                              uint8_t answered_by, uint32_t now_s)
{
    struct shard *shard = cache_shard(cache, question->hash);

    lock(shard);
    enum cache_stored stored =
        store(&(struct storing){cache, shard, self, now_s}, question, response, answered_by);
    unlock(shard);
    return stored;
}

/* 2, 2, 4, 8 ... seconds. */
static uint32_t failure_seconds(unsigned failures)
{
    uint32_t seconds = UINT32_C(1) << (failures - 1);
    if (seconds < CACHE_FAILURE_LEAST_SECONDS)
        return CACHE_FAILURE_LEAST_SECONDS;
    return seconds < CACHE_FAILURE_MOST_SECONDS ? seconds : CACHE_FAILURE_MOST_SECONDS;
}

/* True when the failure follows the last one: a fetch that began before that failed is no other. */
static bool is_next(const struct cache_failure *last, const struct cache_failing *failing,
                    uint32_t now_s)
{
    return last->count == 0 || (!failing->is_again && now_s >= last->until_s);
}

/* What becomes of the entry's failure; its response stays. */
static void fail_again(struct cache_entry *entry, const struct cache_failing *failing,
                       uint32_t now_s)
{
    struct cache_failure failure = cache_entry_failure(entry);

    if (failure.era != failing->era)
        failure.count = 0;
    if (failure.count < FAILURES_COUNTED && is_next(&failure, failing, now_s))
        failure.count++;
    failure.until_s = now_s + failure_seconds(failure.count);
    failure.era = failing->era;
    failure.failure = failing->failure;
    failure.server = failing->server;
    atomic_store_explicit(&entry->failure, cache_failure_word(&failure), memory_order_relaxed);
}

bool cache_fail(struct cache *cache, const struct grace_member *self,
                const struct question *question, const struct cache_failing *failing,
                uint32_t now_s)
{
    struct shard *shard = cache_shard(cache, question->hash);

    lock(shard);
    struct cache_entry *entry = seek(cache, question, NULL);
    if (entry == NULL) {
        struct cache_entry head;
        fill_head(&head, question, NULL, now_s);
        entry = write_entry(&(struct storing){cache, shard, self, now_s}, &head, question, NULL);
    }
    if (entry != NULL)
        fail_again(entry, failing, now_s);
    unlock(shard);
    return entry != NULL;
}

static void walk_line(struct cache *cache, uint32_t number, cache_on_entry *on_entry, void *context)
{
    struct shard *shard = &cache->shards[number / (cache->line_count / cache->shard_count)];
    struct index_line *line = &cache->lines[number];

    lock(shard);
    for (int i = 0; i < LINE_SLOTS; i++)
        if (atomic_load_explicit(&line->offsets[i], memory_order_relaxed) != 0 &&
            on_entry(context, cache_entry_of(cache, &line->offsets[i])))
            cache_room_forget(cache, shard, &line->offsets[i]);
    unlock(shard);
}

bool cache_walk(struct cache *cache, uint32_t *line, uint32_t count, cache_on_entry *on_entry,
                void *context)
{
    uint32_t left = cache->line_count - *line;
    uint32_t end = *line + (count < left ? count : left);

    while (*line < end)
        walk_line(cache, (*line)++, on_entry, context);
    return *line == cache->line_count;
}

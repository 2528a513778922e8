#include "answer/index.h"

#include <stdlib.h>
#include <string.h>

enum { TAG_SHIFT = 40, SEGMENT_SHIFT = 24, FIRST_SLOTS = 16 };
/* Of a slot's last 24 bits. A list has 100,000 items at most, so 21 bits number apps. */
enum { HOST_BIT = 1 << 23, KIND_SHIFT = 21, KIND_MASK = 3 };
/* First octets of keys that are not names, beyond any label's length. */
enum { ID_MARK = 0xff, SPACE_MARK = 0xfe };

/* A key to be added: its hash and its slot. */
struct addition {
    uint64_t hash;
    uint64_t slot;
};

static uint64_t slot_of(uint64_t hash, struct index_entry entry)
{
    uint64_t tag = hash >> 32 & 0xffffff;
    uint32_t kind =
        entry.kind == INDEX_HOST ? (uint32_t)HOST_BIT : (uint32_t)entry.kind << KIND_SHIFT;

    return tag << TAG_SHIFT | (uint64_t)entry.segment << SEGMENT_SHIFT | kind | (entry.number + 1);
}

static struct index_entry entry_of(uint64_t slot)
{
    bool is_host = (slot & HOST_BIT) != 0;
    uint32_t mask = is_host ? HOST_BIT - 1 : (1U << KIND_SHIFT) - 1;

    return (struct index_entry){
        .segment = (uint16_t)(slot >> SEGMENT_SHIFT),
        .kind = is_host ? (uint8_t)INDEX_HOST : (uint8_t)(slot >> KIND_SHIFT & KIND_MASK),
        .number = ((uint32_t)slot & mask) - 1,
    };
}

void index_name(const struct index *index, const struct segment *segment, struct index_entry entry,
                struct name *name)
{
    if (entry.kind == INDEX_HOST) {
        const struct host *host = &segment->hosts[entry.number];
        memcpy(name->octets, segment->texts + host->octets, host->length);
        memset(name->octets + host->length, 0, 16);
        name->length = host->length;
        name->label_count = 0;
        for (const uint8_t *at = name->octets; *at != 0; at += *at + 1U)
            name->label_count++;
        return;
    }
    const struct app_entry *app = &segment->apps[entry.number];
    name_join(name, segment->texts + app->name, app->name_length, index->apps_suffix.octets,
              index->apps_suffix.length);
}

/* ---- keys that are not names ---- */

/* Names of spaces and ids are far shorter than a key; who looks for a longer one finds nothing. */
static void key_write(struct name *key, uint8_t mark, const char *text)
{
    size_t length = strnlen(text, NAME_MAX_OCTETS - 1);

    key->octets[0] = mark;
    memcpy(key->octets + 1, text, length);
    memset(key->octets + 1 + length, 0, 16);
    key->length = (uint8_t)(1 + length);
    key->label_count = 0;
}

static uint8_t mark_of(struct index_entry entry)
{
    return entry.kind == INDEX_SPACE ? SPACE_MARK : ID_MARK;
}

/* NULL: an app or space without an id. */
static const char *key_text(const struct segment *segment, struct index_entry entry)
{
    if (entry.kind == INDEX_SPACE)
        return segment->name;
    if (entry.kind == INDEX_SPACE_ID)
        return segment->id;
    return segment->app_ids == NULL ? NULL : segment->app_ids[entry.number];
}

static bool is_key_of(const struct segment *segment, struct index_entry entry,
                      const struct name *key)
{
    const char *text = key_text(segment, entry);

    return key->octets[0] == mark_of(entry) && strlen(text) == key->length - 1U &&
           memcmp(text, key->octets + 1, key->length - 1U) == 0;
}

static bool find_key(const struct index *index, const struct segment *const *segments, uint8_t mark,
                     const char *text, struct index_entry *found)
{
    struct name key;

    key_write(&key, mark, text);
    return index_find(index, segments, &key, index_hash(index, &key), found);
}

bool index_find_id(const struct index *index, const struct segment *const *segments, const char *id,
                   struct index_entry *found)
{
    return find_key(index, segments, ID_MARK, id, found);
}

bool index_find_space(const struct index *index, const struct segment *const *segments,
                      const char *space, struct index_entry *found)
{
    return find_key(index, segments, SPACE_MARK, space, found);
}

/* The key of any entry. */
static void entry_key(const struct index *index, const struct segment *segment,
                      struct index_entry entry, struct name *key)
{
    if (entry.kind == INDEX_APP || entry.kind == INDEX_HOST)
        index_name(index, segment, entry, key);
    else
        key_write(key, mark_of(entry), key_text(segment, entry));
}

/* ---- finding ---- */

static bool is_entry_of(const struct index *index, const struct segment *segment,
                        struct index_entry entry, const struct name *name)
{
    if (entry.kind == INDEX_HOST) {
        const struct host *host = &segment->hosts[entry.number];
        return name_equals(name, segment->texts + host->octets, host->length);
    }
    if (entry.kind != INDEX_APP)
        return is_key_of(segment, entry, name);
    const struct app_entry *app = &segment->apps[entry.number];
    size_t label = app->name_length;
    return name->octets[0] == label && name->length == 1 + label + index->apps_suffix.length &&
           octets_equal(name->octets + 1, segment->texts + app->name, label) &&
           octets_equal(name->octets + 1 + label, index->apps_suffix.octets,
                        index->apps_suffix.length);
}

/*
 * Finds the next slot with the hash's tag from `*at`. Returns it, or 0 at the end of the run, which
 * is short because a third of the slots are empty.
 */
static inline uint64_t next_with_tag(const struct index *index, uint64_t hash, uint32_t *at)
{
    const struct index_shard *shard = index->shards[hash >> 56];
    uint32_t mask = index->masks[hash >> 56];
    uint64_t tag = hash >> 32 & 0xffffff;

    while (shard->slots[*at & mask] != 0 && shard->slots[*at & mask] >> TAG_SHIFT != tag)
        ++*at;
    return shard->slots[*at & mask];
}

static uint32_t home_of(uint64_t hash)
{
    return hash >> 32 & 0xffffff;
}

bool index_find(const struct index *index, const struct segment *const *segments,
                const struct name *name, uint64_t hash, struct index_entry *found)
{
    uint32_t at = home_of(hash);

    for (uint64_t slot = next_with_tag(index, hash, &at); slot != 0;
         at++, slot = next_with_tag(index, hash, &at)) {
        struct index_entry entry = entry_of(slot);
        if (is_entry_of(index, segments[entry.segment], entry, name)) {
            *found = entry;
            return true;
        }
    }
    return false;
}

bool index_find_hash(const struct index *index, const struct segment *const *segments,
                     uint64_t hash, struct index_entry *found)
{
    uint32_t at = home_of(hash);
    struct name name;

    for (uint64_t slot = next_with_tag(index, hash, &at); slot != 0;
         at++, slot = next_with_tag(index, hash, &at)) {
        struct index_entry entry = entry_of(slot);
        entry_key(index, segments[entry.segment], entry, &name);
        if (index_hash(index, &name) == hash) {
            *found = entry;
            return true;
        }
    }
    return false;
}

/* Reads the first slot with the hash's tag. Returns false when there is none. */
static inline bool first_with_tag(const struct index *index, uint64_t hash,
                                  struct index_entry *entry)
{
    uint32_t at = home_of(hash);
    uint64_t slot = next_with_tag(index, hash, &at);

    *entry = entry_of(slot);
    return slot != 0;
}

void index_prefetch_entry(const struct index *index, const struct segment *const *segments,
                          uint64_t hash)
{
    struct index_entry entry;

    if (!first_with_tag(index, hash, &entry))
        return;
    const struct segment *segment = segments[entry.segment];
    if (entry.kind == INDEX_HOST)
        __builtin_prefetch(&segment->hosts[entry.number]);
    else
        __builtin_prefetch(&segment->apps[entry.number]);
}

void index_prefetch_text(const struct index *index, const struct segment *const *segments,
                         uint64_t hash)
{
    struct index_entry entry;

    if (!first_with_tag(index, hash, &entry))
        return;
    const struct segment *segment = segments[entry.segment];
    uint32_t text = entry.kind == INDEX_HOST ? segment->hosts[entry.number].octets
                                             : segment->apps[entry.number].name;
    __builtin_prefetch(segment->texts + text);
}

static struct index_shard *shard_new(size_t entries)
{
    size_t slots = FIRST_SLOTS;
    while (slots * 2 < entries * 3)
        slots *= 2;
    struct index_shard *shard = calloc(1, sizeof *shard + slots * sizeof shard->slots[0]);
    if (shard != NULL) {
        shard->holds = 1;
        shard->mask = (uint32_t)(slots - 1);
    }
    return shard;
}

static void shard_release(struct index_shard *shard)
{
    if (shard != NULL && --shard->holds == 0)
        free(shard);
}

static void put(struct index_shard *shard, uint64_t slot)
{
    uint32_t at = (uint32_t)(slot >> TAG_SHIFT) & shard->mask;

    while (shard->slots[at] != 0)
        at = (at + 1) & shard->mask;
    shard->slots[at] = slot;
    shard->used++;
}

/* The state of index_build. */
struct build {
    const struct index_change *change;
    struct index *next;
    bool touched[INDEX_SHARDS];
    struct addition *additions; /* grouped by shard */
    size_t starts[INDEX_SHARDS + 1];
    index_clash_fn *on_clash;
    void *context;
};

typedef void each_fn(struct build *build, uint64_t hash, uint64_t slot);

static void visit(struct build *build, const struct segment *segment, struct index_entry entry,
                  each_fn *each)
{
    struct name key;

    entry_key(build->next, segment, entry, &key);
    uint64_t hash = index_hash(build->next, &key);
    each(build, hash, slot_of(hash, entry));
}

/* Calls `each` for every key of a segment. */
static void walk_keys(struct build *build, const struct segment *segment, size_t number,
                      each_fn *each)
{
    struct index_entry entry = {.segment = (uint16_t)number, .kind = INDEX_SPACE};

    visit(build, segment, entry, each);
    entry.kind = INDEX_SPACE_ID;
    if (segment->id != NULL)
        visit(build, segment, entry, each);
    for (entry.number = 0; entry.number < segment->app_count; entry.number++) {
        entry.kind = INDEX_APP;
        visit(build, segment, entry, each);
        entry.kind = INDEX_APP_ID;
        if (key_text(segment, entry) != NULL)
            visit(build, segment, entry, each);
    }
    entry.kind = INDEX_HOST;
    for (entry.number = 0; entry.number < segment->host_count; entry.number++)
        visit(build, segment, entry, each);
}

static void touch(struct build *build, uint64_t hash, uint64_t slot)
{
    (void)slot;
    build->touched[hash >> 56] = true;
}

static void count_addition(struct build *build, uint64_t hash, uint64_t slot)
{
    (void)slot;
    build->touched[hash >> 56] = true;
    build->starts[(hash >> 56) + 1]++;
}

static void place_addition(struct build *build, uint64_t hash, uint64_t slot)
{
    build->additions[build->starts[hash >> 56]++] = (struct addition){.hash = hash, .slot = slot};
}

/* Lists all added keys grouped by shard: counts first, then fills. */
static bool list_additions(struct build *build)
{
    const struct index_change *change = build->change;

    for (size_t i = 0; i < change->segment_count; i++) {
        if (change->dropped[i] != NULL)
            walk_keys(build, change->dropped[i], i, touch);
        if (change->added[i])
            walk_keys(build, change->segments[i], i, count_addition);
    }
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        build->starts[i + 1] += build->starts[i];
    build->additions = malloc((build->starts[INDEX_SHARDS] + 1) * sizeof *build->additions);
    if (build->additions == NULL)
        return false;
    for (size_t i = 0; i < change->segment_count; i++)
        if (change->added[i])
            walk_keys(build, change->segments[i], i, place_addition);
    /* Filling moved every start to its group's end. */
    memmove(build->starts + 1, build->starts, INDEX_SHARDS * sizeof build->starts[0]);
    build->starts[0] = 0;
    return true;
}

/* Finds an entry of the same key already in the shard under construction. */
static bool find_clash(struct build *build, const struct addition *addition,
                       struct index_entry *older)
{
    const struct segment *const *segments = build->change->segments;
    struct index_entry newer = entry_of(addition->slot);
    struct name key;

    entry_key(build->next, segments[newer.segment], newer, &key);
    return index_find(build->next, segments, &key, addition->hash, older);
}

static bool build_shard(struct build *build, size_t number)
{
    const struct index_change *change = build->change;
    const struct index_shard *before =
        change->before == NULL ? NULL : change->before->shards[number];
    size_t first = build->starts[number], end = build->starts[number + 1];
    struct index_shard *shard = shard_new((before == NULL ? 0 : before->used) + end - first);

    build->next->shards[number] = shard;
    if (shard == NULL)
        return false;
    build->next->masks[number] = shard->mask;
    for (size_t i = 0; before != NULL && i <= before->mask; i++) {
        uint64_t slot = before->slots[i];
        if (slot != 0 && change->dropped[entry_of(slot).segment] == NULL)
            put(shard, slot);
    }
    for (size_t i = first; i < end; i++) {
        struct index_clash clash = {.newer = entry_of(build->additions[i].slot)};
        if (find_clash(build, &build->additions[i], &clash.older))
            build->on_clash(build->context, &clash);
        else
            put(shard, build->additions[i].slot);
    }
    return true;
}

bool index_build(struct index *next, const struct index_change *change, index_clash_fn *on_clash,
                 void *context)
{
    struct build build = {.change = change, .next = next, .on_clash = on_clash, .context = context};
    bool built = list_additions(&build);

    for (size_t i = 0; i < INDEX_SHARDS; i++)
        next->shards[i] = NULL;
    for (size_t i = 0; i < INDEX_SHARDS && built; i++) {
        if (change->before != NULL && !build.touched[i]) {
            next->shards[i] = change->before->shards[i];
            next->masks[i] = change->before->masks[i];
            next->shards[i]->holds++;
        } else {
            built = build_shard(&build, i);
        }
    }
    free(build.additions);
    if (!built)
        index_close(next);
    return built;
}

void index_share(struct index *next, const struct index *index)
{
    *next = *index;
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        next->shards[i]->holds++;
}

void index_close(struct index *index)
{
    for (size_t i = 0; i < INDEX_SHARDS; i++) {
        shard_release(index->shards[i]);
        index->shards[i] = NULL;
    }
}

size_t index_octets(const struct index *index)
{
    size_t octets = 0;

    for (size_t i = 0; i < INDEX_SHARDS; i++)
        octets += sizeof *index->shards[i] +
                  (index->shards[i]->mask + 1) * sizeof index->shards[i]->slots[0];
    return octets;
}

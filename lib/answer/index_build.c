/* The next index out of the one before and what has changed. */
#include "answer/index.h"

#include <stdlib.h>

#include "answer/index_slot.h"

enum { FIRST_SLOTS = 16 };

/* A key to be added: its hash and its slot. */
struct addition {
    uint64_t hash;
    uint64_t slot;
};

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

/* Gives the place of one entry to another of the same key. */
static void replace(struct index_shard *shard, uint64_t former, uint64_t slot)
{
    uint32_t at = (uint32_t)(former >> TAG_SHIFT) & shard->mask;

    while (shard->slots[at] != former)
        at = (at + 1) & shard->mask;
    shard->slots[at] = slot;
}

/* The state of index_build. */
struct build {
    const struct index_change *change;
    struct index *next;
    bool touched[INDEX_SHARDS];
    struct addition *additions; /* grouped by shard */
    size_t starts[INDEX_SHARDS + 1];
    struct index_waiting *waiting; /* of the next index; NULL: none */
    uint32_t waiting_capacity;
    index_clash_fn *on_clash;
    void *context;
};

typedef void each_fn(struct build *build, uint64_t hash, uint64_t slot);

static uint64_t hash_of_key(const struct build *build, const struct segment *segment,
                            struct index_entry entry)
{
    struct name key;

    index_key(build->next, segment, entry, &key);
    return index_hash(build->next, &key);
}

static void visit(struct build *build, const struct segment *segment, struct index_entry entry,
                  each_fn *each)
{
    uint64_t hash = hash_of_key(build, segment, entry);

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
        if (segment->app_ids != NULL && segment->app_ids[entry.number] != NULL)
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
    build->starts[(hash >> 56) + 1]++;
}

static void place_addition(struct build *build, uint64_t hash, uint64_t slot)
{
    build->additions[build->starts[hash >> 56]++] = (struct addition){.hash = hash, .slot = slot};
}

/* ---- what has changed ---- */

static bool has_key(const struct segment *segment, struct index_entry entry)
{
    if (segment == NULL)
        return false;
    switch ((enum index_kind)entry.kind) {
    case INDEX_SPACE:
        return true;
    case INDEX_SPACE_ID:
        return segment->id != NULL;
    case INDEX_APP:
        return entry.number < segment->app_count;
    case INDEX_APP_ID:
        return entry.number < segment->app_count && segment->app_ids != NULL &&
               segment->app_ids[entry.number] != NULL;
    case INDEX_HOST:
        return entry.number < segment->host_count;
    case INDEX_NOTHING:
        break;
    }
    return false;
}

/* Touches the shards of an entry's key before and after, unless it is the same. */
static void touch_change(struct build *build, const struct segment *dropped,
                         const struct segment *added, struct index_entry entry)
{
    bool was_there = has_key(dropped, entry), is_there = has_key(added, entry);
    uint64_t before = was_there ? hash_of_key(build, dropped, entry) : 0;
    uint64_t after = is_there ? hash_of_key(build, added, entry) : 0;

    if (was_there && is_there && before == after)
        return;
    if (was_there)
        touch(build, before, 0);
    if (is_there)
        touch(build, after, 0);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/*
 * Touches what differs between two segments of one number, of which one may be NULL. Mostly it is
 * one file before and after, with the same names and hence the same slots.
 */
static void touch_changes(struct build *build, const struct segment *dropped,
                          const struct segment *added, size_t number)
{
    struct index_entry entry = {.segment = (uint16_t)number, .kind = INDEX_SPACE};
    size_t apps =
        larger(dropped == NULL ? 0 : dropped->app_count, added == NULL ? 0 : added->app_count);
    size_t hosts =
        larger(dropped == NULL ? 0 : dropped->host_count, added == NULL ? 0 : added->host_count);

    touch_change(build, dropped, added, entry);
    entry.kind = INDEX_SPACE_ID;
    touch_change(build, dropped, added, entry);
    for (entry.number = 0; entry.number < apps; entry.number++) {
        entry.kind = INDEX_APP;
        touch_change(build, dropped, added, entry);
        entry.kind = INDEX_APP_ID;
        touch_change(build, dropped, added, entry);
    }
    entry.kind = INDEX_HOST;
    for (entry.number = 0; entry.number < hosts; entry.number++)
        touch_change(build, dropped, added, entry);
}

/* Entries that have waited may have their keys now, and others may take theirs. */
static void touch_waiting(struct build *build)
{
    const struct index_change *change = build->change;
    const struct index_waiting *waiting = change->before->waiting;

    for (uint32_t i = 0; waiting != NULL && i < waiting->count; i++) {
        struct index_entry entry = waiting->entries[i];
        const struct segment *dropped = change->dropped[entry.segment];
        visit(build, dropped != NULL ? dropped : change->segments[entry.segment], entry, touch);
    }
}

static void touch_shards(struct build *build)
{
    const struct index_change *change = build->change;

    for (size_t i = 0; i < INDEX_SHARDS && change->before == NULL; i++)
        build->touched[i] = true;
    if (change->before == NULL)
        return;
    for (size_t i = 0; i < change->segment_count; i++) {
        const struct segment *added = change->added[i] ? change->segments[i] : NULL;
        if (change->dropped[i] != NULL || added != NULL)
            touch_changes(build, change->dropped[i], added, i);
    }
    touch_waiting(build);
}

/* ---- what is added ---- */

/* Calls `each` for every key that is claimed by an entry that has waited. */
static void walk_waiting(struct build *build, each_fn *each)
{
    const struct index_change *change = build->change;
    const struct index_waiting *waiting = change->before == NULL ? NULL : change->before->waiting;

    for (uint32_t i = 0; waiting != NULL && i < waiting->count; i++) {
        struct index_entry entry = waiting->entries[i];
        if (change->dropped[entry.segment] == NULL)
            visit(build, change->segments[entry.segment], entry, each);
    }
}

static bool touches_any(const struct build *build)
{
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        if (build->touched[i])
            return true;
    return false;
}

/*
 * Lists all added keys grouped by shard: counts first, then fills. Those of shards that are not
 * touched are in them already.
 */
static bool list_additions(struct build *build)
{
    const struct index_change *change = build->change;

    if (!touches_any(build))
        return true;
    for (size_t i = 0; i < change->segment_count; i++)
        if (change->added[i])
            walk_keys(build, change->segments[i], i, count_addition);
    walk_waiting(build, count_addition);
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        build->starts[i + 1] += build->starts[i];
    build->additions = malloc((build->starts[INDEX_SHARDS] + 1) * sizeof *build->additions);
    if (build->additions == NULL)
        return false;
    for (size_t i = 0; i < change->segment_count; i++)
        if (change->added[i])
            walk_keys(build, change->segments[i], i, place_addition);
    walk_waiting(build, place_addition);
    /* Filling moved every start to its group's end. */
    memmove(build->starts + 1, build->starts, INDEX_SHARDS * sizeof build->starts[0]);
    build->starts[0] = 0;
    return true;
}

/* ---- entries that wait ---- */

static int compare_entries(const void *a, const void *b)
{
    const struct index_entry *left = a, *right = b;

    if (left->segment != right->segment)
        return left->segment < right->segment ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

static bool let_wait(struct build *build, struct index_entry entry)
{
    struct index_waiting *waiting = build->waiting;
    uint32_t count = waiting == NULL ? 0 : waiting->count;

    if (waiting == NULL || count == build->waiting_capacity) {
        uint32_t capacity = count == 0 ? 4 : 2 * count;
        waiting = realloc(waiting, index_waiting_octets(capacity));
        if (waiting == NULL)
            return false;
        build->waiting = waiting;
        build->waiting_capacity = capacity;
    }
    waiting->entries[count] = entry;
    waiting->count = count + 1;
    waiting->holds = 1;
    return true;
}

static void hand_waiting(struct build *build)
{
    struct index_waiting *waiting = build->waiting;

    build->next->waiting = waiting;
    if (waiting != NULL)
        qsort(waiting->entries, waiting->count, sizeof waiting->entries[0], compare_entries);
}

static void waiting_release(struct index_waiting *waiting)
{
    if (waiting != NULL && --waiting->holds == 0)
        free(waiting);
}

/* ---- building ---- */

static bool add(struct build *build, struct index_shard *shard, const struct addition *addition)
{
    struct index_clash clash = {.newer = entry_of(addition->slot)};

    if (!index_find_same(build->next, build->change->segments, clash.newer, addition->hash,
                         &clash.older)) {
        put(shard, addition->slot);
        return true;
    }
    if (!build->on_clash(build->context, &clash))
        return let_wait(build, clash.newer);
    replace(shard, slot_of(addition->hash, clash.older), addition->slot);
    return let_wait(build, clash.older);
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
    for (size_t i = first; i < end; i++)
        if (!add(build, shard, &build->additions[i]))
            return false;
    return true;
}

bool index_build(struct index *next, const struct index_change *change, index_clash_fn *on_clash,
                 void *context)
{
    struct build build = {.change = change, .next = next, .on_clash = on_clash, .context = context};

    touch_shards(&build);
    bool built = list_additions(&build);
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        next->shards[i] = NULL;
    for (size_t i = 0; i < INDEX_SHARDS && built; i++) {
        if (!build.touched[i]) {
            next->shards[i] = change->before->shards[i];
            next->masks[i] = change->before->masks[i];
            next->shards[i]->holds++;
        } else {
            built = build_shard(&build, i);
        }
    }
    free(build.additions);
    hand_waiting(&build);
    if (!built)
        index_close(next);
    return built;
}

void index_share(struct index *next, const struct index *index)
{
    *next = *index;
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        next->shards[i]->holds++;
    if (next->waiting != NULL)
        next->waiting->holds++;
}

void index_close(struct index *index)
{
    for (size_t i = 0; i < INDEX_SHARDS; i++) {
        shard_release(index->shards[i]);
        index->shards[i] = NULL;
    }
    waiting_release(index->waiting);
    index->waiting = NULL;
}

size_t index_octets(const struct index *index)
{
    size_t octets = 0;

    for (size_t i = 0; i < INDEX_SHARDS; i++)
        octets += sizeof *index->shards[i] +
                  (index->shards[i]->mask + 1) * sizeof index->shards[i]->slots[0];
    if (index->waiting != NULL)
        octets += index_waiting_octets(index->waiting->count);
    return octets;
}

#include "answer/index.h"

#include <string.h>

#include "answer/index_slot.h"

/* First octets of keys that are not names, beyond any label's length. */
enum { ID_MARK = 0xff, SPACE_MARK = 0xfe };

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

static bool is_name(struct index_entry entry)
{
    return entry.kind == INDEX_APP || entry.kind == INDEX_HOST;
}

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

void index_key(const struct index *index, const struct segment *segment, struct index_entry entry,
               struct name *key)
{
    if (is_name(entry))
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

bool index_find_same(const struct index *index, const struct segment *const *segments,
                     struct index_entry entry, uint64_t hash, struct index_entry *found)
{
    struct name key;

    index_key(index, segments[entry.segment], entry, &key);
    return index_find(index, segments, &key, hash, found);
}

bool index_find_owner(const struct index *index, const struct segment *const *segments,
                      struct index_entry waiting, struct index_entry *owner)
{
    struct name key;

    index_key(index, segments[waiting.segment], waiting, &key);
    return index_find(index, segments, &key, index_hash(index, &key), owner);
}

bool index_find_hash(const struct index *index, const struct segment *const *segments,
                     uint64_t hash, struct index_entry *found)
{
    uint32_t at = home_of(hash);
    struct name name;

    for (uint64_t slot = next_with_tag(index, hash, &at); slot != 0;
         at++, slot = next_with_tag(index, hash, &at)) {
        struct index_entry entry = entry_of(slot);
        index_key(index, segments[entry.segment], entry, &name);
        if (index_hash(index, &name) == hash) {
            *found = entry;
            return true;
        }
    }
    return false;
}

struct index_entry index_guess(const struct index *index, uint64_t hash)
{
    uint32_t at = home_of(hash);

    for (uint64_t slot = next_with_tag(index, hash, &at); slot != 0;
         at++, slot = next_with_tag(index, hash, &at)) {
        struct index_entry entry = entry_of(slot);
        if (is_name(entry))
            return entry;
    }
    return (struct index_entry){.kind = INDEX_NOTHING};
}

bool index_is_of(const struct index *index, const struct segment *const *segments,
                 struct index_entry entry, const struct name *name)
{
    return is_entry_of(index, segments[entry.segment], entry, name);
}

void index_prefetch_entry(const struct segment *const *segments, struct index_entry guess)
{
    const struct segment *segment = segments[guess.segment];

    if (guess.kind == INDEX_HOST)
        __builtin_prefetch(&segment->hosts[guess.number]);
    else
        __builtin_prefetch(&segment->apps[guess.number]);
}

void index_prefetch_text(const struct segment *const *segments, struct index_entry guess)
{
    const struct segment *segment = segments[guess.segment];
    uint32_t text = guess.kind == INDEX_HOST ? segment->hosts[guess.number].octets
                                             : segment->apps[guess.number].name;

    __builtin_prefetch(segment->texts + text);
}

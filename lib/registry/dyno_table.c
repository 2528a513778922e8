#include "registry/dyno_table.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST = 64 };

/* ---- slots ---- */

/* FNV-1a, finished so that the low bits depend on all octets. Writers of the registry are trusted
 * with far more than the time that a long probe takes. */
static uint32_t hash_text(uint32_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return (hash ^ '/') * 16777619u;
}

static uint32_t hash_names(const char *space, const char *app, const char *type)
{
    uint32_t hash = hash_text(hash_text(hash_text(2166136261u, space), app), type);

    hash ^= hash >> 15;
    hash *= 0x2c1b3c6du;
    return hash ^ hash >> 13;
}

static bool is_of(const struct dyno_key *key, const char *space, const char *app, const char *type)
{
    return strcmp(key->app, app) == 0 && strcmp(key->type, type) == 0 &&
           strcmp(key->space, space) == 0;
}

/* The slot of the name, or the free one where it would be. There is a free one. */
static size_t probe(const struct dyno_table *table, uint32_t hash, const char *space,
                    const char *app, const char *type)
{
    size_t at = hash & (table->capacity - 1);

    while (table->slots[at].key != NULL &&
           (table->slots[at].hash != hash || !is_of(table->slots[at].key, space, app, type)))
        at = (at + 1) & (table->capacity - 1);
    return at;
}

struct dyno_slot *dyno_table_find(const struct dyno_table *table, const char *space,
                                  const char *app, const char *type)
{
    if (table->count == 0)
        return NULL;
    size_t at = probe(table, hash_names(space, app, type), space, app, type);
    return table->slots[at].key == NULL ? NULL : &table->slots[at];
}

static void rehash(struct dyno_table *wider, const struct dyno_table *table)
{
    for (size_t i = 0; i < table->capacity; i++) {
        const struct dyno_slot *slot = &table->slots[i];
        if (slot->key == NULL)
            continue;
        size_t at = slot->hash & (wider->capacity - 1);
        while (wider->slots[at].key != NULL)
            at = (at + 1) & (wider->capacity - 1);
        wider->slots[at] = *slot;
    }
}

static bool make_room(struct dyno_table *table)
{
    if ((table->count + 1) * 4 <= table->capacity * 3)
        return true;
    struct dyno_table wider = {.capacity = table->capacity == 0 ? LEAST : 2 * table->capacity,
                               .count = table->count};
    wider.slots = calloc(wider.capacity, sizeof *wider.slots);
    if (wider.slots == NULL)
        return false;
    rehash(&wider, table);
    free(table->slots);
    *table = wider;
    return true;
}

/* ---- keys ---- */

bool dyno_table_put(struct dyno_table *table, struct dyno_key *key, uint32_t mark)
{
    if (!make_room(table)) {
        dyno_key_free(key);
        return false;
    }
    uint32_t hash = hash_names(key->space, key->app, key->type);
    struct dyno_slot *slot = &table->slots[probe(table, hash, key->space, key->app, key->type)];
    table->count += slot->key == NULL;
    if (slot->key != key)
        dyno_key_free(slot->key);
    *slot = (struct dyno_slot){.key = key, .hash = hash, .mark = mark};
    return true;
}

/* Frees a slot and moves up what probes have passed over it. */
static void empty_slot(struct dyno_table *table, size_t at)
{
    size_t mask = table->capacity - 1, next = at;

    for (;;) {
        next = (next + 1) & mask;
        const struct dyno_slot *slot = &table->slots[next];
        if (slot->key == NULL)
            break;
        size_t home = slot->hash & mask;
        if (((next - home) & mask) < ((next - at) & mask))
            continue;
        table->slots[at] = *slot;
        at = next;
    }
    table->slots[at] = (struct dyno_slot){.key = NULL};
    table->count--;
}

struct dyno_key *dyno_table_take(struct dyno_table *table, const char *space, const char *app,
                                 const char *type)
{
    struct dyno_slot *slot = dyno_table_find(table, space, app, type);
    struct dyno_key *key = slot == NULL ? NULL : slot->key;

    if (slot != NULL)
        empty_slot(table, (size_t)(slot - table->slots));
    return key;
}

void dyno_table_drop(struct dyno_table *table, const char *space, const char *app, const char *type)
{
    dyno_key_free(dyno_table_take(table, space, app, type));
}

bool dyno_table_move(struct dyno_table *to, struct dyno_table *from)
{
    bool passed = true;

    if (to->count == 0) {
        free(to->slots);
        *to = *from;
        *from = (struct dyno_table){.count = 0};
        return true;
    }
    for (size_t i = 0; i < from->capacity; i++) {
        struct dyno_key *key = from->slots[i].key;
        if (key == NULL)
            continue;
        if (dyno_table_find(to, key->space, key->app, key->type) != NULL)
            dyno_key_free(key);
        else
            passed &= dyno_table_put(to, key, from->slots[i].mark);
    }
    free(from->slots);
    *from = (struct dyno_table){.count = 0};
    return passed;
}

static int compare_keys(const void *a, const void *b)
{
    const struct dyno_key *const *one = a, *const *other = b;

    return dyno_key_compare(*one, *other);
}

size_t dyno_table_list(const struct dyno_table *table, const struct dyno_key **keys)
{
    size_t count = 0;

    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i].key != NULL)
            keys[count++] = table->slots[i].key;
    if (count > 0)
        qsort(keys, count, sizeof *keys, compare_keys);
    return count;
}

void dyno_table_close(struct dyno_table *table)
{
    for (size_t i = 0; i < table->capacity; i++)
        dyno_key_free(table->slots[i].key);
    free(table->slots);
    *table = (struct dyno_table){.count = 0};
}

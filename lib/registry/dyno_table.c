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

/* Where in the index the name is, or would be. Some of the index is free. */
static size_t probe(const struct dyno_table *table, uint32_t hash, const char *space,
                    const char *app, const char *type)
{
    size_t at = hash & (table->capacity - 1);

    for (; table->index[at] != 0; at = (at + 1) & (table->capacity - 1)) {
        const struct dyno_slot *slot = &table->slots[table->index[at] - 1];
        if (slot->hash == hash && is_of(slot->key, space, app, type))
            break;
    }
    return at;
}

struct dyno_slot *dyno_table_find(const struct dyno_table *table, const char *space,
                                  const char *app, const char *type)
{
    if (table->count == 0)
        return NULL;
    size_t at = probe(table, hash_names(space, app, type), space, app, type);
    return table->index[at] == 0 ? NULL : &table->slots[table->index[at] - 1];
}

/* ---- room ---- */

static size_t room_of(size_t capacity)
{
    return capacity / 4 * 3;
}

/* Moves the keys to the slots of a table without any. */
static void move_slots(struct dyno_table *to, const struct dyno_table *from)
{
    for (size_t i = 0; i < from->used; i++) {
        if (from->slots[i].key == NULL)
            continue;
        size_t at = from->slots[i].hash & (to->capacity - 1);
        while (to->index[at] != 0)
            at = (at + 1) & (to->capacity - 1);
        to->slots[to->used++] = from->slots[i];
        to->index[at] = (uint32_t)to->used;
    }
    to->count = to->used;
}

static void free_slots(struct dyno_table *table)
{
    free(table->slots);
    free(table->index);
    *table = (struct dyno_table){.count = 0};
}

/* Without a slot left, those of removed keys are taken back, or the table doubles. */
static bool make_room(struct dyno_table *table)
{
    if (table->used < room_of(table->capacity))
        return true;
    struct dyno_table wider = {.capacity = LEAST};
    while (room_of(wider.capacity) <= table->count + table->count / 2)
        wider.capacity *= 2;
    if (wider.capacity > UINT32_MAX)
        return false;
    wider.slots = malloc(room_of(wider.capacity) * sizeof *wider.slots);
    wider.index = calloc(wider.capacity, sizeof *wider.index);
    if (wider.slots == NULL || wider.index == NULL) {
        free_slots(&wider);
        return false;
    }
    move_slots(&wider, table);
    free_slots(table);
    table->slots = wider.slots;
    table->used = wider.used;
    table->index = wider.index;
    table->capacity = wider.capacity;
    table->count = wider.count;
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
    size_t at = probe(table, hash, key->space, key->app, key->type);
    if (table->index[at] == 0) {
        table->slots[table->used++] = (struct dyno_slot){.key = NULL};
        table->index[at] = (uint32_t)table->used;
        table->count++;
    }
    struct dyno_slot *slot = &table->slots[table->index[at] - 1];
    if (slot->key != key)
        dyno_key_free(slot->key);
    *slot = (struct dyno_slot){.key = key, .hash = hash, .mark = mark};
    return true;
}

/* Frees a place of the index and moves up what probes have passed over it. */
static void empty_place(struct dyno_table *table, size_t at)
{
    size_t mask = table->capacity - 1, next = at;

    for (;;) {
        next = (next + 1) & mask;
        if (table->index[next] == 0)
            break;
        size_t home = table->slots[table->index[next] - 1].hash & mask;
        if (((next - home) & mask) < ((next - at) & mask))
            continue;
        table->index[at] = table->index[next];
        at = next;
    }
    table->index[at] = 0;
}

struct dyno_key *dyno_table_take(struct dyno_table *table, const char *space, const char *app,
                                 const char *type)
{
    if (table->count == 0)
        return NULL;
    size_t at = probe(table, hash_names(space, app, type), space, app, type);
    if (table->index[at] == 0)
        return NULL;
    struct dyno_slot *slot = &table->slots[table->index[at] - 1];
    struct dyno_key *key = slot->key;
    empty_place(table, at);
    slot->key = NULL;
    table->count--;
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
        free_slots(to);
        *to = *from;
        *from = (struct dyno_table){.count = 0};
        return true;
    }
    for (size_t i = 0; i < from->used; i++) {
        struct dyno_key *key = from->slots[i].key;
        if (key == NULL)
            continue;
        if (dyno_table_find(to, key->space, key->app, key->type) != NULL)
            dyno_key_free(key);
        else
            passed &= dyno_table_put(to, key, from->slots[i].mark);
    }
    free_slots(from);
    return passed;
}

static int compare_keys(const void *a, const void *b)
{
    const struct dyno_key *const *one = a, *const *other = b;

    return dyno_key_compare(*one, *other);
}

size_t dyno_table_list(const struct dyno_table *table, const struct dyno_key **keys)
{
    bool is_sorted = true;
    size_t count = 0;

    for (size_t i = 0; i < table->used; i++) {
        if (table->slots[i].key == NULL)
            continue;
        keys[count] = table->slots[i].key;
        is_sorted = is_sorted && (count == 0 || compare_keys(&keys[count - 1], &keys[count]) < 0);
        count++;
    }
    if (!is_sorted)
        qsort(keys, count, sizeof *keys, compare_keys);
    return count;
}

void dyno_table_close(struct dyno_table *table)
{
    for (size_t i = 0; i < table->used; i++)
        dyno_key_free(table->slots[i].key);
    free_slots(table);
}

#include "yaml/yaml_keys.h"

#include <stdlib.h>

enum { KEYS_FIRST = 64 };

static size_t slot_of(const struct yaml_keys *keys, uint64_t hash)
{
    return (size_t)hash & (2 * keys->size - 1);
}

static size_t slot_after(const struct yaml_keys *keys, size_t slot)
{
    return (slot + 1) & (2 * keys->size - 1);
}

static void link_key(struct yaml_keys *keys, size_t position)
{
    size_t slot = slot_of(keys, keys->stack[position].hash);

    while (keys->slots[slot] != 0)
        slot = slot_after(keys, slot);
    keys->slots[slot] = (uint32_t)position + 1;
}

static bool widen(struct yaml_keys *keys)
{
    size_t size = keys->size == 0 ? KEYS_FIRST : keys->size * 2;
    struct yaml_key *stack = realloc(keys->stack, size * sizeof *stack);
    if (stack == NULL)
        return false;
    keys->stack = stack;
    uint32_t *slots = calloc(2 * size, sizeof *slots);
    if (slots == NULL)
        return false;
    free(keys->slots);
    keys->slots = slots;
    keys->size = size;
    for (size_t i = 0; i < keys->count; i++)
        link_key(keys, i);
    return true;
}

uint32_t yaml_keys_find(const struct yaml_keys *keys, uint64_t hash)
{
    for (size_t slot = slot_of(keys, hash); keys->slots[slot] != 0; slot = slot_after(keys, slot)) {
        const struct yaml_key *key = &keys->stack[keys->slots[slot] - 1];
        if (key->hash == hash)
            return key->line;
    }
    return 0;
}

void yaml_keys_cut(struct yaml_keys *keys, size_t count)
{
    while (keys->count > count) {
        size_t slot = slot_of(keys, keys->stack[keys->count - 1].hash);
        while (keys->slots[slot] != keys->count)
            slot = slot_after(keys, slot);
        keys->slots[slot] = 0;
        keys->count--;
    }
}

bool yaml_keys_init(struct yaml_keys *keys)
{
    *keys = (struct yaml_keys){0};
    return widen(keys);
}

void yaml_keys_close(struct yaml_keys *keys)
{
    free(keys->stack);
    free(keys->slots);
}

bool yaml_keys_add(struct yaml_keys *keys, uint64_t hash, uint32_t line)
{
    if (keys->count == keys->size && !widen(keys))
        return false;
    keys->stack[keys->count] = (struct yaml_key){.hash = hash, .line = line};
    link_key(keys, keys->count);
    keys->count++;
    return true;
}

#pragma once
/**
 * The keys of all open mappings while YAML is read; internal to yaml.c.
 *
 *     stack  [ outer keys ... | inner keys ... ]      grows as keys come
 *     slots  hash table with linear probing over positions in the stack
 *
 * Mappings close in the reverse order of their opening, so keys are removed in the reverse order of
 * their addition. So a slot can simply be emptied: no remaining key was displaced by it.
 *
 * Keys are identified by 64 bits of a keyed hash, against which no file can be prepared.
 *
 * Threads: as the reader.  Memory: from malloc, freed by yaml_keys_close.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct yaml_key {
    uint64_t hash;
    uint32_t line;
};

struct yaml_keys {
    struct yaml_key *stack;
    uint32_t *slots; /* position + 1; 0: empty */
    size_t count;
    size_t size; /* of the stack; there are twice as many slots */
};

/** Prepares an empty set. False without memory; yaml_keys_close is allowed then too. */
bool yaml_keys_init(struct yaml_keys *keys);

void yaml_keys_close(struct yaml_keys *keys);

/** Returns the line of the key, or 0. */
uint32_t yaml_keys_find(const struct yaml_keys *keys, uint64_t hash);

/** Adds a new key. Returns false without memory. */
bool yaml_keys_add(struct yaml_keys *keys, uint64_t hash, uint32_t line);

/** Removes the newest keys until `count` are left. */
void yaml_keys_cut(struct yaml_keys *keys, size_t count);

#pragma once
/**
 * A set of dyno keys, found by space, app and type: those that have changed, or that wait.
 *
 * Open addressing with linear probing; a slot is 16 octets, and at most three of four are taken.
 *
 * Threads: one.  Memory: owns its keys (dyno_key_free) and one malloc of slots.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/dyno_key.h"

struct dyno_slot {
    struct dyno_key *key; /* NULL: free */
    uint32_t hash;
    uint32_t mark; /* the owner's */
};

/** Starts as all zeros. */
struct dyno_table {
    struct dyno_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

/** The slot of a key; NULL: not there. Valid until the table changes. */
struct dyno_slot *dyno_table_find(const struct dyno_table *table, const char *space,
                                  const char *app, const char *type);

/**
 * Puts a key, in place of one of the same name, which is freed. Takes the key over. Returns false
 * without memory: the key is freed then.
 */
bool dyno_table_put(struct dyno_table *table, struct dyno_key *key, uint32_t mark);

/** Removes a key and returns it; NULL: not there. */
struct dyno_key *dyno_table_take(struct dyno_table *table, const char *space, const char *app,
                                 const char *type);

/** Removes a key and frees it, if it is there. */
void dyno_table_drop(struct dyno_table *table, const char *space, const char *app,
                     const char *type);

/** Moves all keys of `from`, except those that `to` has already, and empties `from`. */
bool dyno_table_move(struct dyno_table *to, struct dyno_table *from);

/**
 * Lists the keys in the order of dyno_key_compare, from `first` on: there is room for all. The
 * array is the caller's. Returns how many there are.
 */
size_t dyno_table_list(const struct dyno_table *table, const struct dyno_key **keys);

/** Frees all keys and the slots. */
void dyno_table_close(struct dyno_table *table);

#pragma once
/**
 * A set of dyno keys, found by space, app and type: those that have changed, or that wait.
 *
 *     index   . 3 . 1 . . 2 .        numbers of slots, by hash: open addressing, linear probing
 *     slots   key key key            in the order in which they came
 *
 * Keys mostly come in their order, of a read or of the disk, and are then listed without sorting.
 *
 * Size: some 21 to 43 octets a key, beside the key.
 * Threads: one.  Memory: owns its keys (dyno_key_free), one malloc of slots, one of the index.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/dyno_key.h"

struct dyno_slot {
    struct dyno_key *key; /* NULL: removed */
    uint32_t hash;
    uint32_t mark; /* the owner's */
};

/** Starts as all zeros. */
struct dyno_table {
    struct dyno_slot *slots; /* `used` of them, those that were removed included */
    size_t used;
    uint32_t *index; /* number of a slot + 1; 0: free */
    size_t capacity; /* of the index: a power of two, or 0 */
    size_t count;    /* of keys */
};

/** The slot of a key; NULL: not there. Valid until the next put or move. */
struct dyno_slot *dyno_table_find(const struct dyno_table *table, const char *space,
                                  const char *app, const char *type);

/**
 * Puts a key, in place of one of the same name, which is freed. Takes the key over. Returns false
 * without memory: the key is freed then.
 */
bool dyno_table_put(struct dyno_table *table, struct dyno_key *key, uint32_t mark);

/** Removes a key and returns it; NULL: not there. Other keys keep their slots. */
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

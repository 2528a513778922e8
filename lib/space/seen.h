#pragma once
/**
 * The set of keys seen so far, for the "given twice" rules.
 *
 * A key is a text or a number, with a salt that separates several kinds of keys in one set (a
 * wildcard and the same name without the wildcard, the dyno numbers of different process types).
 * The set stores 64 bits of a hash under a random key, so two different keys are taken for one with
 * a probability of about n²/2^65: one in ten million for a million keys. Adding is O(1).
 *
 * Threads: one thread.  Memory: 24 octets a slot from malloc, freed by seen_close.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "findings/location.h"

struct seen_entry {
    uint64_t hash; /* 0: empty slot */
    const void *owner;
    struct location at;
};

struct seen {
    struct hash_key key;
    struct seen_entry *slots;
    size_t mask;
    size_t count;
    bool is_out_of_memory; /* then no key is ever found */
};

/** Makes an empty set with room for `expected` keys; it grows if there are more. */
void seen_init(struct seen *seen, size_t expected);

void seen_close(struct seen *seen);

/**
 * Adds a text. Returns NULL if it is new, else its first entry, which is valid until the next call.
 */
const struct seen_entry *seen_add(struct seen *seen, uint64_t salt, const char *text,
                                  struct location at, const void *owner);

/** Like seen_add, ignoring the case of ASCII letters. */
const struct seen_entry *seen_add_folded(struct seen *seen, uint64_t salt, const char *text,
                                         struct location at, const void *owner);

/** Like seen_add, for a number. */
const struct seen_entry *seen_add_number(struct seen *seen, uint64_t salt, uint64_t number,
                                         struct location at, const void *owner);

/** Returns the entry of a text, or NULL. */
const struct seen_entry *seen_find(const struct seen *seen, uint64_t salt, const char *text);

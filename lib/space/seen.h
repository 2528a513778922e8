#pragma once
/**
 * What was seen before: the set behind every "given twice" rule.
 *
 * A key is a text or a number, with a salt that keeps several kinds of keys apart in one set (a
 * wildcard's name and the same name without, the dyno numbers of different process types). Keys are
 * kept as 64 bits of a hash under a random key, so two different keys are taken for one with a
 * probability of about n²/2^65: one in ten million for a million keys. Adding is O(1).
 *
 * Threads: one thread.  Memory: 24 octets a slot from malloc, given back by seen_close.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "findings/location.h"

struct sighting {
    uint64_t hash; /* 0: empty slot */
    const void *owner;
    struct location at;
};

struct seen {
    struct hash_key key;
    struct sighting *slots;
    size_t mask;
    size_t count;
    bool is_out_of_memory; /* then nothing is ever found */
};

/** Prepares an empty set with room for `expected` keys; it grows when more come. */
void seen_init(struct seen *seen, size_t expected);

void seen_close(struct seen *seen);

/**
 * Adds a text. Returns NULL when it is new, else where it was seen first; that pointer lasts until
 * the next call.
 */
const struct sighting *seen_add(struct seen *seen, uint64_t salt, const char *text,
                                struct location at, const void *owner);

/** As seen_add for a text, without regard to the case of ASCII letters. */
const struct sighting *seen_add_folded(struct seen *seen, uint64_t salt, const char *text,
                                       struct location at, const void *owner);

/** As seen_add for a number. */
const struct sighting *seen_add_number(struct seen *seen, uint64_t salt, uint64_t number,
                                       struct location at, const void *owner);

/** Returns where a text was seen, or NULL. */
const struct sighting *seen_find(const struct seen *seen, uint64_t salt, const char *text);

#pragma once
/**
 * A fast keyed hash for untrusted names.
 *
 * Folded 64 x 64 -> 128 bit multiplications over sixteen octets at a time, with a random key of 128
 * bits drawn once per process: without the key, nobody can prepare names that collide. The names
 * that are stored come from zone files; clients choose what is looked up, not what is stored.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash_key {
    uint64_t first;
    uint64_t second; /* odd */
};

/** Draws a key from the system's random source. */
struct hash_key hash_key_random(void);

__extension__ typedef unsigned __int128 hash_product;

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    hash_product product = (hash_product)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/**
 * Hashes `length` octets. The octets up to the next multiple of sixteen must be readable and zero,
 * so that the tail is no special case.
 */
static inline uint64_t hash_padded(const struct hash_key *key, const uint8_t *octets, size_t length)
{
    uint64_t state = key->first ^ length;

    for (size_t i = 0; i < length; i += 16) {
        uint64_t words[2];
        memcpy(words, octets + i, sizeof words);
        state = hash_mix(state ^ words[0], key->second ^ words[1]);
    }
    return state;
}

/** Hashes `length` octets that have no padding; for file contents and other cold data. */
uint64_t hash_octets(const struct hash_key *key, const void *octets, size_t length);

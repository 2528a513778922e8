#include "base/hash.h"

#include <stdlib.h>

struct hash_key hash_key_random(void)
{
    struct hash_key key;

    arc4random_buf(&key, sizeof key);
    key.second |= 1;
    return key;
}

uint64_t hash_octets(const struct hash_key *key, const void *octets, size_t length)
{
    size_t whole = length / 16 * 16;
    uint8_t tail[16] = {0};

    if (length > whole) /* octets may be NULL without any */
        memcpy(tail, (const uint8_t *)octets + whole, length - whole);
    uint64_t state = hash_padded(key, octets, whole);
    return hash_mix(state ^ hash_padded(key, tail, sizeof tail), key->second ^ length);
}

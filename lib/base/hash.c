#include "base/hash.h"

#include <sodium.h>

struct hash_key hash_key_random(void)
{
    struct hash_key key;

    randombytes_buf(&key, sizeof key);
    key.second |= 1;
    return key;
}

uint64_t hash_octets(const struct hash_key *key, const void *octets, size_t length)
{
    size_t whole = length / 8 * 8;
    uint64_t state = hash_padded(key, octets, whole);
    uint64_t tail = 0;

    memcpy(&tail, (const uint8_t *)octets + whole, length - whole);
    return hash_mix(hash_mix(state ^ tail, key->second) ^ length, key->second);
}

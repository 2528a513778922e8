#include "serve/share.h"

#include <string.h>

void share_init(struct share *share)
{
    share->key = hash_key_random();
}

void share_begin(struct share *share)
{
    share->key.first = hash_mix(share->key.first ^ 1, share->key.second);
    share->left = SHARE_OF_ALL;
    memset(share->taken, 0, sizeof share->taken);
}

bool share_take(struct share *share, uint32_t address)
{
    uint64_t hash = hash_mix(address ^ share->key.first, share->key.second);
    uint8_t *taken = &share->taken[hash % SHARE_ROWS];

    if (share->left == 0 || *taken == SHARE_OF_CLIENT)
        return false;
    ++*taken;
    share->left--;
    return true;
}

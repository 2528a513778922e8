#include "space/seen.h"

#include <stdlib.h>
#include <string.h>

enum { FEWEST_SLOTS = 16, FOLDED_MAX = 4096 };

void seen_init(struct seen *seen, size_t expected)
{
    size_t size = FEWEST_SLOTS;

    while (size / 2 < expected)
        size *= 2;
    *seen = (struct seen){.key = hash_key_random(), .mask = size - 1};
    seen->slots = calloc(size, sizeof *seen->slots);
    seen->is_out_of_memory = seen->slots == NULL;
}

void seen_close(struct seen *seen)
{
    free(seen->slots);
    seen->slots = NULL;
}

static struct seen_entry *slot_for(const struct seen *seen, uint64_t hash)
{
    size_t i = (size_t)hash & seen->mask;

    while (seen->slots[i].hash != 0 && seen->slots[i].hash != hash)
        i = (i + 1) & seen->mask;
    return &seen->slots[i];
}

/* Doubles the slots, so that at most half are in use. */
static bool widen(struct seen *seen)
{
    struct seen wider = *seen;

    wider.mask = seen->mask * 2 + 1;
    wider.slots = calloc(wider.mask + 1, sizeof *wider.slots);
    if (wider.slots == NULL) {
        seen->is_out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i <= seen->mask; i++)
        if (seen->slots[i].hash != 0)
            *slot_for(&wider, seen->slots[i].hash) = seen->slots[i];
    free(seen->slots);
    *seen = wider;
    return true;
}

static const struct seen_entry *add(struct seen *seen, uint64_t hash, struct location at,
                                    const void *owner)
{
    if (seen->is_out_of_memory || (seen->count > seen->mask / 2 && !widen(seen)))
        return NULL;
    struct seen_entry *slot = slot_for(seen, hash);
    if (slot->hash != 0)
        return slot;
    *slot = (struct seen_entry){.hash = hash, .owner = owner, .at = at};
    seen->count++;
    return NULL;
}

static uint64_t salted(const struct seen *seen, uint64_t hash, uint64_t salt)
{
    uint64_t spread = salt * UINT64_C(0x9E3779B97F4A7C15); /* salts are small numbers */
    uint64_t mixed = hash_mix(hash ^ spread, seen->key.second);

    return mixed == 0 ? 1 : mixed;
}

static uint64_t hash_text(const struct seen *seen, uint64_t salt, const char *text)
{
    return salted(seen, hash_octets(&seen->key, text, strlen(text)), salt);
}

const struct seen_entry *seen_add(struct seen *seen, uint64_t salt, const char *text,
                                  struct location at, const void *owner)
{
    return add(seen, hash_text(seen, salt, text), at, owner);
}

const struct seen_entry *seen_add_folded(struct seen *seen, uint64_t salt, const char *text,
                                         struct location at, const void *owner)
{
    char folded[FOLDED_MAX + 1];
    size_t length = 0;

    for (; text[length] != '\0' && length < FOLDED_MAX; length++) {
        char octet = text[length];
        folded[length] = octet >= 'A' && octet <= 'Z' ? (char)(octet - 'A' + 'a') : octet;
    }
    return add(seen, salted(seen, hash_octets(&seen->key, folded, length), salt), at, owner);
}

const struct seen_entry *seen_add_number(struct seen *seen, uint64_t salt, uint64_t number,
                                         struct location at, const void *owner)
{
    uint64_t hash = hash_mix(number ^ seen->key.first, seen->key.second);

    return add(seen, salted(seen, hash, salt), at, owner);
}

const struct seen_entry *seen_find(const struct seen *seen, uint64_t salt, const char *text)
{
    if (seen->is_out_of_memory)
        return NULL;
    const struct seen_entry *slot = slot_for(seen, hash_text(seen, salt, text));
    return slot->hash == 0 ? NULL : slot;
}

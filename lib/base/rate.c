#include "base/rate.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    TIME_SHIFT = 16,
    DRY = 1 << 15,
    TAG_MASK = DRY - 1,
    TRIES = 4, /* each failure is another thread's success */
    LINE_OCTETS = 64,
};

struct rate_set {
    _Atomic uint64_t slots[RATE_WAYS];
};

struct rate_table {
    struct hash_key key;
    unsigned set_shift;
    void *room;
    struct rate_set *sets; /* in `room`, at a cache line's beginning */
};

struct rate_table *rate_table_new(unsigned set_bits, struct hash_key key)
{
    struct rate_table *table = malloc(sizeof *table);

    assert(set_bits > 0 && set_bits < 32);
    if (table == NULL)
        return NULL;
    *table = (struct rate_table){.key = key, .set_shift = 64 - set_bits};
    table->room = calloc((sizeof(struct rate_set) << set_bits) + LINE_OCTETS, 1);
    if (table->room == NULL) {
        free(table);
        return NULL;
    }
    uint8_t *room = table->room;
    room += LINE_OCTETS - (uintptr_t)room % LINE_OCTETS;
    table->sets = (struct rate_set *)(void *)room;
    return table;
}

void rate_table_free(struct rate_table *table)
{
    if (table == NULL)
        return;
    free(table->room);
    free(table);
}

/* A slot and its value when it was read. */
struct found {
    _Atomic uint64_t *slot;
    uint64_t value;
};

/* The key's slot, or the one that is full again first. */
static struct found find(struct rate_set *set, uint64_t tag)
{
    struct found first = {.value = UINT64_MAX};

    for (unsigned i = 0; i < RATE_WAYS; i++) {
        uint64_t value = atomic_load_explicit(&set->slots[i], memory_order_relaxed);
        if ((value & TAG_MASK) == tag)
            return (struct found){&set->slots[i], value};
        if (value <= first.value)
            first = (struct found){&set->slots[i], value};
    }
    return first;
}

/* What comes of asking for a token: the grant, and the slot's next value. */
struct step {
    enum rate_grant grant;
    uint64_t value;
};

static struct step take_from(uint64_t value, uint64_t tag, uint32_t interval_us, uint64_t now_us)
{
    uint64_t full_at = value >> TIME_SHIFT;
    bool is_own = (value & TAG_MASK) == tag;
    /* Another key's debt may have been this one's before. */
    bool is_dry = full_at + interval_us > now_us && ((value & DRY) != 0 || !is_own);

    full_at = full_at < now_us ? now_us : full_at;
    if (full_at + interval_us > now_us + RATE_SECOND_US)
        return (struct step){RATE_REFUSED, is_own ? value | DRY : value};
    return (struct step){is_dry ? RATE_GRANTED_DRY : RATE_GRANTED,
                         (full_at + interval_us) << TIME_SHIFT | (is_dry ? DRY : 0) | tag};
}

enum rate_grant rate_take(struct rate_table *table, uint64_t key, uint32_t interval_us,
                          uint64_t now_us)
{
    uint64_t hash = hash_mix(key ^ table->key.first, table->key.second);
    struct rate_set *set = &table->sets[hash >> table->set_shift];
    uint64_t tag = hash & TAG_MASK;

    for (unsigned i = 0; i < TRIES; i++) {
        struct found found = find(set, tag);
        struct step step = take_from(found.value, tag, interval_us, now_us);
        if (step.value == found.value ||
            atomic_compare_exchange_strong_explicit(found.slot, &found.value, step.value,
                                                    memory_order_relaxed, memory_order_relaxed))
            return step.grant;
    }
    return RATE_REFUSED;
}

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

static uint64_t read(const _Atomic uint64_t *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

/* Stores a slot's next value unless another thread was faster. */
static bool replace(_Atomic uint64_t *slot, uint64_t value, uint64_t next)
{
    return atomic_compare_exchange_strong_explicit(slot, &value, next, memory_order_relaxed,
                                                   memory_order_relaxed);
}

/* The slot that is full again first. */
__attribute__((noinline)) static _Atomic uint64_t *find_first(struct rate_set *set)
{
    _Atomic uint64_t *first = &set->slots[0];

    for (unsigned i = 1; i < RATE_WAYS; i++)
        if (read(&set->slots[i]) < read(first))
            first = &set->slots[i];
    return first;
}

/* The key's slot, or another's if it has none. */
static _Atomic uint64_t *find(struct rate_set *set, uint64_t tag)
{
    for (unsigned i = 0; i < RATE_WAYS; i++)
        if ((read(&set->slots[i]) & TAG_MASK) == tag)
            return &set->slots[i];
    return find_first(set);
}

enum rate_grant rate_take(struct rate_table *table, uint64_t key, uint32_t interval_us,
                          uint64_t now_us)
{
    uint64_t hash = hash_mix(key ^ table->key.first, table->key.second);
    struct rate_set *set = &table->sets[hash >> table->set_shift];
    uint64_t tag = hash & TAG_MASK;

    for (unsigned i = 0; i < TRIES; i++) {
        _Atomic uint64_t *slot = find(set, tag);
        uint64_t value = read(slot);
        uint64_t next_full_at = (value >> TIME_SHIFT) + interval_us;
        bool is_own = (value & TAG_MASK) == tag;
        /* Another key's debt may have been this one's before. */
        bool is_dry = next_full_at > now_us && ((value & DRY) != 0 || !is_own);

        if (next_full_at < now_us + interval_us)
            next_full_at = now_us + interval_us;
        if (next_full_at > now_us + RATE_SECOND_US) {
            if (is_dry || replace(slot, value, value | DRY))
                return RATE_REFUSED;
        } else if (replace(slot, value, next_full_at << TIME_SHIFT | (is_dry ? DRY : 0) | tag)) {
            return is_dry ? RATE_GRANTED_DRY : RATE_GRANTED;
        }
    }
    return RATE_REFUSED;
}

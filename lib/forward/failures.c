#include "forward/failures.h"

#include <stddef.h>

enum { UNTIL_SHIFT = 32, ERA_SHIFT = 16, SERVER_SHIFT = 8 };

static size_t slot_of(uint64_t hash)
{
    return (size_t)(hash >> 16) % FAILURES_SLOTS;
}

static void write_slot(struct failures *failures, uint64_t hash, uint64_t what)
{
    size_t slot = slot_of(hash);

    atomic_store_explicit(&failures->slots[slot].check, hash ^ what, memory_order_relaxed);
    atomic_store_explicit(&failures->slots[slot].what, what, memory_order_relaxed);
}

/* Returns 0 when the slot is not the question's. */
static uint64_t read_slot(const struct failures *failures, uint64_t hash)
{
    size_t slot = slot_of(hash);
    uint64_t what = atomic_load_explicit(&failures->slots[slot].what, memory_order_relaxed);
    uint64_t check = atomic_load_explicit(&failures->slots[slot].check, memory_order_relaxed);

    return (check ^ what) == hash ? what : 0;
}

void failures_keep(struct failures *failures, uint64_t hash, const struct failure *failure)
{
    write_slot(failures, hash,
               (uint64_t)failure->until_s << UNTIL_SHIFT | (uint64_t)failure->era << ERA_SHIFT |
                   (uint64_t)failure->server << SERVER_SHIFT | failure->failure);
}

bool failures_find(const struct failures *failures, uint64_t hash, uint32_t now_s,
                   struct failure *failure)
{
    uint64_t what = read_slot(failures, hash);
    uint32_t until_s = (uint32_t)(what >> UNTIL_SHIFT);

    if (now_s >= until_s)
        return false;
    *failure = (struct failure){
        .until_s = until_s,
        .era = (uint16_t)(what >> ERA_SHIFT),
        .server = (uint8_t)(what >> SERVER_SHIFT),
        .failure = (uint8_t)what,
    };
    return true;
}

void failures_forget(struct failures *failures, uint64_t hash)
{
    if (read_slot(failures, hash) != 0)
        write_slot(failures, hash, 0);
}

/* A slot of two zeros is a failure of the hash 0 that has expired. */
size_t failures_forget_all(struct failures *failures, uint32_t now_s)
{
    size_t count = 0;

    for (size_t slot = 0; slot < FAILURES_SLOTS; slot++) {
        uint64_t what =
            atomic_exchange_explicit(&failures->slots[slot].what, 0, memory_order_relaxed);
        atomic_store_explicit(&failures->slots[slot].check, 0, memory_order_relaxed);
        count += now_s < (uint32_t)(what >> UNTIL_SHIFT);
    }
    return count;
}

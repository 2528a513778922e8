#include "forward/grace.h"

#include <assert.h>

void grace_init(struct grace *grace)
{
    atomic_init(&grace->epoch, GRACE_FIRST_EPOCH);
}

static void raise_touched(struct grace *grace, uint32_t count)
{
    uint32_t touched = atomic_load(&grace->touched);

    while (touched < count && !atomic_compare_exchange_weak(&grace->touched, &touched, count))
        continue;
}

/* Raised before the record can be used: whoever does not see it yet does not see it read, either.
 */
struct grace_member *grace_join(struct grace *grace)
{
    for (uint32_t i = 0; i < GRACE_MEMBERS_MOST; i++) {
        struct grace_member *member = &grace->items[i];
        if (atomic_exchange(&member->is_taken, true))
            continue;
        raise_touched(grace, i + 1);
        return member;
    }
    return NULL;
}

void grace_leave(struct grace_member *member)
{
    if (member == NULL)
        return;
    grace_rest(member);
    atomic_store(&member->is_taken, false);
}

void grace_return(const struct grace *grace, struct grace_member *member)
{
    assert(atomic_load_explicit(&member->is_taken, memory_order_relaxed));
    atomic_store(&member->seen, GRACE_FIRST_EPOCH);
    uint64_t epoch = atomic_load(&grace->epoch);
    atomic_store_explicit(&member->seen, epoch, memory_order_release);
}

uint64_t grace_advance(struct grace *grace)
{
    return atomic_fetch_add(&grace->epoch, 1) + 1;
}

/* At most GRACE_MEMBERS_MOST turns. */
bool grace_is_over(const struct grace *grace, uint64_t epoch, const struct grace_member *self)
{
    uint32_t touched = atomic_load(&grace->touched);

    for (uint32_t i = 0; i < touched; i++) {
        const struct grace_member *member = &grace->items[i];
        uint64_t seen = member == self ? 0 : atomic_load(&member->seen);
        if (seen != 0 && seen < epoch)
            return false;
    }
    return true;
}

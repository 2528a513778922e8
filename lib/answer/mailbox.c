#include "answer/mailbox.h"

#include "answer/snapshot.h"

void mailbox_post(struct mailbox *mailbox, const struct snapshot *snapshot)
{
    atomic_store_explicit(&mailbox->newest, snapshot, memory_order_release);
}

bool mailbox_collect(struct mailbox *mailbox, const struct snapshot **current)
{
    const struct snapshot *newest = atomic_load_explicit(&mailbox->newest, memory_order_acquire);

    if (newest == *current)
        return false; /* the usual case costs one load per batch */
    *current = newest;
    atomic_store_explicit(&mailbox->adopted, newest == NULL ? 0 : newest->turn,
                          memory_order_release);
    return true;
}

uint64_t mailbox_adopted(const struct mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->adopted, memory_order_acquire);
}

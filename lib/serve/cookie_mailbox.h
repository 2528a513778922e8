#pragma once
/**
 * Hands the newest secrets of cookies to one worker, without a lock.
 *
 *     control thread: writes its slot ──swaps──► [ posted ] ◄──swaps── worker: reads its slot
 *
 * Of three slots one belongs to each side and one is posted; a swap hands a slot over, so nobody
 * reads what is being written, and nothing is allocated.
 *
 * Threads: post on one thread, collect on one other.  Memory: a zeroed mailbox is empty, once
 * cookie_mailbox_init has shared out the slots.
 */
#include <stdatomic.h>
#include <stdbool.h>

#include "wire/cookie.h"

enum { COOKIE_MAILBOX_SLOTS = 3, COOKIE_MAILBOX_NEW = 4 };

struct cookie_mailbox {
    struct cookie_secrets slots[COOKIE_MAILBOX_SLOTS];
    _Atomic unsigned posted; /* a slot's number, with COOKIE_MAILBOX_NEW until it is collected */
    unsigned written;        /* the poster's slot */
    unsigned read;           /* the collector's */
};

static inline void cookie_mailbox_init(struct cookie_mailbox *mailbox)
{
    *mailbox = (struct cookie_mailbox){.written = 1, .read = 2};
}

/** Posts secrets; those that were not collected are replaced. */
static inline void cookie_mailbox_post(struct cookie_mailbox *mailbox,
                                       const struct cookie_secrets *secrets)
{
    mailbox->slots[mailbox->written] = *secrets;
    mailbox->written = atomic_exchange(&mailbox->posted, mailbox->written | COOKIE_MAILBOX_NEW) &
                       ~(unsigned)COOKIE_MAILBOX_NEW;
}

/** Returns the secrets posted last, NULL when they were collected before; valid until the next. */
static inline const struct cookie_secrets *cookie_mailbox_collect(struct cookie_mailbox *mailbox)
{
    if ((atomic_load(&mailbox->posted) & COOKIE_MAILBOX_NEW) == 0)
        return NULL;
    mailbox->read =
        atomic_exchange(&mailbox->posted, mailbox->read) & ~(unsigned)COOKIE_MAILBOX_NEW;
    return &mailbox->slots[mailbox->read];
}

#pragma once
/**
 * Hands the newest snapshot to one worker, without a lock.
 *
 * The control thread owns every snapshot. It posts a pointer; the worker takes it between two
 * batches and publishes the turn it answers from. The control thread frees a snapshot once no
 * worker answers from it or an older one, so a worker never frees anything. A snapshot that is
 * replaced before the worker takes it is skipped.
 *
 * Threads: mailbox_post and mailbox_adopted on the control thread, mailbox_collect on the worker's.
 * Memory: never allocates.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct snapshot;

struct mailbox {
    _Atomic(const struct snapshot *) newest;
    _Atomic uint64_t adopted; /* turn the worker answers from; 0 before the first */
};

/** Posts a snapshot to the worker. */
void mailbox_post(struct mailbox *mailbox, const struct snapshot *snapshot);

/**
 * Takes the posted snapshot. Returns true when *current changed; all later answers come from it,
 * and the worker does not use the previous one again.
 */
bool mailbox_collect(struct mailbox *mailbox, const struct snapshot **current);

/** The turn that the worker answers from. */
uint64_t mailbox_adopted(const struct mailbox *mailbox);

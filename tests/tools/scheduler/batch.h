#pragma once
/**
 * What a scheduler has still to write to the registry: gathered, one entry a key, in transactions.
 *
 *     batch_put, batch_delete ──► waiting ──batch_take──► under way ──batch_written──► gone
 *                                    ▲                        │
 *                                    └────── batch_return ────┘  the registry did not answer
 *
 * A scheduler states facts, each of them whole: all dynos of one process type. So what counts is
 * the last one of a key, and writing it twice does no harm: what may or may not have been written
 * is written again.
 *
 *   - etcd refuses a transaction that names a key twice: a later change replaces the earlier one.
 *   - 128 operations a transaction (--max-txn-ops), 1 MB of keys and values (1.5 MB less all else).
 *   - gathering for 20 to 50 ms makes one revision, one message to each replica, of all that
 *     changes in that time; that, and not the number of changes, is what etcd's members work for.
 *
 * Without answers the batch grows up to one entry for each key, and no further.
 *
 * Threads: one.  Memory: copies of keys and values; batch_close frees them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "etcd/messages.h"

enum { BATCH_OPERATIONS_MOST = 128, BATCH_OCTETS_MOST = 1 << 20 };

struct batch_entry {
    char *key;
    char *value; /* NULL: the key is deleted */
    size_t length;
    uint64_t since_ms; /* when the oldest change came that is in it */
    bool is_under_way;
    bool is_stale; /* under way, and another change of the key waits */
};

struct batch {
    struct batch_entry *entries; /* in the order of their changes */
    size_t count, capacity;
    uint64_t gather_ms;
    uint64_t coalesced; /* changes that replaced one that waited */
};

/** Waits for the key to be written; the text is copied. Returns false without memory. */
bool batch_put(struct batch *batch, const char *key, const char *value, size_t length,
               uint64_t now_ms);

/** Waits for the key to be deleted. Returns false without memory. */
bool batch_delete(struct batch *batch, const char *key, uint64_t now_ms);

/** When the next transaction is due; UINT64_MAX when nothing waits. A full one is due at once. */
uint64_t batch_due_ms(const struct batch *batch);

/**
 * Makes the next transaction of what waits, oldest first. Returns how many operations it has.
 *
 * arena    the request lives in it
 * request  its start is NULL without memory
 */
size_t batch_take(struct batch *batch, struct arena *arena, struct octets *request);

/** The transaction under way is written. */
void batch_written(struct batch *batch);

/** It is not, or nobody knows: it waits again, but for keys that have changed meanwhile. */
void batch_return(struct batch *batch);

void batch_close(struct batch *batch);

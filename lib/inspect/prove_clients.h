#pragma once
/**
 * The clients that a proof tries, and the check that each is inside of exactly those spaces whose
 * zone file lets it in. A part of prove.
 *
 *     items    .---------.---------.---------.     the ends of every range of every view, a dyno of
 *              | client  | client  | client  |     every availability zone, an IPv6 client
 *              '---------'---------'---------'
 *     members  | 0 2 | 0 | 1 2 ...                 indexes of items, by the space that they are
 *     starts     ^     ^   ^                       inside of: those of segment i are from
 *                                                  starts[i] to starts[i + 1]
 *
 * Threads: one.  Memory: on the heap, until proof_clients_close.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "base/err.h"
#include "decide/client.h"

/** A client that asks, and the server's address that it asks at. */
struct proof_client {
    struct path path;
    struct client client;
};

struct proof_clients {
    const struct snapshot *snapshot;
    struct proof_client *items;
    size_t count;
    size_t capacity;
    size_t outsiders; /* of these */
    uint32_t *members;
    size_t *starts;
    struct err *err;
};

/**
 * Lists the clients of a snapshot, which must outlive the list. Returns false with *err, ERR_RULE
 * for a client that is taken to be inside of another space than those that let it in, ERR_MEMORY;
 * close the list then, too.
 */
bool proof_clients_init(struct proof_clients *clients, const struct snapshot *snapshot,
                        struct err *err);

void proof_clients_close(struct proof_clients *clients);

/** True if the client was classified as inside of the segment's space. */
bool proof_client_is_inside(const struct proof_client *client, const struct snapshot *snapshot,
                            const struct segment *segment);

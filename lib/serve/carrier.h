#pragma once
/**
 * A carrier sends replies that come after their batch.
 *
 *     in the batch    carrier->keep ─► octets ─► kept beside the request (deferred.h)
 *     later           octets, reply ─► carrier->deliver ─► client
 *
 * Only the carrier understands the octets: a socket keeps addresses there, a connection its number.
 * They are copied and moved as they are, so they must not point to themselves, and what they name
 * may be gone when the reply comes.
 *
 * Threads: the worker's.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* The largest: an IPv6 client's address and the control message with the address it asked. */
enum { LATE_CLIENT_OCTETS = 72 };

/** How a carrier reaches a client later. */
struct late_client {
    uint8_t octets[LATE_CLIENT_OCTETS];
};

struct carrier {
    /** Saves how to reach the client of the batch's exchange with this number. */
    void (*keep)(struct carrier *carrier, size_t number, struct late_client *client);

    /**
     * Sends a reply, at once or with others that are delivered in the same turn of the loop.
     * Returns false when the client can no longer be reached.
     */
    bool (*deliver)(struct carrier *carrier, const struct late_client *client, const uint8_t *reply,
                    size_t length);

    /** The client's address, for the query log. */
    struct endpoint (*address)(const struct late_client *client);
};

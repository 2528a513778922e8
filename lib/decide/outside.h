#pragma once
/**
 * Why a client is outside although a zone file lists its address, for the operator.
 *
 *     10.30.3.4 is in cidr_blocks of peering pcx-222bbb222 of test-space
 *     (zones/test-space.yaml:21), which is pending-acceptance: its clients are inside once its
 *     status is active
 *
 * Clients outside must not learn it, so this is never part of an answer.
 *
 * Threads: pure.  Memory: never allocates; an entry borrows from the snapshot.
 */
#include <stddef.h>

#include "base/text.h"
#include "decide/client.h"

enum { OUTSIDE_MOST = 4 };

enum outside_cause {
    OUTSIDE_LISTEN,     /* inside, but only for who asks at one of the space's addresses */
    OUTSIDE_DEVICE,     /* inside, but only when it comes by the connection's device */
    OUTSIDE_CONNECTION, /* a peering or VPN that lets nobody in */
    OUTSIDE_TRUSTED,    /* trusted IPs have no access to the DNS */
};

/** An entry of a zone file with the client's address. */
struct outside_entry {
    enum outside_cause cause;
    const struct segment *segment;
    const struct connection *connection; /* NULL: the space itself, or its trusted IPs */
    uint32_t line;
};

/**
 * Finds the entries with an external client's IPv4 address, OUTSIDE_MOST at most. Returns how many:
 * 0 for a client that is inside of some space.
 */
size_t outside_find(const struct snapshot *snapshot, const struct client *client,
                    struct outside_entry found[OUTSIDE_MOST]);

/** Writes which entry it is, why it does not let the client in, and what does. */
void outside_write(const struct outside_entry *entry, uint32_t address, struct text *text);

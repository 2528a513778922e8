#pragma once
/**
 * Reverse names of the spaces' own addresses.
 *
 *     56.130.0.10.in-addr.arpa  PTR  1.web.APP.app.localspace
 *     37.0.0.10.in-addr.arpa    PTR  router-1.SPACE.space.localspace
 *
 * Every reverse name inside a served space's CIDR is ours and is never forwarded; the zone's apex
 * is the CIDR's two octets. Only classes in localspace_to get these names. A space that is not
 * visible at the address asked (`listen`) is treated as another space.
 *
 * Sources: RFC 1035 section 3.5.
 * Threads: pure.  Memory: never allocates.
 */
#include "decide/verdict.h"

/** A reverse name: the octets of an IPv4 address that can be read, from in-addr.arpa outwards. */
struct reverse {
    unsigned labels; /* in front of in-addr.arpa, at least one */
    unsigned octets; /* of the address, at most four, up to a label that is not an octet */
    uint32_t address;
};

/** Reads a reverse name. Returns false when the name is not below in-addr.arpa. */
bool reverse_read(const struct name *name, struct reverse *reverse);

/** Decides the name if it is a reverse name inside a served space; returns whether it is. */
bool reverse_decide(const struct snapshot *snapshot, const struct client *client,
                    const struct query *query, struct verdict *verdict);

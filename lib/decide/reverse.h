#pragma once
/**
 * Reverse names of the spaces' own addresses.
 *
 *     56.130.0.10.in-addr.arpa  PTR  1.web.APP.app.localspace
 *     37.0.0.10.in-addr.arpa    PTR  router-1.SPACE.space.localspace
 *
 * Every reverse name inside a served space's CIDR is ours and is never forwarded; the zone's apex
 * is the CIDR's two octets. Discovery names are told only to the classes that may ask them. A space
 * that the client cannot see where it asks (spaces with `listen`) is another's (T6).
 *
 * Sources: RFC 1035 section 3.5.
 */
#include "decide/verdict.h"

/** A reverse name: as much of an IPv4 address as can be read, from in-addr.arpa outwards. */
struct reverse {
    unsigned labels; /* in front of in-addr.arpa, at least one */
    unsigned octets; /* of the address, at most four; a label that is none ends the reading */
    uint32_t address;
};

/** Reads a reverse name. Returns false when the name is not below in-addr.arpa. */
bool reverse_read(const struct name *name, struct reverse *reverse);

/** Decides on the name when it is a reverse name inside a served space; returns whether it is. */
bool reverse_decide(const struct snapshot *snapshot, const struct client *client,
                    const struct query *query, struct verdict *verdict);

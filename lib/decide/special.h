#pragma once
/**
 * Special-use names, which are never forwarded.
 *
 *     localhost                     A 127.0.0.1, AAAA ::1, for everything below it too
 *     invalid, onion, local, test,
 *     alt, internal, localspace     NXDOMAIN
 *     resolver.arpa                 NODATA, for everything below it too
 *     home.arpa and the reverse     an empty zone: SOA and NODATA at its top, NXDOMAIN below
 *     zones of private addresses
 *
 * They apply to clients whose query would otherwise be forwarded, after every name that is ours. A
 * zone that the operator lists in upstream_zones wins over the special name that it lies in, except
 * for localhost and invalid. SOA records belong to the special name's top (RFC 6303 section 3).
 *
 * Sources: RFC 6761 (localhost, invalid, test), RFC 6762 (local), RFC 7686 (onion), RFC 9476 (alt),
 * RFC 8375 (home.arpa), RFC 9462 section 6.4 (resolver.arpa), RFC 6303 and RFC 7793 (reverse
 * zones); ICANN board resolution 2024.07.29.06 (internal).
 * Threads: pure.  Memory: constant tables.
 */
#include "answer/routes.h"
#include "decide/verdict.h"

enum special_kind {
    SPECIAL_LOCALHOST,
    SPECIAL_INVALID, /* as NOWHERE, and upstream_zones cannot override it */
    SPECIAL_NOWHERE, /* NXDOMAIN */
    SPECIAL_EMPTY,   /* an empty zone */
    SPECIAL_NO_DATA,
};

struct special {
    enum special_kind kind;
    uint8_t label_count; /* of the special name's top */
};

/**
 * Finds the special name that holds this one. Other names cost one comparison of the last label.
 */
bool special_find(const struct name *name, struct special *special);

/**
 * Decides the name if it is special and its route is not for the special name. Returns whether it
 * is.
 */
bool special_decide(const struct route *route, const struct query *query, struct verdict *verdict);

/** True for a zone whose upstreams would never be asked: localhost, invalid and names below. */
bool special_is_fixed(const struct name *zone);

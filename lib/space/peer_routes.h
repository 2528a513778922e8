#pragma once
/**
 * Checks a peered VPC's routes to the routers, and prints the commands that correct them.
 *
 * The routers lie outside the dyno CIDRs, so a VPC with routes to the dynos only gets addresses
 * that it cannot reach. One route to the whole space is right, and makes the others redundant.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "space/model.h"

enum peer_routes {
    PEER_ROUTES_UNKNOWN, /* the zone file lists none */
    PEER_ROUTES_MISSING, /* a router that is up has none */
    PEER_ROUTES_PARTIAL, /* every router has one, but not the whole space */
    PEER_ROUTES_COMPLETE,
};

enum { PEER_COMMAND_MAX = 256, PEER_ROUTERS_MAX = 320 };

enum peer_routes peer_routes_check(const struct space *space, const struct peering *peering);

/** True for a router that is up and that no route covers. */
bool peer_routes_miss(const struct peering *peering, const struct router *router);

/** Appends "10.0.0.37 (in 10.0.0.0/20), …": the routers that no route covers. */
void peer_routes_list_missed(const struct space *space, const struct peering *peering,
                             struct text *text);

/** Returns a route that covers the whole space, or NULL. */
const struct block *peer_routes_find_whole(const struct space *space,
                                           const struct peering *peering);

/** True for a route inside the route to the whole space. */
bool peer_routes_is_redundant(const struct block *route, const struct block *whole);

/** True if the zone file does not name the route table that the commands need. */
bool peer_routes_lack_table(const struct peering *peering);

/** Appends the aws command that lists the route tables of the peered VPC. */
void peer_routes_add_describe(const struct peering *peering, struct text *text);

/** Appends the aws command that creates the route to the whole space. */
void peer_routes_add_create(const struct space *space, const struct peering *peering,
                            struct text *text);

/** Appends the aws command that deletes a route. */
void peer_routes_add_delete(const struct peering *peering, const struct block *route,
                            struct text *text);

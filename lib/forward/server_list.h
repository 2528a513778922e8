#pragma once
/**
 * The upstreams of all zones, each once. Their order gives them their numbers: the link, the
 * routes and the standings all use them.
 *
 * Threads: pure.  Memory: borrows the zones.
 */
#include <stddef.h>

#include "config/upstream.h"

struct server_list {
    const struct upstream *items[UPSTREAMS_IN_ALL_MOST];
    size_t count;
};

/** Lists the upstreams of the zones; those beyond UPSTREAMS_IN_ALL_MOST are left out. */
void server_list_fill(struct server_list *servers, const struct upstream_zones *zones);

/** Returns the number of an upstream, or the list's length. */
size_t server_list_find(const struct server_list *servers, const struct upstream *upstream);

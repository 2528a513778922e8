#pragma once
/**
 * The servers of one worker, and which of them are asked for the names of each zone.
 *
 *     routing ─┬─ servers[]   by the numbers of server_list.h
 *              └─ routes[]    by the zones' order in the settings (answer/routes.h)
 *
 * Threads: one worker's.  Memory: borrows the zones and the standings.
 */
#include <stdbool.h>

#include "base/err.h"
#include "config/upstream.h"
#include "forward/resolver.h"
#include "forward/standing.h"

struct routing {
    struct resolver servers[RESOLVERS_MOST];
    struct resolver_set routes[UPSTREAM_ZONES_MOST];
};

/**
 * Fills in a routing of zeros. `standings` are of the same zones. Returns false with *err when
 * there are too many zones or upstreams.
 */
bool routing_init(struct routing *routing, const struct upstream_zones *zones,
                  const struct standings *standings, struct err *err);

/** True when every server of the route is failing. */
bool routing_is_failing(const struct routing *routing, uint8_t route);

/** The text of a server; NULL for RESOLVER_NONE. */
const char *routing_server_text(const struct routing *routing, uint8_t server);

#pragma once
/**
 * Which names are forwarded to which upstreams: the policy part of forwarding.
 *
 *     routes ─┬─ corp.example.   "192.168.7.53"        most labels first
 *             └─ .               "10.0.0.2, 1.1.1.1"   everything else
 *
 * A route is known by its number, which is the same in the settings (config/upstream.h) and in
 * the forwarder (forward/forward.h).
 *
 * Threads: immutable.  Memory: the policy's, see snapshot.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/upstream.h"
#include "wire/name.h"

enum { ROUTES_MOST = UPSTREAM_ZONES_MOST, ROUTE_NONE = 255 };

struct route {
    struct name zone;
    const char *upstreams; /* as text: "10.0.0.2, 1.1.1.1@5353" */
    bool allow_rebind;     /* its answers may contain addresses of the spaces served here */
};

struct routes {
    const struct route *items;
    size_t count;
    const struct upstream_zones *zones; /* the same for the forwarder; NULL: nothing is forwarded */
};

/** The number of the first route whose zone holds the name, or ROUTE_NONE. */
uint8_t route_find(const struct routes *routes, const struct name *name);

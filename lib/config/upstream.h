#pragma once
/**
 * Upstreams: who is asked for names that are not ours, and for which names.
 *
 * One upstream is written as an address with what differs from plain DNS on port 53:
 *
 *     10.0.0.2    10.0.0.2@5353    10.0.0.2:5353    fd00::2    [fd00::2]:53    fe80::1%eth0
 *     tls://9.9.9.9#dns.quad9.net    tls://9.9.9.9@853#dns.quad9.net
 *
 * After `#` stands the name that the certificate must have; without it, the certificate must have
 * the address (RFC 8310 section 8.1). An IPv6 address stands in brackets when a port follows a
 * colon.
 *
 * A zone of upstreams is a domain name and the upstreams for it and everything below it. The zone
 * with the most labels wins; "." is everything else.
 *
 * Sources: RFC 7858, RFC 8310 (DNS over TLS); resolv.conf(5).
 * Threads: read by one thread; constant after.  Memory: as long as the settings.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/arena.h"
#include "base/err.h"

enum {
    UPSTREAM_PORT = 53,
    UPSTREAM_PORT_TLS = 853,
    UPSTREAMS_MOST = 16,         /* of one zone */
    UPSTREAM_ZONES_MOST = 64,    /* "." included */
    UPSTREAMS_IN_ALL_MOST = 128, /* different ones, of all zones together */
};

struct upstream {
    struct endpoint endpoint;
    bool is_tls;
    const char *tls_name; /* NULL: the certificate must have the address */
    const char *text;     /* as messages name it: 10.0.0.2, 10.0.0.2@5353, tls://9.9.9.9 */
    const char *place;    /* where it was written */
};

struct upstreams {
    struct upstream *items;
    size_t count;
    size_t capacity;
    bool is_none; /* `none` was said: nobody is to be asked */
};

struct upstream_zone {
    const char *zone; /* lower case, no closing dot; "." for everything else */
    unsigned label_count;
    struct upstreams upstreams; /* at least one */
    bool allow_rebind;          /* its answers may carry addresses of our spaces */
    const char *place;
};

/** Sorted: most labels first, so that the first zone that holds a name is the one. */
struct upstream_zones {
    struct upstream_zone *items;
    size_t count;
    size_t capacity;
};

/**
 * Reads one upstream; its texts are kept in the arena, `place` is left to the caller.
 *
 * Returns false with a sentence in *err: no address, a name in its place, a port out of range, an
 * unknown scheme, a name after `#` without tls:// or one that no certificate has, an address that
 * is no server's (unspecified, broadcast, multicast), a link-local one without an interface of this
 * host behind %.
 */
bool upstream_read(struct arena *arena, const char *text, struct upstream *upstream,
                   struct err *err);

/** True when both are the same address and port, reached in the same way under the same name. */
bool upstream_equals(const struct upstream *upstream, const struct upstream *other);

/**
 * Adds to a list what is not in it yet. Returns false with a sentence in *err when it is in the
 * list already, the list is full or memory is.
 */
bool upstreams_add(struct arena *arena, struct upstreams *list, const struct upstream *upstream,
                   struct err *err);

/** True when both ask the same servers, in the same order, for the same zones. */
bool upstream_zones_equal(const struct upstream_zones *zones, const struct upstream_zones *others);

/** Copies everything but the places. Returns false, with *to as it was, without memory. */
bool upstreams_copy(struct arena *arena, const struct upstreams *from, struct upstreams *to);

/** Copies everything but the places. Returns false without memory. */
bool upstream_zones_copy(struct arena *arena, const struct upstream_zones *from,
                         struct upstream_zones *to);

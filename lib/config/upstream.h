#pragma once
/**
 * Upstreams: the resolvers for names that are not ours, and the names that each is for.
 *
 * One upstream is an address, and whatever differs from plain DNS on port 53:
 *
 *     10.0.0.2    10.0.0.2@5353    10.0.0.2:5353    fd00::2    [fd00::2]:53    fe80::1%eth0
 *     tls://9.9.9.9#dns.quad9.net    tls://9.9.9.9@853#dns.quad9.net
 *
 * The certificate must have the name after `#`; without a name, it must have the address (RFC 8310
 * section 8.1). An IPv6 address needs brackets if a port follows after a colon.
 *
 * An upstream zone is a domain name with the upstreams for it and all names below it. The zone with
 * the most labels wins; "." is everything else.
 *
 * Sources: RFC 7858, RFC 8310 (DNS over TLS); resolv.conf(5).
 * Threads: read by one thread; constant after.  Memory: as long as the settings.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/endpoint.h"
#include "base/err.h"
#include "config/setting_origin.h"

enum {
    UPSTREAM_PORT = 53,
    UPSTREAM_PORT_TLS = 853,
    UPSTREAMS_MOST = 16,         /* of one zone */
    UPSTREAM_ZONES_MOST = 64,    /* "." included */
    UPSTREAMS_IN_ALL_MOST = 128, /* different ones, in all zones together */
};

struct upstream {
    struct endpoint endpoint;
    bool is_tls;
    const char *tls_name; /* NULL: the certificate must have the address */
    const char *text;     /* for messages: 10.0.0.2, 10.0.0.2@5353, tls://9.9.9.9 */
    struct setting_origin origin;
};

struct upstreams {
    struct upstream *items;
    size_t count;
    size_t capacity;
    bool is_none; /* `none` is configured: nothing is forwarded */
};

struct upstream_zone {
    const char *zone; /* lower case, no closing dot; "." for everything else */
    unsigned label_count;
    struct upstreams upstreams; /* at least one */
    bool allow_rebind;          /* its answers may carry addresses of our spaces */
    struct setting_origin origin;
};

/** Sorted, most labels first: the first zone that contains a name is the right one. */
struct upstream_zones {
    struct upstream_zone *items;
    size_t count;
    size_t capacity;
};

/**
 * Reads one upstream. Its texts are copied to the arena; the caller sets the origin.
 *
 * Returns false with a sentence in *err for: no address, a name instead of an address, a port out
 * of range, an unknown scheme, a name after `#` without tls:// or not possible in a certificate, an
 * address that no server can have (unspecified, broadcast, multicast), a link-local address without
 * an interface of this host after %.
 */
bool upstream_read(struct arena *arena, const char *text, struct upstream *upstream,
                   struct err *err);

/** True if both have the same address, port, transport and certificate name. */
bool upstream_equals(const struct upstream *upstream, const struct upstream *other);

/**
 * Adds an upstream to a list. Returns false with a sentence in *err if the list contains it already
 * or is full, or memory runs out.
 */
bool upstreams_add(struct arena *arena, struct upstreams *list, const struct upstream *upstream,
                   struct err *err);

/** True if both have the same servers, in the same order, for the same zones. */
bool upstream_zones_equal(const struct upstream_zones *zones, const struct upstream_zones *others);

/** Copies all but origins. Returns false if memory runs out; *to is then unchanged. */
bool upstreams_copy(struct arena *arena, const struct upstreams *from, struct upstreams *to);

/** Copies all but origins. Returns false if memory runs out. */
bool upstream_zones_copy(struct arena *arena, const struct upstream_zones *from,
                         struct upstream_zones *to);

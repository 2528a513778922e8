#pragma once
/**
 * Upstreams: who is asked for names that are not ours, and for which names.
 *
 * One upstream is written as an address with what differs from plain DNS on port 53:
 *
 *     10.0.0.2    10.0.0.2@5353    10.0.0.2:5353    fd00::2    [fd00::2]:53
 *     tls://9.9.9.9#dns.quad9.net    tls://9.9.9.9@853#dns.quad9.net
 *
 * After `#` stands the name that the certificate must have; without it, the certificate must have
 * the address (RFC 8310 section 8.1).
 *
 * A zone of upstreams is a domain name and the upstreams for it and everything below it. The zone
 * with the most labels wins; "." is everything else.
 *
 * Sources: RFC 7858, RFC 8310 (DNS over TLS); resolv.conf(5).
 * Threads: read once at the start; constant after.  Memory: as long as the settings.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum {
    UPSTREAM_PORT_TLS = 853,
    UPSTREAMS_MOST = 16,      /* of one zone */
    UPSTREAM_ZONES_MOST = 64, /* "." included */
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

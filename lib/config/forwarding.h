#pragma once
/**
 * What the settings leave to the host about upstreams, and what they may not say.
 *
 *     upstreams, or the host's nameservers ──► "."  ┐
 *                                                   ├─► upstream_zones, most labels first
 *     upstream_zones ──► corp.example, ...          ┘
 *
 * When nobody is named in `upstreams`, the nameservers of resolv.conf are asked, leaving out those
 * that are this server: it may well be the one that the host itself asks. An upstream that was
 * named and is this server is refused, for every question would come back to it.
 *
 * This server is every address it listens on, port included; a wildcard address stands for every
 * address of this host, loopback included.
 *
 * Sources: resolv.conf(5).
 * Threads: one.  Memory: as the settings.
 */
#include <ifaddrs.h>
#include <stdbool.h>
#include <stdio.h>

#include "config/settings.h"

/** What there is to know about the host. */
struct surroundings {
    const char *resolv_conf;          /* a path; what cannot be read names nobody */
    const struct ifaddrs *interfaces; /* NULL: none known */
    const struct settings *in_force;  /* of a server that serves already; NULL: at a start */
};

/**
 * Completes settings->upstream_zones. Each problem is told as one line with its place; false then.
 * settings->lacks_upstreams says that nobody was named, neither here nor there; what is the matter
 * with resolv.conf stands in settings->host_warnings, each a sentence with its place.
 *
 * A resolv.conf that names nobody may be one that is just being written: a server that asks the
 * resolvers that it named before goes on asking them, and warns.
 */
bool forwarding_settle(struct settings *settings, const struct surroundings *around,
                       FILE *problems);

/** As above with this host's interfaces and /etc/resolv.conf; `in_force` as there. */
bool forwarding_settle_here(struct settings *settings, const struct settings *in_force,
                            FILE *problems);

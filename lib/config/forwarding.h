#pragma once
/**
 * Completes the upstream settings from the host, and refuses those that would loop.
 *
 *     upstreams, or the host's nameservers ──► "."  ┐
 *                                                   ├─► upstream_zones, most labels first
 *     upstream_zones ──► corp.example, ...          ┘
 *
 * If `upstreams` is not set, the nameservers of resolv.conf are the upstreams, except this server
 * itself: the host may well use it as its resolver. A configured upstream that is this server is
 * refused, because every query would come back to it.
 *
 * This server is every address it listens on, port included. A wildcard address means every address
 * of this host, loopback included.
 *
 * Sources: resolv.conf(5).
 * Threads: one.  Memory: as the settings.
 */
#include <ifaddrs.h>

#include "config/settings.h"

/** The host's part of the upstream settings. */
struct forwarding_host {
    const char *resolv_conf;          /* a path; an unreadable file names no nameserver */
    const struct ifaddrs *interfaces; /* NULL: none known */
    const struct settings *in_force;  /* on a reload; NULL: at the start */
};

/**
 * Completes settings->upstream_zones, and reports what cannot be forwarded (E-SETTING). Sets
 * settings->lacks_upstreams if neither the settings nor resolv.conf name an upstream. What is wrong
 * with resolv.conf is a warning (W-RESOLV-CONF), and so is an upstream over TLS that no name is
 * checked of (W-TLS-NAME).
 *
 * A resolv.conf without nameservers may be one that is just being written. A server whose upstreams
 * come from resolv.conf then keeps those it has, and warns.
 */
void forwarding_complete(struct settings *settings, const struct forwarding_host *host,
                         struct report *report);

/** Like forwarding_complete, with this host's interfaces and /etc/resolv.conf. */
void forwarding_complete_here(struct settings *settings, const struct settings *in_force,
                              struct report *report);

#pragma once
/**
 * Keeps the server off public addresses unless the operator wants it there.
 *
 * A server of private names on a public address attracts queries that it must then refuse. So an
 * address outside loopback and the private blocks needs `allow_public_listen`. A wildcard address
 * (0.0.0.0 or ::) needs it if one of the host's interfaces has such an address.
 *
 * Sources: RFC 1918 (private IPv4), RFC 4193 (fc00::/7), RFC 4291 section 2.5.6 (fe80::/10).
 * Threads: any.  Memory: allocates only the interface list, freed before it returns.
 */
#include <ifaddrs.h>
#include <stdbool.h>

#include "config/settings.h"

/** Checks every listen address against the interfaces (NULL: none): E-LISTEN-PUBLIC. */
void exposure_check_against(const struct settings *settings, const struct ifaddrs *interfaces,
                            struct report *report);

/** Like exposure_check_against, with this host's interfaces. */
void exposure_check(const struct settings *settings, struct report *report);

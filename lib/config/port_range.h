#pragma once
/**
 * The ports that queries to upstreams are sent from, and what they are worth against forgery.
 *
 * Whoever forges an answer has to guess the port of the query besides its id. `count` ports are
 * log2(count) bits; they are told in tenths: 28,232 ports, the range that Linux has by default, are
 * 14.7. With the id's 16 bits, PORT_RANGE_TENTHS_LEAST is 30 bits together.
 *
 * The range is the system's (ip_local_port_range), of the network namespace; IPv6 has the same. It
 * is found once, at the start: the sandbox keeps its file out of reach later. Where the file is
 * hidden, as by ProcSubset=pid in the unit, the number is estimated (upstream/datagrams.h).
 *
 * Sources: RFC 5452 sections 4.5 and 9.2; ip(7).
 * Threads: any.  Memory: none is kept.
 */
#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"

#define PORT_RANGE_PATH "/proc/sys/net/ipv4/ip_local_port_range"

enum {
    PORT_RANGE_ANY_FIRST = 1024, /* with upstream_ports: any, up to 65535 */
    PORT_RANGE_ANY_COUNT = 65536 - PORT_RANGE_ANY_FIRST,
    PORT_RANGE_TENTHS_LEAST = 140, /* below, there is a warning */
};

/** How many ports the file at the path allows; 0: it cannot be read, or is of another form. */
uint32_t port_range_read(const char *path);

/** True when the ports are known and worth less than PORT_RANGE_TENTHS_LEAST. */
bool port_range_is_narrow(const struct settings *settings);

/** Tenths of bits, rounded down: 10 log2(count); 0 for none. */
unsigned port_range_tenths(uint32_t count);

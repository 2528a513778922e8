#pragma once
/**
 * Addresses to listen on, as an operator writes them:
 *
 *     10.0.0.2    127.0.0.1:5300    [::1]:53    over UDP and TCP
 *     udp://10.0.0.2    tcp://[::1]:53          over one of them
 *
 * Each scheme is one transport, and each address has a socket of its own for it.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "config/setting_origin.h"

enum { DNS_PORT = 53, LISTEN_TEXT_MAX = ENDPOINT_TEXT_MAX + 8 };

enum listen_scheme { LISTEN_UDP, LISTEN_TCP, LISTEN_SCHEMES };

/* What an address without a scheme means. */
enum { LISTEN_WITHOUT_SCHEME = 1 << LISTEN_UDP | 1 << LISTEN_TCP };

struct listen_address {
    struct endpoint endpoint; /* IPv4-mapped IPv6 addresses have become IPv4 */
    unsigned schemes;         /* a bit for each, at least one */
    struct setting_origin origin;
};

struct listen_addresses {
    struct listen_address *items;
    size_t count;
    size_t capacity;
};

static inline bool listen_address_has(const struct listen_address *address,
                                      enum listen_scheme scheme)
{
    return (address->schemes >> scheme & 1) != 0;
}

/**
 * Reads one address; its origin is not changed. Returns false with a sentence in *err for an
 * unknown scheme, a text that is no address, and a port outside 1..65535.
 */
bool listen_address_read(const char *text, struct listen_address *address, struct err *err);

/** Writes "10.0.0.2:53" or "udp://10.0.0.2:53"; `out` has room for LISTEN_TEXT_MAX octets. */
void listen_address_write(const struct listen_address *address, char *out);

/**
 * Checks that an address needs no socket that one of the list needs, or that a wildcard of the list
 * or itself includes. Returns false with a sentence in *err.
 */
bool listen_addresses_can_add(const struct listen_addresses *list,
                              const struct listen_address *address, struct err *err);

#pragma once
/**
 * Addresses with ports, of sockets: IPv4 and IPv6.
 *
 * Sources: RFC 4291 section 2.2 (text of IPv6 addresses), RFC 4007 section 11 (zones), RFC 1918 and
 *          RFC 4193 (private addresses).
 * Threads: pure, but for the names of interfaces.  Memory: never allocates.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { ENDPOINT_TEXT_MAX = 72, INTERFACE_TEXT_MAX = 16 };

/**
 * An address and port to listen on or send to, IPv4 or IPv6. A link-local address is valid only on
 * its interface: fe80::1%eth0 (RFC 4007 section 11); sin6_scope_id is the interface's number.
 */
struct endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};

/**
 * Reads "127.0.0.1:5300", "127.0.0.1", "[::1]:53", "::1" or "fe80::1%eth0"; the port is `port` when
 * absent. Returns false when the text is none of these, or the port is not in 1..65535.
 */
bool endpoint_read(const char *text, uint16_t port, struct endpoint *endpoint);

/**
 * Reads an IPv6 address, with its interface after % when it is link-local: `fe80::1%eth0`, or the
 * interface's number. The scope is 0 when no interface is named, or this host has none of that
 * name.
 */
bool ipv6_read(const char *text, struct sockaddr_in6 *address);

/** Writes an address without its port: "127.0.0.1", "::1"; room for ENDPOINT_TEXT_MAX octets. */
void endpoint_write_host(const struct endpoint *endpoint, char *out);

/** Writes "127.0.0.1:5300" or "[::1]:53"; `out` has room for ENDPOINT_TEXT_MAX octets. */
void endpoint_write(const struct endpoint *endpoint, char *out);

/** The octets of the address itself, as inet_ntop takes them. */
const void *endpoint_host(const struct endpoint *endpoint);

/** True if both have the same address, interface included, whatever their ports. */
bool endpoint_has_same_host(const struct endpoint *endpoint, const struct endpoint *other);

/** True for 0.0.0.0 and ::, any port. */
bool endpoint_is_wildcard(const struct endpoint *endpoint);

/** True for 127.0.0.0/8 and ::1. */
bool endpoint_is_loopback(const struct endpoint *endpoint);

/** True inside 127.0.0.0/8, RFC 1918, ::1, fc00::/7 and fe80::/10; false for a wildcard. */
bool endpoint_is_private(const struct endpoint *endpoint);

/** Makes the IPv4 address of an IPv6 address that contains one, as ::ffff:10.0.0.2 does. */
void endpoint_unmap(struct endpoint *endpoint);

static inline uint16_t endpoint_port(const struct endpoint *endpoint)
{
    return ntohs(endpoint->any.sa_family == AF_INET6 ? endpoint->v6.sin6_port
                                                     : endpoint->v4.sin_port);
}

static inline void endpoint_set_port(struct endpoint *endpoint, uint16_t port)
{
    if (endpoint->any.sa_family == AF_INET6)
        endpoint->v6.sin6_port = htons(port);
    else
        endpoint->v4.sin_port = htons(port);
}

/** True if both have the same address and port. */
static inline bool endpoint_equals(const struct endpoint *endpoint, const struct endpoint *other)
{
    return endpoint_has_same_host(endpoint, other) &&
           endpoint_port(endpoint) == endpoint_port(other);
}

/** Octets of the structure that the system's calls take. */
static inline socklen_t endpoint_octets(const struct endpoint *endpoint)
{
    return endpoint->any.sa_family == AF_INET6 ? sizeof endpoint->v6 : sizeof endpoint->v4;
}

#pragma once
/**
 * Sockets to listen on, one per address, transport and worker, and the error texts when one cannot
 * be opened.
 *
 * All workers bind the same address with SO_REUSEPORT; the kernel spreads clients over them. A
 * second server of the same user could bind it unnoticed, so a probe first checks without
 * SO_REUSEPORT that the port is free.
 *
 * IPv6 sockets accept no IPv4 (IPV6_V6ONLY), whatever the host's bindv6only is: [::] beside 0.0.0.0
 * serves both, and a client has one address in one family.
 *
 * Sources: RFC 1035 section 4.2 (UDP and TCP); ip(7), udp(7), tcp(7), socket(7).
 * Threads: the control thread, at start.  Memory: descriptors only; the caller closes them.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/err.h"

/** Checks that no program has the address's UDP port. Returns false with *err. */
bool socket_probe_udp(const struct endpoint *endpoint, struct err *err);

/** The same for TCP. */
bool socket_probe_tcp(const struct endpoint *endpoint, struct err *err);

/**
 * Opens a non-blocking UDP socket. Returns -1 with *err.
 *
 * A wildcard socket (0.0.0.0, ::) delivers the destination address with each request.
 * buffer_octets  of the kernel, per direction; it may grant less, which is ignored
 */
int socket_open_udp(const struct endpoint *endpoint, uint32_t buffer_octets, struct err *err);

/** Opens a non-blocking TCP listener. Returns -1 with *err. */
int socket_open_tcp(const struct endpoint *endpoint, struct err *err);

/** Sets what an inherited UDP socket may lack; what the kernel refuses is ignored. */
void socket_tune_udp(int descriptor, const struct endpoint *endpoint, uint32_t buffer_octets);

/** The same for a TCP listener. */
void socket_tune_tcp(int descriptor);

/**
 * Requests the interface of each packet (IP_PKTINFO) on an IPv4 UDP socket. Returns false if the
 * kernel refuses.
 */
bool socket_request_interfaces(int descriptor);

/**
 * The number of the interface that the client of an accepted IPv4 connection came by: that of the
 * packet which completed the connection. 0: not known.
 */
uint32_t socket_find_interface(int descriptor);

/** The IPv4 address that the client of a connection connected to, host order; 0: it is not IPv4. */
uint32_t socket_find_own_address(int descriptor);

/** Requests that the kernel dropped on this UDP socket because its buffer was full. */
uint32_t socket_kernel_drops(int descriptor);

/** The kernel's memory for what has arrived on a UDP socket and is unread, headers included. */
uint32_t socket_unread_octets(int descriptor);

/**
 * How many milliseconds ago the packet that was read last had arrived; 0 where the kernel does not
 * know. It notes the time of a packet from socket_open_udp or socket_tune_udp on.
 */
uint64_t socket_last_age_ms(int descriptor);

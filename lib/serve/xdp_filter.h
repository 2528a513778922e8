#pragma once
/**
 * The filter of a network interface: the program in the kernel that decides which frames the server
 * gets and which go on to the kernel.
 *
 *     frame ─► filter ─┬─ one whole UDP datagram to us ────────► the socket of its queue
 *                      └─ anything else, a queue without socket ─► the kernel (XDP_PASS)
 *
 * To us: to an address and port that were added. What it leaves to the kernel, whose rules are to
 * apply: frames to another MAC address than the interface's, with a VLAN tag, IP options, extension
 * headers, fragments, or of more than XDP_FRAME_MOST octets; and sources that no host has on a
 * wire: loopback, groups, 0.0.0.0/8, 240.0.0.0/4, ::/64 and so mapped and compatible IPv4, the
 * destination itself.
 *
 * It is made of instructions that stand here, so nothing needs to be compiled for it, and attached
 * by a link, which ends with the process whatever ends that. An interface has one such program at a
 * time; where there is another, this one is refused.
 *
 * Built with Linux's AF_XDP, or without it (without/xdp_filter.c): then opening fails.
 *
 * Sources: bpf(2), Documentation/networking/af_xdp.rst of Linux; RFC 791, RFC 8200, RFC 768.
 * Threads: the control thread.  Memory: descriptors alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/err.h"

enum {
    XDP_FRAME_MOST = 1536, /* longer ones go on to the kernel */
    XDP_ADDRESSES_MOST = 256,
};

enum xdp_mode { XDP_MODE_AUTO, XDP_MODE_COPY, XDP_MODE_SKB };

struct xdp_filter {
    int program; /* each -1: none */
    int addresses;
    int sockets;
    int link;
    bool is_native; /* attached in the driver; else before the kernel's own processing */
};

/** "AF_XDP", or NULL for a build without it. */
const char *xdp_library(void);

/**
 * Loads a filter for an interface with this MAC address and so many queues; it is not attached yet.
 * Returns false with *err, a clause, and nothing open.
 */
bool xdp_filter_open(struct xdp_filter *filter, const uint8_t mac[6], unsigned queues,
                     struct err *err);

/** Has it take datagrams to an address and port. Returns false with *err, a clause. */
bool xdp_filter_add_address(const struct xdp_filter *filter, const struct endpoint *endpoint,
                            struct err *err);

/** Gives a queue's frames to a socket, until that is closed. Returns false with *err, a clause. */
bool xdp_filter_add_socket(const struct xdp_filter *filter, unsigned queue, int descriptor,
                           struct err *err);

/**
 * Attaches it: in the driver if that can and the mode is not XDP_MODE_SKB. Returns false with *err,
 * a clause.
 */
bool xdp_filter_attach(struct xdp_filter *filter, unsigned interface, enum xdp_mode mode,
                       struct err *err);

/** Detaches it: every frame goes on to the kernel from now on. */
void xdp_filter_detach(struct xdp_filter *filter);

/** Detaches and frees it; one that was never opened, too, if its descriptors are -1. */
void xdp_filter_close(struct xdp_filter *filter);

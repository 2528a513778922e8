#pragma once
/**
 * The network interfaces whose queries come past the kernel's sockets, by AF_XDP.
 *
 *     open (filters) ─► workers open sockets (xdp_listener.h) ─► attach ─► detach ─► close
 *
 *                       ┌─ queue 0 ─► worker 1
 *     interface ─ filter┼─ queue 1 ─► worker 2      a queue has one worker: number modulo workers
 *                  │    └─ queue 2 ─► worker 1
 *                  └─► kernel ─► the sockets of `listen`, which stay open and serve the rest
 *
 * Taken is UDP to those addresses and ports of `listen` that the interface itself has when the
 * server starts, or the loopback interface, where those of anycast are. (Addresses of other
 * interfaces may be those of a VLAN on this one, whose tag the card has removed.) An address that
 * comes later is served by the sockets alone, as everything is once the interface gets another MAC
 * address.
 *
 * What cannot be had is left out with a sentence, and the sockets serve everything: an interface
 * that is not there, without Ethernet, of an MTU below 1280, which no reply may exceed; a missing
 * right; a kernel without. Likewise when an interface goes away later.
 *
 * Threads: the control thread; workers read `is_gone`.  Memory: in the server.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/settings.h"
#include "serve/xdp_filter.h"

enum { XDP_INTERFACES_MOST = 8, XDP_QUEUES_MOST = 256, XDP_STATE_OCTETS = 640 };

struct xdp_interface {
    const char *name; /* the settings' */
    unsigned number;  /* as the system numbers it */
    unsigned queues;
    unsigned sockets;   /* queues that have one */
    unsigned addresses; /* with port */
    bool is_zero_copy;  /* of every socket */
    bool is_attached;
    struct xdp_filter filter;
    struct err problem;  /* ERR_NONE: none; else a clause */
    atomic_bool is_gone; /* it went away while it was used; workers read it */
};

struct xdp {
    struct xdp_interface items[XDP_INTERFACES_MOST];
    size_t count;
    enum xdp_mode mode;
};

/**
 * Loads the filter of each interface of the settings, which are borrowed. A server that waits for
 * another to leave uses none: an interface has one filter at a time.
 */
void xdp_open(struct xdp *xdp, const struct settings *settings, bool is_waiting);

/** Attaches the filters that have sockets, and logs what is used and what is not. */
void xdp_attach(struct xdp *xdp);

/** Detaches them: what comes from now on goes on to the kernel's sockets. */
void xdp_detach(struct xdp *xdp);

void xdp_close(struct xdp *xdp);

/**
 * Looks whether the interfaces are still there, and logs each that has gone away, once: an AF_XDP
 * socket does not wake anybody for that. Returns true while any is used; call it again then.
 */
bool xdp_look_up(struct xdp *xdp);

/** True while requests come by it. */
bool xdp_is_used(const struct xdp_interface *interface);

/** Writes "native, copied, 1 of 1 queues, 2 addresses", or why it is not used. */
void xdp_format_state(const struct xdp_interface *interface, char out[XDP_STATE_OCTETS]);

#pragma once
/**
 * Late replies over UDP: those that become ready together leave together.
 *
 *     carrier->deliver ─► udp_late_add ─► queue ─┬─(full, or another socket's)──► sendmmsg
 *                                                └─► udp_late_send, once there are no more for now
 *
 * A reply is copied, since its octets are overwritten by the next one. What the kernel does not
 * take is treated as in a batch (udp_batch_send).
 *
 * Threads: the worker's.  Memory: everything in udp_late_new.
 */
#include <stdint.h>

#include "base/endpoint.h"
#include "serve/carrier.h"
#include "serve/udp.h"

enum { UDP_LATE_MOST = 64 };

/** A control message; the kernel requires the alignment of struct cmsghdr. */
struct udp_control {
    _Alignas(struct cmsghdr) uint8_t octets[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/** A client: its address, and the control message for the reply. */
struct udp_client {
    struct endpoint endpoint;
    uint32_t control_octets; /* 0: none */
    struct udp_control control;
};

_Static_assert(sizeof(struct udp_client) <= LATE_CLIENT_OCTETS, "see carrier.h");

struct udp_late;

/** Returns NULL without memory. */
struct udp_late *udp_late_new(void);

/** Replies that were not sent are lost. NULL is allowed. */
void udp_late_free(struct udp_late *late);

/** Queues a reply, whose octets are copied; `client` holds a struct udp_client. */
void udp_late_add(const struct udp_socket *socket, const struct late_client *client,
                  const uint8_t *reply, size_t length);

/** Sends what is queued. */
void udp_late_send(struct udp *udp);

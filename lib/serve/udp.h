#pragma once
/**
 * UDP: requests read and replies written 64 at a time.
 *
 *     uv_poll says readable → recvmmsg → batch → sendmmsg → again while full batches come
 *
 * The buffers, headers and iovecs of a batch stand ready and are set up once; from batch to batch
 * only what the kernel changed is put back. Request buffers are 65 cache lines apart and reply
 * buffers 21: odd numbers, so that the buffers' beginnings do not fall into the same cache sets.
 *
 * A reply leaves from the address that was asked: a socket bound to one address does so by itself,
 * a wildcard socket by way of the control message that came with the request.
 *
 * What goes wrong with one packet (ICMP errors, a full send queue) is counted and never ends the
 * socket.
 *
 * Sources: RFC 1035 section 4.2.1; recvmmsg(2), sendmmsg(2), ip(7), ipv6(7).
 * Threads: the worker's.  Memory: everything at init; nothing per request.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"
#include "serve/batch.h"

struct udp_buffers;

/** What all UDP sockets of one worker share. */
struct udp {
    struct batch *batch;
    struct udp_buffers *buffers;
};

/** One bound socket; it must stay in its place while open. */
struct udp_socket {
    struct reply_sink reply_sink; /* first: replies that come after their batch */
    uv_poll_t poll;
    struct udp *udp;
    int descriptor;
    uint32_t address;      /* IPv4 it is bound to, host order; 0: wildcard, or IPv6 */
    socklen_t name_octets; /* of a source address */
    size_t control_octets; /* for the asked address; 0: not a wildcard */
};

/** Prepares the buffers. Returns false without memory. */
bool udp_init(struct udp *udp, struct batch *batch);

void udp_close(struct udp *udp);

/**
 * Begins to serve a socket from socket_open_udp. Takes the descriptor over, whatever comes back.
 * Returns 0 or a libuv error.
 */
int udp_socket_start(struct udp_socket *socket, struct udp *udp, uv_loop_t *loop, int descriptor,
                     const struct endpoint *endpoint);

void udp_socket_stop(struct udp_socket *socket);

/** Reads and answers at most one batch. Returns the requests read, 0 when there were none. */
int udp_serve_batch(struct udp_socket *socket);

/** Reads and answers what has already arrived, 64 batches at most. */
void udp_serve_all(struct udp_socket *socket);

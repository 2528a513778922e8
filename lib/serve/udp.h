#pragma once
/**
 * UDP: requests are read and replies sent 64 at a time.
 *
 *     uv_poll: readable → recvmmsg → batch → sendmmsg → again while batches are full
 *
 * Past saturation, and after a standstill of the process, requests that have waited too long are
 * dropped unanswered (backlog.h), except for the newest and for every client's share (share.h). A
 * socket that keeps up pays nothing for that: the clock is the loop's, and the kernel is asked only
 * when a backlog has become old.
 *
 * A reply is sent from the address that was asked: a socket bound to one address does so by itself,
 * a wildcard socket by the control message that came with the request. The same message has the
 * interface that the request came by; a socket bound to one IPv4 address gets it once a snapshot
 * has devices (access.h). Requests that were waiting then have none.
 *
 * Errors of single packets (ICMP errors, a full send queue) are counted and never close the socket.
 *
 * Sources: RFC 1035 section 4.2.1; recvmmsg(2), sendmmsg(2), ip(7), ipv6(7).
 * Threads: the worker's.  Memory: everything at init; nothing per request.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/endpoint.h"
#include "serve/backlog.h"
#include "serve/batch.h"
#include "serve/share.h"

struct udp_buffers;
struct udp_late;

/** State shared by all UDP sockets of one worker. */
struct udp {
    struct batch *batch;
    struct udp_buffers *buffers;
    struct udp_late *late;
    struct share share; /* of the backlog that is being dropped */
};

/** One bound socket; it must not move while open. */
struct udp_socket {
    struct carrier carrier; /* first member: sends late replies */
    uv_poll_t poll;
    struct udp *udp;
    int descriptor;
    uint32_t address;      /* IPv4 it is bound to, host order; 0: wildcard, or IPv6 */
    socklen_t name_octets; /* of a source address */
    size_t control_octets; /* for destination address and interface; 0: not requested */
    struct backlog backlog;
    uint32_t drops;          /* of the kernel: before the start, then, once stopped, since it */
    struct udp_socket *next; /* the owner's */
};

/** Allocates the buffers. Returns false without memory. */
bool udp_init(struct udp *udp, struct batch *batch);

void udp_close(struct udp *udp);

/**
 * Starts a socket from socket_open_udp, without reading yet. Takes the descriptor over in any case.
 * Returns 0 or a libuv error, with no handle left on the loop.
 */
int udp_socket_start(struct udp_socket *socket, struct udp *udp, uv_loop_t *loop, int descriptor,
                     const struct endpoint *endpoint);

/** Begins to read. */
void udp_socket_begin(struct udp_socket *socket);

/** Requests the interface of each request from the kernel, if it is an IPv4 socket. */
void udp_socket_request_interfaces(struct udp_socket *socket);

/** Reads nothing more; late replies still go out through it. */
void udp_socket_pause(struct udp_socket *socket);

/** Requests that the kernel has dropped since the start because its buffer was full. */
uint32_t udp_socket_drops(const struct udp_socket *socket);

void udp_socket_stop(struct udp_socket *socket);

/** Answers requests that have arrived, a batch at most, if it reads and is not overloaded. */
void udp_socket_look(struct udp_socket *socket);

/** Reads and answers at most one batch. Returns the requests read, 0 when there were none. */
int udp_serve_batch(struct udp_socket *socket);

/** Reads and answers the requests that have arrived, 64 batches at most. */
void udp_serve_all(struct udp_socket *socket);

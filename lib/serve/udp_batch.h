#pragma once
/**
 * One batch of UDP: requests of one socket are read and their replies sent 64 at a time; a part of
 * udp.c.
 *
 *     recvmmsg → batch (batch.h) → sendmmsg
 *
 * The buffers, headers and iovecs of a batch are set up once; between batches only the fields that
 * the kernel changed are reset. Request buffers are 65 cache lines apart and reply buffers 21: odd
 * numbers, so that the buffers' beginnings do not share the same cache sets.
 *
 * A reply is sent from the address that was asked: a socket bound to one address does so by itself,
 * a wildcard socket by the control message that came with the request. The same message has the
 * interface that the request came by.
 *
 * Sources: recvmmsg(2), sendmmsg(2), ip(7), ipv6(7).
 * Threads: the worker's.  Memory: everything in udp_batch_new.
 */
#include "serve/udp.h"

/** Returns NULL without memory. */
struct udp_buffers *udp_batch_new(void);

/** NULL is allowed. */
void udp_batch_free(struct udp_buffers *buffers);

/** Has all headers set up anew for the socket: what it requests of the kernel has changed. */
void udp_batch_forget(struct udp_socket *socket);

/** Reads `most` requests at most, up to BATCH_MOST. Returns how many. */
int udp_batch_receive(struct udp_socket *socket, unsigned most);

/** Answers the `count` requests that were read last. */
void udp_batch_serve(struct udp_socket *socket, unsigned count);

/** Answers those of them that are in their clients' shares, and drops the others as outdated. */
void udp_batch_serve_shares(struct udp_socket *socket, unsigned count, struct share *share);

/** Late replies; the carrier is the first member of a struct udp_socket. */
extern const struct carrier udp_batch_carrier;

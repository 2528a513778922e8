#pragma once
/**
 * One batch of UDP: requests of one socket are read and their replies sent 64 at a time; a part of
 * udp.c.
 *
 *     recvmmsg → batch (batch.h), 16 at a time → sendmmsg
 *
 * What 16 requests touch stays in the processor's first cache while they are answered; 64 are too
 * many for that, and fewer would cost a system call more often.
 *
 * A reply is written where its request was, and sent with the request's header. The buffers are 65
 * cache lines apart: an odd number, so that their beginnings do not share the same cache sets.
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

enum { UDP_READ_MOST = 64, UDP_GROUP_MOST = 16 };

/** Reads `most` requests at most, up to UDP_READ_MOST. Returns how many. */
int udp_batch_receive(struct udp_socket *socket, unsigned most);

/**
 * Answers the `count` requests that were read last; with a share, those of them that are in their
 * clients' shares, and drops the others as outdated.
 */
void udp_batch_serve(struct udp_socket *socket, unsigned count, struct share *share);

/**
 * Sends replies. While the send queue is full it waits, up to 3 times a millisecond; then those
 * that are left are lost. A reply that cannot be sent at all costs only itself. Both are counted.
 */
void udp_batch_send(const struct udp_socket *socket, struct mmsghdr *messages, unsigned count);

/** Late replies (udp_late.h); the carrier is the first member of a struct udp_socket. */
extern const struct carrier udp_batch_carrier;

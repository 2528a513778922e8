#pragma once
/**
 * The listener of frames: a worker's AF_XDP sockets, one for each queue that is its own (xdp.h).
 *
 *     uv_poll: readable → frames → batch (batch.h) → replies into the same frames → send
 *
 * What is answered, and how, is decided by the same batch as over the kernel's sockets; only the
 * heads of a datagram are read and written here (base/ip.h). A reply leaves by the queue that its
 * request came by, from the address that was asked to the MAC address that asked, so no routes or
 * neighbours are looked up. Frames with a wrong length or sum are dropped and counted.
 *
 * A late reply takes a free frame. When the interface goes away, its sockets close, and the
 * clients that waited by it are not answered.
 *
 * A ring holds 2,048 frames at most, a few milliseconds of work, so there is no backlog to be
 * dropped (backlog.h): what is too much the kernel drops and counts.
 *
 * Threads, memory: listener.h.
 */
#include "serve/listener.h"
#include "serve/worker.h"
#include "serve/xdp.h"
#include "serve/xsk.h"

/**
 * Opens sockets for the worker's queues of every interface whose filter is loaded; a socket that
 * cannot be opened becomes the interface's problem. Returns NULL when there is none.
 */
struct listener *xdp_listener_new(const struct listener_options *options,
                                  const struct worker_options *worker);

/** Adds to *sum what the kernel has counted of its sockets. */
void xdp_listener_add_statistics(const struct listener *listener, struct xsk_statistics *sum);

#pragma once
/**
 * The link over real sockets: UDP with a random port for each attempt (datagrams.h), and a
 * connection per server over TCP or TLS (stream.h), or several while one is slow
 * (server_streams.h). All but SERVER_STREAMS_RESERVED connections of a server count in
 * sockets_most.
 *
 * Sockets are watched by an epoll descriptor of their own, and the worker's loop watches only that:
 * opening and closing a socket costs the loop nothing.
 *
 *     worker's loop ──poll──► epoll ──► UDP sockets (one per attempt, and spare ones)
 *        │                      └─────► streams (one or several per server)
 *        ├──idle──► queries and failures of this turn: written and notified in the next one
 *        └──timer──► streams, while one is open; spare sockets, while there are many
 *
 * Responses cost more than requests that are answered at once, and they come in crowds. So after
 * SOCKETS_EVENTS_MOST of them the listener may look after other things (on_rest).
 *
 * The failure of an attempt that cannot be sent is notified in the next turn, like all others.
 *
 * Sources: RFC 5452 section 9.2 (random ports); RFC 7766, RFC 7858 (connections reused).
 * Threads: one worker's.  Memory: a table of attempts at init; a stream's buffers while it is open.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "forward/link.h"
#include "stats/stats.h"

enum { SOCKETS_EVENTS_MOST = 8 }; /* served before the listener's on_rest */

struct sockets;

struct sockets_options {
    uv_loop_t *loop;
    const struct upstream *const *servers; /* by number */
    size_t server_count;
    size_t attempts;     /* at most at once; tickets are below it */
    size_t sockets_most; /* UDP sockets at most at once: beyond, LINK_EXHAUSTED; 0: no limit */
    bool uses_any_port;  /* else the kernel draws the ports, from its range */
    struct stats *stats;
};

/** Borrows everything in the options until sockets_free. Returns NULL with *err. */
struct sockets *sockets_new(const struct sockets_options *options, struct err *err);

/** The interface for the forwarder. */
struct link *sockets_link(struct sockets *sockets);

/**
 * Closes every socket without notifying open attempts. Releases what the options name at once, the
 * handles on the loop and the memory in the loop's next turn. Not allowed from within a listener.
 * NULL is allowed.
 */
void sockets_free(struct sockets *sockets);

#pragma once
/**
 * Listeners: the ways in which requests come to a worker.
 *
 *     kind->new ─► start (a socket), start ... ─► begin ─► drain ─────────────────► stop ─► free
 *                                                  │       hand_over, hand_over ... ──► ▲
 *                                                  └───────────────────────────────────┘
 *
 *     client ──► socket ──► listener ──► batch ──► reply at once
 *                                          └─────► carrier (carrier.h), later
 *
 * A listener serves all addresses of one scheme for one worker; what its sockets share, such as
 * buffers or a limit of connections, belongs to it. Worker and server know this interface only:
 * another scheme is a file beside these, a line in listener.c, and its name in
 * config/listen_address.c.
 *
 * Before `begin` nothing is read, so another process may still serve the same sockets.
 *
 * Threads: probe, open, new, start and dropped on the control thread; the rest on the worker's, or
 * the control thread while the worker does not run; free after its loop has ended.
 * Memory: allocated by new and start; nothing per request.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"
#include "base/err.h"
#include "config/settings.h"
#include "serve/batch.h"

struct listener {
    /** Takes one more bound socket over. Returns false with *err. */
    bool (*start)(struct listener *listener, const struct endpoint *endpoint, int descriptor,
                  struct err *err);

    /** Begins to serve. */
    void (*begin)(struct listener *listener);

    /** Requests the interface of each request from now on; NULL: it always has it. */
    void (*request_interfaces)(struct listener *listener);

    /** Sends the late replies that are queued; NULL: they are sent when they are delivered. */
    void (*send_late)(struct listener *listener);

    /**
     * Answers requests that have arrived, a batch of each socket at most, while the loop is busy
     * with other things; NULL: they wait for the loop.
     */
    void (*look)(struct listener *listener);

    /**
     * Reads nothing more from its sockets, which another process reads now, and hands over to it
     * what it can of open connections (pass.h). To be called again while it returns how many are
     * left.
     */
    size_t (*hand_over)(struct listener *listener, int channel);

    /** Takes over a connection of hand_over; NULL: the scheme has none. */
    void (*take_over)(struct listener *listener, int descriptor);

    /** Answers the requests that have arrived, and goes on serving. */
    void (*drain)(struct listener *listener);

    /**
     * Serves nothing more, and closes its handles: at once, or at most a second later when clients
     * are slow to take their replies.
     */
    void (*stop)(struct listener *listener);

    /** Requests that the kernel dropped because the worker was slower than they arrived. */
    uint64_t (*dropped)(const struct listener *listener);

    /** Frees a stopped listener. */
    void (*free)(struct listener *listener);
};

struct listener_options {
    uv_loop_t *loop; /* must not move, nor may the batch */
    struct batch *batch;
    const struct settings *settings; /* for the call only */
};

struct listener_kind {
    /** Checks that no other program has the address. Returns false with *err. */
    bool (*probe)(const struct endpoint *endpoint, struct err *err);

    /** Binds a socket. Returns its descriptor, or -1 with *err. */
    int (*open)(const struct endpoint *endpoint, const struct settings *settings, struct err *err);

    /** Sets what a socket that others have bound may lack. */
    void (*tune)(int descriptor, const struct endpoint *endpoint, const struct settings *settings);

    /** Makes a listener without sockets. Returns NULL with *err. */
    struct listener *(*new)(const struct listener_options *options, struct err *err);
};

/** The kind for each scheme. */
extern const struct listener_kind listener_kinds[LISTEN_SCHEMES];

/** Sets the error of a loop, or of a handle on it, that libuv refuses. Returns false. */
bool listener_fail(struct err *err, const char *what, int uv_error);

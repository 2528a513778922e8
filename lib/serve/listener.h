#pragma once
/**
 * Listeners: the ways in which requests come to a worker.
 *
 *     kind->new ─► start (an address), start ... ─► the loop runs ─► drain ─► stop ─► it ends ─►
 * free
 *
 *     client ──► socket ──► listener ──► batch ──► reply at once
 *                                          └─────► carrier (carrier.h), later
 *
 * A listener serves all addresses of one scheme for one worker; what its sockets share, such as
 * buffers or a limit of connections, belongs to it. Worker and server know this interface only:
 * another scheme is a file beside these, a line in listener.c, and its name in
 * config/listen_address.c.
 *
 * Threads: probe, new, start and dropped on the control thread; drain and stop on the worker's, or
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
    /** Binds one more address and serves it. Returns false with *err. */
    bool (*start)(struct listener *listener, const struct endpoint *endpoint, struct err *err);

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

    /** Makes a listener without addresses. Returns NULL with *err. */
    struct listener *(*new)(const struct listener_options *options, struct err *err);
};

/** The kind for each scheme. */
extern const struct listener_kind listener_kinds[LISTEN_SCHEMES];

/** Sets the error of a loop, or of a handle on it, that libuv refuses. Returns false. */
bool listener_fail(struct err *err, const char *what, int uv_error);

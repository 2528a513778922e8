#pragma once
/**
 * The control socket: calls come in, the owner answers them, now or later.
 *
 *     accept ─► request line ─► on_call ─► ... owner ... ─► call_finish ─► written ─► closed
 *       5 s for the line                no limit              10 s for the client to take it
 *
 * A connection has one call. Lines are bounded, connections too, and nothing waits for a client:
 * one that is silent or slow is hung up on. The socket's mode is 0600: who may ask may everything.
 *
 * A socket that a dead server left is replaced; one that somebody answers is not.
 *
 * Threads: the loop's; the process ignores SIGPIPE.
 * Memory: per connection; a call is the connection's, and the owner's until it is finished.
 */
#include <uv.h>

#include "base/err.h"
#include "control/command.h"
#include "control/protocol.h"

enum { LISTENER_CONNECTIONS_MOST = 16, LISTENER_REQUEST_MS = 5000, LISTENER_RESPONSE_MS = 10000 };

struct listener;

/** One request, read; what is printed to `out` and `err` becomes the response. */
struct call {
    struct invocation invocation;
    FILE *out;
    FILE *err;
    struct call *next; /* the owner's */
};

/** Called for each request. Every call is to be finished, at the latest before listener_close. */
typedef void listener_on_call(void *context, struct call *call);

/**
 * Binds and listens. Returns NULL with *err, a sentence that says what to do. The process's umask
 * is another one for a moment: not while other threads make files.
 */
struct listener *listener_open(uv_loop_t *loop, const char *path, listener_on_call *on_call,
                               void *context, struct err *err);

/** Sends the response and the exit code, and lets go of the call. */
void call_finish(struct call *call, int code);

/** Hangs up on everybody and removes the socket; the rest ends with the loop. NULL is allowed. */
void listener_close(struct listener *listener);

#pragma once
/**
 * The control socket: it accepts calls, which the owner answers now or later.
 *
 *     accept ─► request line ─► on_call ─► ... owner ... ─► call_finish ─► written ─► closed
 *       5 s for the line            │    no limit             ▲ 10 s for the client to read it
 *                                   └─► call_begin_stream ─► call_send ... (control_stream.h)
 *
 * A connection has one call. Lines and connections are bounded, and nothing waits for a client: a
 * silent or slow one is disconnected. What a client may run depends on who it is (role.h); one that
 * asks for more gets a sentence, and the log a line (refusals.h). Of the connections at once,
 * clients with a lesser role have a share only, so that they cannot keep out those with a greater
 * one.
 *
 * The path is cleared of a dead server's socket (socket_path.h).
 *
 * Threads: the loop's; the process ignores SIGPIPE.
 * Memory: per connection; a call belongs to its connection, and to the owner until it is finished.
 */
#include <uv.h>

#include "base/err.h"
#include "control/command.h"
#include "control/protocol.h"
#include "control/role.h"

enum {
    CONTROL_SOCKET_CONNECTIONS_MOST = 16,
    CONTROL_SOCKET_READERS_MOST = 8,
    CONTROL_SOCKET_STRANGERS_MOST = 4,
    CONTROL_SOCKET_STREAMS_MOST = 8, /* besides the connections */
    CONTROL_SOCKET_READER_STREAMS_MOST = 6,
    CONTROL_SOCKET_REQUEST_MS = 5000,
    CONTROL_SOCKET_RESPONSE_MS = 10000
};

struct control_socket;

/** One parsed request; the text printed to `out` and `err` becomes the response. */
struct call {
    struct invocation invocation;
    struct peer peer;
    FILE *out;
    FILE *err;
    struct call *next; /* the owner's */
};

/** Called for each request. The owner must finish every call before control_socket_close. */
typedef void control_socket_on_call(void *context, struct call *call);

/** Whose socket it is: what calls get, and who may make them. */
struct control_owner {
    const struct control_access *access; /* borrowed */
    control_socket_on_call *on_call;
    void *context;
};

/**
 * Binds and listens. Returns NULL with *err, a sentence with the remedy.
 * Changes the process's umask for a moment, so no other thread may create files meanwhile.
 */
struct control_socket *control_socket_open(uv_loop_t *loop, const char *path,
                                           const struct control_owner *owner, struct err *err);

/**
 * Goes on with the socket of another process, which has handed it over, and takes the descriptor
 * over: what waits in its queue is accepted here. When the path is another one, or NULL for none,
 * or the groups ask for another mode, the socket is removed and a new one opened. Returns NULL with
 * *err, or for a path of NULL.
 */
struct control_socket *control_socket_take_over(uv_loop_t *loop, const char *path, int descriptor,
                                                const struct control_owner *owner, struct err *err);

/** The descriptor that listens, for another process. */
int control_socket_descriptor(const struct control_socket *control);

/** Leaves the path to another process: control_socket_close does not remove it. NULL is allowed. */
void control_socket_hand_over(struct control_socket *control);

/** Sends the response, or what a stream has not sent yet, and the exit code; releases the call. */
void call_finish(struct call *call, int code);

/** Closes all connections and removes the socket; the loop frees the rest. NULL is allowed. */
void control_socket_close(struct control_socket *control);

#pragma once
/**
 * Calls that stay open: their lines are sent as they come.
 *
 *     on_call ─► call_begin_stream ─► print to out and err ─► call_send ─► ... ─► call_finish
 *                                         ▲                      │
 *                                         └──── on_ready ◄───────┘ the client's socket took it all
 *
 * Nobody waits for the client: while it does not read, the call is not ready, and the owner keeps,
 * or drops, what it has to send. A client that disconnects, or sends anything more, is gone.
 *
 * Streams have places of their own, CONTROL_SOCKET_STREAMS_MOST, so that they keep no other command
 * out; those with a lesser role a share of them only.
 *
 * Threads, memory: as control_socket.h.
 */
#include <stdbool.h>

struct call;

/** What the owner of a stream is called for. */
struct call_stream {
    void (*on_ready)(void *context, struct call *call); /* it may send more */
    void (*on_gone)(void *context, struct call *call);  /* the client; it has to finish the call */
    void *context;
};

/** Keeps a call open. Returns false, with nothing changed, when all places are taken. */
bool call_begin_stream(struct call *call, const struct call_stream *stream);

/** True when everything sent so far has been written. */
bool call_is_ready(const struct call *call);

/** Sends what has been printed; only while the call is ready. Never calls the owner. */
void call_send(struct call *call);

#pragma once
/**
 * Calls that stay open: their lines are sent as they come.
 *
 *     on_call ─► call_begin_stream ─► print to out and err ─► call_send ─► ... ─► call_finish
 *                                         ▲                      │
 *                                         └──── on_ready ◄───────┘ the client's socket took it all
 *
 * Nobody waits for the client: while it does not read, the call is not ready, and the owner keeps,
 * or drops, what it has to send. A client that disconnects, or sends anything more, is gone. One
 * that reads nothing for CONTROL_STREAM_STALLED_MS while lines wait for it, here or in the kernel,
 * has stalled: its place goes to others, for otherwise a few readers that are stopped would keep
 * everybody else from following. That is logged:
 *
 *     ... info stream_stalled by=1000 user=alice command=logs text="..."
 *
 * The kernel frees what it keeps for a client piece by piece, of 32 KiB at most, so a client that
 * reads less than a piece counts as one that reads nothing.
 *
 * Streams have places of their own, CONTROL_SOCKET_STREAMS_MOST, so that they keep no other command
 * out; those with a lesser role a share of them only.
 *
 * Threads, memory: as control_socket.h.
 */
#include <stdbool.h>

struct call;

enum {
    CONTROL_STREAM_CHECK_MS = 10000,
    CONTROL_STREAM_STALLED_MS = 60000,
};

/** What the owner of a stream is called for. */
struct call_stream {
    void (*on_ready)(void *context, struct call *call); /* it may send more */
    void (*on_gone)(void *context, struct call *call);  /* the client; it has to finish the call */
    /* The client has stalled; it has to finish the call with the sentence, which says so. */
    void (*on_stalled)(void *context, struct call *call, const char *sentence);
    void *context;
};

/** Keeps a call open. Returns false, with nothing changed, when all places are taken. */
bool call_begin_stream(struct call *call, const struct call_stream *stream);

/** True when everything sent so far has been written. */
bool call_is_ready(const struct call *call);

/** Sends what has been printed; only while the call is ready. Never calls the owner. */
void call_send(struct call *call);

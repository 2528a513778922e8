#pragma once
/**
 * What the running server and the one that an upgrade has started tell each other.
 *
 *     running (upgrade.h)                          new (takeover.h)
 *        ◄──────────── hello VERSION PROGRAM ─────── settings read
 *        ──── descriptors LEFT NAME NAME ... ──────►  sockets, control, state, connections
 *                                                    zones loaded, workers answer their probes
 *        ◄──────────── ready ────────────────────────
 *     writes no state any more
 *        ──────────── go ───────────────────────────► state stored, sockets read
 *        ◄──────────── serving GENERATION ───────────
 *     hands connections over (pass.h), drains
 *        ──────────── signal NUMBER ────────────────►
 *     ends
 *
 * Before `go`, the running server may also send `stay`: it goes on itself, so the new one ends.
 *
 * A message is one datagram of text, with descriptors as long as the text names them. Sockets are
 * named as in serve/inherited.h; `control` is the control socket, `http` one that serves HTTP,
 * `state` the locked state folder, and `connections` the end of a pair over which TCP connections
 * arrive.
 *
 * The end of the channel before `serving` means to the running server that the other has failed;
 * to the new one, that nobody else serves, so that it goes on as after `go`.
 *
 * Threads: the control thread.  Memory: none.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "serve/pass.h"

enum { HANDOVER_VERSION = 1, HANDOVER_TEXT_MOST = 4096 };

#define HANDOVER_CONTROL "control"
#define HANDOVER_HTTP "http"
#define HANDOVER_STATE "state"
#define HANDOVER_CONNECTIONS "connections"

enum handover_kind {
    HANDOVER_NOTHING, /* no message has arrived yet */
    HANDOVER_GONE,    /* the other process */
    HANDOVER_UNKNOWN,
    HANDOVER_HELLO,
    HANDOVER_DESCRIPTORS,
    HANDOVER_READY,
    HANDOVER_GO,
    HANDOVER_SERVING,
    HANDOVER_SIGNAL,
    HANDOVER_STAY,
};

struct handover_message {
    enum handover_kind kind;
    char text[HANDOVER_TEXT_MOST]; /* behind the kind's word; may be empty */
    int descriptors[PASS_DESCRIPTORS_MOST];
    size_t descriptor_count;
};

/** Sends a message without waiting; `text` may be NULL. Returns false when that is not possible. */
bool handover_send(int channel, enum handover_kind kind, const char *text);

/** The same with descriptors, which stay the caller's. */
bool handover_send_descriptors(int channel, const char *text, const int *descriptors, size_t count);

/** Receives the next message, waiting as the channel does. */
enum handover_kind handover_receive(int channel, struct handover_message *message);

#pragma once
/**
 * A worker's sockets, and the listeners that serve them (listener.h).
 *
 *     start (inherited, else bound) ──────────► begin ─► drain, hand_over ... ─► stop ─► free
 *         └─► start_probe: until begin, one on loopback answers ──┘
 *
 * Threads: start, walk and dropped on the control thread; the rest on the worker's, or the control
 * thread while the worker does not run; free after its loop has ended.
 * Memory: the list and the listeners, freed by free, which copes with a start that has failed.
 */
#include "serve/listener.h"
#include "serve/worker.h"
#include "serve/xsk.h"

/* The listener of frames stands behind those of the schemes. */
enum { LISTENER_XDP = LISTEN_SCHEMES, LISTENERS };

/** One socket that the worker listens on. */
struct worker_socket {
    enum listen_scheme scheme;
    int descriptor; /* the listener's */
};

/** Zeroed: none yet. */
struct worker_sockets {
    struct listener *listeners[LISTENERS]; /* by scheme; NULL: no such address */
    struct worker_socket *items;
    size_t count;
    struct listener *probe; /* NULL: it never waits */
    struct endpoint probe_endpoint;
    bool is_serving;
    size_t worker; /* its number */
};

/** Takes inherited sockets, and binds what is missing. Returns false with *err. */
bool worker_sockets_start(struct worker_sockets *sockets, const struct listener_options *own,
                          const struct worker_options *options, struct err *err);

/** Answers on loopback, at a port that the kernel chooses, until begin. Returns false with *err. */
bool worker_sockets_start_probe(struct worker_sockets *sockets, const struct listener_options *own,
                                struct err *err);

/** Begins to serve; a second call does nothing. */
void worker_sockets_begin(struct worker_sockets *sockets);

/** Requests the interface of each request from now on. */
void worker_sockets_request_interfaces(struct worker_sockets *sockets);

/** Sends the late replies that are queued. */
void worker_sockets_send_late(struct worker_sockets *sockets);

/** Answers requests that have arrived, a batch of each socket at most. */
void worker_sockets_look(struct worker_sockets *sockets);

/** Answers the requests that have arrived, if it serves. */
void worker_sockets_drain(struct worker_sockets *sockets);

/** Hands connections over. Returns how many are left. */
size_t worker_sockets_hand_over(struct worker_sockets *sockets, int channel);

/** Serves nothing more, and closes all handles. */
void worker_sockets_stop(struct worker_sockets *sockets);

/** Calls for each socket. */
void worker_sockets_walk(const struct worker_sockets *sockets, worker_on_socket *on_socket,
                         void *context);

/** Requests that the kernel dropped because the worker was slower than they arrived. */
uint64_t worker_sockets_dropped(const struct worker_sockets *sockets);

/** Adds to *sum what the kernel has counted of frames (xsk.h). */
void worker_sockets_add_frames(const struct worker_sockets *sockets, struct xsk_statistics *sum);

void worker_sockets_free(struct worker_sockets *sockets);

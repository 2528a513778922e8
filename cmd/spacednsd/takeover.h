#pragma once
/**
 * The new server's part of an upgrade, and sockets that the service manager has bound.
 *
 *     read (environment) ─► receive (blocks) ─► zones loaded, workers wait ─► start
 *       ─► probe ─► every worker has answered its probe ─► ready ─► on_go ─► serving
 *       ─► signals ─► (gone)
 *
 * When the running server ends at any time before it has said `go`, this one goes on as if it had.
 *
 * Without a running server only the service manager's sockets are read, from LISTEN_PID, LISTEN_FDS
 * and LISTEN_FDNAMES. One named `http` serves HTTP, the others DNS.
 *
 * Events: inherited_unused.
 *
 * Sources: handover.h; sd_listen_fds(3).
 * Threads: the control thread.  Memory: the list of sockets, and the text of probes.
 */
#include <uv.h>

#include "base/err.h"
#include "serve/inherited.h"
#include "serve/server.h"
#include "spacednsd/http.h"

enum { TAKEOVER_PROBE_MS = 20000, TAKEOVER_RECEIVE_S = 30 };

/** What the server does; called on the control thread. */
struct takeover_owner {
    /** Nobody else writes the state any more; begin to serve. */
    void (*on_go)(void *context);

    /** A worker does not answer; `sentence` has the reason. The server must end. */
    void (*on_failed)(void *context, const char *sentence);

    /** The server before has ended, and nothing more comes from it. */
    void (*on_left)(void *context);

    /** A signal that the server before was sent. */
    void (*on_signal)(void *context, int number);
    void *context;
};

struct takeover {
    struct inherited inherited;
    int channel;        /* to the running server; -1: there is none */
    int standard_error; /* the true one, while descriptor 2 goes to the running server; else -1 */
    int control;        /* the control socket; -1: none. Whoever uses it sets -1 */
    int state;          /* the lock of the state folder; likewise */
    int http[HTTP_LISTENERS_MOST]; /* sockets that serve HTTP; likewise */
    size_t http_count;
    int connections;       /* where connections arrive; -1: none */
    bool is_memory_closed; /* that of the running server; execve(2) has opened this one's */

    const struct takeover_owner *owner;
    const struct server *server;
    uv_poll_t channel_poll, probe_poll;
    uv_timer_t timer;
    int probe;                           /* the socket that asks; -1: none */
    size_t answered;                     /* workers */
    bool is_ready, has_gone, is_serving; /* has_gone: the server before */
};

/** Inherits nothing yet; takeover_close is right from here on. */
void takeover_init(struct takeover *takeover);

/**
 * Reads the environment and clears it; call it first, before descriptors are opened. Returns false
 * with *err when what is inherited is of no use.
 */
bool takeover_read(struct takeover *takeover, struct err *err);

/** True if this server takes over from a running one. */
static inline bool takeover_is_upgrade(const struct takeover *takeover)
{
    return takeover->channel >= 0;
}

/** Asks the running server for its descriptors, and waits for them. Returns false with *err. */
bool takeover_receive(struct takeover *takeover, struct err *err);

/** Logs and closes the sockets that no address of the settings needs. */
void takeover_close_unused(struct takeover *takeover);

/** Closes the sockets of HTTP that nobody has taken. */
void takeover_close_http(struct takeover *takeover);

/** Starts, once the workers are made; TAKEOVER_PROBE_MS are left for the probes. */
void takeover_start(struct takeover *takeover, uv_loop_t *loop, const struct server *server,
                    const struct takeover_owner *owner);

/** Tries every worker, which has adopted the first snapshot, and then waits for `go`. */
void takeover_probe(struct takeover *takeover);

/** Gives standard error back to this process, and says that it serves; called in on_go. */
void takeover_serve(struct takeover *takeover, uint64_t generation);

/** True while the server before leaves. */
bool takeover_is_pending(const struct takeover *takeover);

/** Closes handles and descriptors. */
void takeover_close(struct takeover *takeover);

#pragma once
/**
 * The running server's part of an upgrade: another program takes over, or nothing changes.
 *
 *     request ─► (a reload ends) ─► launched ─► hello ─► loading ─► ready ─► go ─► serving ─► done
 *                     │                │          │         │         │       │
 *                     └────────────────┴──────────┴─────────┴─────────┴───────┴──► failed
 *
 * Until `serving` this server reads all its sockets, so that nothing is lost whatever the other
 * does. It fails when its process ends, or has not reached `serving` in time and is then ended; the
 * call is answered with the reason and the last line of its standard error. All its lines are
 * logged as upgrade_output.
 *
 * Events: upgrade_started, upgrade_output, upgrade_failed, upgrade_done; launcher_failed at the
 * start.
 *
 * Sources: handover.h, launcher.h.
 * Threads: the control thread.  Memory: no allocation; the struct must stay until its handles are
 * closed by the loop.
 */
#include <limits.h>
#include <uv.h>

#include "control/control_socket.h"
#include "serve/server.h"
#include "spacednsd/audit.h"
#include "spacednsd/launcher.h"

enum {
    UPGRADE_TIMEOUT_S = 120,
    UPGRADE_TIMEOUT_MOST_S = 3600,
    UPGRADE_LINE_MOST = 400,
    UPGRADE_VERSION_MOST = 64,
    UPGRADE_HANDLES = 4,
};

enum upgrade_step {
    UPGRADE_IDLE,
    UPGRADE_QUEUED,   /* until the reload under way has ended */
    UPGRADE_STARTING, /* until `hello` */
    UPGRADE_LOADING,  /* until `ready` */
    UPGRADE_GOING,    /* until `serving` */
    UPGRADE_ENDING,   /* it has failed, and its process is being ended */
    UPGRADE_DONE,
};

/** What the server does for an upgrade; called on the control thread. */
struct upgrade_owner {
    /**
     * Begins no reload, and writes no state, from now on. Returns false when one is under way, or
     * the server before still hands over connections: upgrade_go_on follows.
     */
    bool (*hold)(void *context);

    /** The other has failed; `had_state`: after `go`, so it may have written the state. */
    void (*on_failed)(void *context, bool had_state);

    /** The other serves: this server leaves (server_leave over upgrade->connections). */
    void (*on_done)(void *context);
    void *context;
};

struct upgrade {
    uv_loop_t *loop;
    const struct upgrade_owner *owner;
    struct launcher launcher; /* closed by upgrade_close */
    char program[PATH_MAX];   /* of the start */

    /* Of the upgrade under way. */
    enum upgrade_step step;
    struct call *call;
    struct audit audit; /* who requested it */
    char path[PATH_MAX];
    const struct server *server;
    int control;     /* borrowed; -1: none */
    int state;       /* borrowed; -1: none */
    int channel;     /* to the other; -1: none */
    int error;       /* its standard error; -1: none */
    int connections; /* to hand them over; -1: none */
    pid_t pid;
    char version[UPGRADE_VERSION_MOST];
    uint64_t started_ns;
    unsigned timeout_s;
    struct err problem;
    char line[UPGRADE_LINE_MOST]; /* of its standard error, so far */
    size_t line_length;
    char last_line[UPGRADE_LINE_MOST];
    unsigned lines_logged;

    uv_timer_t timer;
    uv_poll_t launcher_poll, channel_poll, error_poll;
    unsigned open_handles;
};

/**
 * Prepares for upgrades, before any thread exists: forks the launcher. Without one, which is
 * logged, upgrades are refused.
 */
void upgrade_prepare(struct upgrade *upgrade, uv_loop_t *loop, const struct upgrade_owner *owner,
                     const struct launcher_options *options);

/** What to hand over besides the server's sockets. */
struct upgrade_offer {
    const struct server *server;
    int control; /* -1: none */
    int state;   /* -1: none */
};

/** Begins an upgrade for a call, which is answered when it has failed or is done. */
void upgrade_request(struct upgrade *upgrade, struct call *call, const struct upgrade_offer *offer);

/** Goes on with an upgrade that waited for a reload. */
void upgrade_go_on(struct upgrade *upgrade);

/** True from a request until it has failed or is done. */
bool upgrade_is_running(const struct upgrade *upgrade);

/** Passes a signal on to the other, once the upgrade is done. */
void upgrade_pass_signal(const struct upgrade *upgrade, int number);

/** The server stops: ends what an upgrade under way has started, and answers its call. */
void upgrade_stop(struct upgrade *upgrade);

/** Closes the channels, which the other notices, and ends the launcher. */
void upgrade_close(struct upgrade *upgrade);

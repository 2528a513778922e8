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
 * The launcher is watched all the time: without it no upgrade is possible any more, which is logged
 * once and then shown by status. One that does not answer is waited for no longer than the other.
 *
 * Events: upgrade_started, upgrade_failed, upgrade_done (upgrade_events.h), upgrade_output
 * (upgrade_output.h); launcher_failed at the start, launcher_lost later.
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
#include "spacednsd/upgrade_offer.h"
#include "spacednsd/upgrade_output.h"

enum {
    UPGRADE_TIMEOUT_S = 120,
    UPGRADE_TIMEOUT_MOST_S = 3600,
    UPGRADE_VERSION_MOST = 64,
    UPGRADE_HANDLES = 3, /* of an upgrade */
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
    uv_poll_t launcher_poll;
    bool is_watching;
    struct err launcher_problem; /* why no program can be started; ERR_NONE: one can */
    char program[PATH_MAX];      /* of the start */

    /* Of the upgrade under way. */
    enum upgrade_step step;
    struct call *call;
    struct audit audit; /* who requested it */
    char path[PATH_MAX];
    struct upgrade_offer offer;
    int channel;     /* to the other; -1: none */
    int connections; /* to hand them over; -1: none */
    pid_t pid;       /* 0: not started yet */
    struct upgrade_output output;
    char version[UPGRADE_VERSION_MOST];
    uint64_t started_ns;
    unsigned timeout_s;
    struct err problem;

    uv_timer_t timer;
    uv_poll_t channel_poll, output_poll;
    unsigned open_handles;
};

/** Starts nothing yet; upgrade_close is right from here on. */
void upgrade_init(struct upgrade *upgrade, uv_loop_t *loop, const struct upgrade_owner *owner);

/**
 * Prepares for upgrades, before any thread exists: forks the launcher. Without one, which is
 * logged, upgrades are refused.
 */
void upgrade_prepare(struct upgrade *upgrade, const struct launcher_options *options);

/** Watches the launcher from now on, until upgrade_stop or an upgrade that is done. */
void upgrade_watch(struct upgrade *upgrade);

/** Why no program can be started, with the remedy. NULL: one can. */
const char *upgrade_problem(const struct upgrade *upgrade);

/** Begins an upgrade for a call, which is answered when it has failed or is done. */
void upgrade_request(struct upgrade *upgrade, struct call *call, const struct upgrade_offer *offer);

/** Goes on with an upgrade that waited for a reload. */
void upgrade_go_on(struct upgrade *upgrade);

/** True from a request until it has failed or is done. */
bool upgrade_is_running(const struct upgrade *upgrade);

/** Passes a signal on to the other, once the upgrade is done. */
void upgrade_pass_signal(const struct upgrade *upgrade, int number);

/**
 * The server stops: ends what an upgrade under way has started, answers its call, and leaves the
 * launcher unwatched.
 */
void upgrade_stop(struct upgrade *upgrade);

/** Closes the channels, which the other notices, and ends the launcher. */
void upgrade_close(struct upgrade *upgrade);

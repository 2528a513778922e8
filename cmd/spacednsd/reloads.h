#pragma once
/**
 * Reloads, one after the other: loading, the guard, the outcome. The settings are read again first,
 * and take effect together with the zones.
 *
 *     request ──► loading ──────────► stored ──────────► published ──(every worker)──┐
 *                 (thread pool)       (thread pool)                                  ▼
 *                    └──────► refused, guarded, unchanged or tried ──────────────► finished
 *                                                                                    │
 *     requests meanwhile ──► one more reload for each that differs, started here ◄───┘
 *
 * A registry's documents that have changed are one more request; settings are not read again for
 * it. A registry's load is never guarded as a whole: each document is judged (replica.h).
 *
 * Names that are kept back are let go in the same way, and writes that failed are tried again,
 * without reading files.
 *
 * A file may have been read before a later request came, so requests that come during a reload get
 * a reload of their own; equal ones share it.
 *
 * Threads: the control thread, except for loading and storing.  Memory: freed by reloads_close.
 */
#include <uv.h>

#include "answer/state.h"
#include "control/control_socket.h"
#include "inspect/diff.h"
#include "inspect/tally.h"
#include "serve/server.h"
#include "spacednsd/compiling.h"
#include "spacednsd/control.h"
#include "spacednsd/reload_log.h"
#include "spacednsd/reload_queue.h"
#include "spacednsd/service.h"
#include "spacednsd/storing.h"
#include "spacednsd/usage_keeping.h"
#include "spacednsd/zones.h"
#include "traffic/replay.h"

struct replica;

struct reloads {
    struct settings settings; /* in force; the struct stays where it is, its values change */
    struct policy policy;     /* made from them */
    struct settings_reload *reloaded; /* owns both; NULL: those of the start */
    struct hash_key key;
    uv_loop_t *loop;
    struct server *server;
    struct service *service;     /* NULL: nobody is to be notified */
    struct usage_keeping *usage; /* NULL: who uses what is not known */
    struct replica *replica;     /* NULL: a folder is served */
    uv_work_t work;
    struct zones_loading loading; /* the current one; the daemon does the first */
    struct state state;           /* state_dir; zeroed: not used */
    struct storing storing;
    struct compiling compiling;
    struct snapshot *compiled;   /* of the state folder, until the first loading has ended */
    struct reload_queue queue;   /* its request is that of the current loading */
    struct diff *diff;           /* what it would change, if the guard or a dry run needs it */
    struct questions *questions; /* of a dry run with traffic: a copy of the last ones */
    size_t silent_workers;       /* that have not handed over what they counted for it */
    struct replay *replay;       /* what they would have got */
    struct tally tally;          /* of what it changes, unless it is a dry run */
    bool is_reloading;           /* until every worker answers from the new snapshot */
    bool is_published;           /* they have it */
    uv_timer_t upkeep;           /* when it is due */
    bool has_timer;
    struct reload_last last;
    struct reload_history history;
    struct reload_log log;
    struct last_good last_good; /* of the start, until every file is served as it is */
    bool is_stopping;
    bool is_held;                   /* no reload begins */
    void (*on_idle)(void *context); /* while held: the reload under way has ended */
    void *context;
};

/**
 * Sets everything but loop, server, service, usage, replica, on_idle and its context, which the
 * caller sets after it. Returns false without memory; reloads_close frees in any case.
 */
bool reloads_init(struct reloads *reloads, const struct settings *settings);

/** Starts the timer; the loop must exist. */
void reloads_start(struct reloads *reloads);

/** Sets the next loading's request. */
void reloads_prepare(struct reloads *reloads, const struct snapshot *before);

/** Logs the findings, and publishes the loaded snapshot to the workers. */
void reloads_publish(struct reloads *reloads);

/** The state has been stored, or not: both is noted. */
void reloads_note_stored(struct reloads *reloads);

/** Requests a reload for a call (reload, plan, forget). */
void reloads_request(struct reloads *reloads, struct call *call);

/** Requests a reload for a signal. */
void reloads_request_by_signal(struct reloads *reloads, const struct signal_sender *sender);

/** Requests a load of the registry's documents, which have changed. */
void reloads_request_documents(struct reloads *reloads);

/** Logs that every worker answers from what was published. */
void reloads_log_done(const struct reloads *reloads);

/** Ends the reload: every worker answers from what was published. */
void reloads_finish(struct reloads *reloads);

/** Something has ended that whoever holds reloads may wait for: on_idle is called, if they are. */
void reloads_note_idle(struct reloads *reloads);

/** Begins no reload from now on. Returns false when one is under way: on_idle follows. */
bool reloads_hold(struct reloads *reloads);

/**
 * Goes on. `had_writer`: another process may have written the state meanwhile, so everything is
 * read and stored again.
 */
void reloads_resume(struct reloads *reloads, bool had_writer);

/** Answers all calls that wait: the server is stopping. A loading under way ends by itself. */
void reloads_stop(struct reloads *reloads);

/** Frees what is left, once the loop has ended. */
void reloads_close(struct reloads *reloads);

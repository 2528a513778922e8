#pragma once
/**
 * Reloads, one after the other: requests, loading, the guard, the outcome. The settings are read
 * again first, and take effect together with the zones.
 *
 *     request ──► loading ──────────► stored ──────────► published ──(every worker)──┐
 *                 (thread pool)       (thread pool)                                  ▼
 *                    └──────► refused, guarded, unchanged or tried ──────────────► finished
 *                                                                                    │
 *     requests meanwhile ──► one more reload for each that differs, started here ◄───┘
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
#include "control/listener.h"
#include "inspect/diff.h"
#include "serve/server.h"
#include "spacednsd/control.h"
#include "spacednsd/kept.h"
#include "spacednsd/storing.h"
#include "spacednsd/zones.h"

enum reload_request_kind {
    REQUEST_RELOAD,
    REQUEST_FORGET, /* let go of the names of a call */
    REQUEST_UPKEEP, /* let go of the names that have expired, and store what is not stored yet */
};

struct reload_request {
    enum reload_request_kind kind;
    bool is_dry;        /* print what would change, and change nothing */
    bool is_forced;     /* without the guard */
    bool reads_all;     /* read also files that seem unchanged */
    const char *folder; /* of a dry run; NULL: the server's own */
};

struct reloads {
    struct settings settings; /* in force; the struct stays where it is, its values change */
    struct policy policy;     /* made from them */
    struct settings_reload *reloaded; /* owns both; NULL: those of the start */
    struct hash_key key;
    uv_loop_t *loop;
    struct server *server;
    uv_work_t work;
    struct zones_loading loading; /* the current one; the daemon does the first */
    struct state state;           /* state_dir; zeroed: not used */
    struct storing storing;
    struct reload_request request; /* of the current loading */
    char *folder;                  /* of that request */
    struct diff *diff;             /* what it would change, if the guard or a dry run needs it */
    bool is_reloading;             /* until every worker answers from the new snapshot */
    bool wants_reload;             /* a signal arrived meanwhile */
    bool wants_upkeep;             /* it was due meanwhile */
    struct kept_names names;       /* of a request to forget */
    uv_timer_t upkeep;             /* when it is due */
    bool has_timer;
    struct call *calls;   /* of the current reload */
    struct call *waiting; /* that came meanwhile, for later ones */
    struct reload_last last;
    bool is_stopping;
};

/** Starts the timer; the loop must exist. */
void reloads_start(struct reloads *reloads);

/** Opens the state folder of the settings; call it before the first loading is prepared. */
void reloads_open_state(struct reloads *reloads);

/** Stores the texts of the first loading, before it is published. */
void reloads_store_first(struct reloads *reloads);

/** Sets the next loading's request. */
void reloads_prepare(struct reloads *reloads, const struct snapshot *before);

/** Logs the findings, and publishes the loaded snapshot to the workers. */
void reloads_publish(struct reloads *reloads);

/** Requests a reload: for a call (reload, plan, forget), or with NULL for a signal. */
void reloads_request(struct reloads *reloads, struct call *call);

/** Logs that every worker answers from what was published. */
void reloads_log_done(const struct reloads *reloads);

/** Ends the reload: every worker answers from what was published. */
void reloads_finish(struct reloads *reloads);

/** Answers all calls that wait: the server is stopping. A loading under way ends by itself. */
void reloads_stop(struct reloads *reloads);

/** Frees what is left, once the loop has ended. */
void reloads_close(struct reloads *reloads);

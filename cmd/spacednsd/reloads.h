#pragma once
/**
 * Reloads, one after the other: who wishes what, loading, the guard, and how it ended. Settings are
 * read again first, and take effect together with the zones.
 *
 *     reload_request ──► loading ──(thread pool)──► stored ──(thread pool)──► published ──(every
 * worker answers from it)──► finished └──► refused, guarded, unchanged or tried ──► finished │
 * wishes meanwhile ──► one more reload for each that differs, begun here ◄─────────────┘
 *
 * Names that are kept back are let go in the same way, without reading anything.
 *
 * What is being read may be read already, so whoever wishes meanwhile gets a reload of their own;
 * those that reload_request the same share it.
 *
 * Threads: the control thread, but for the loading.  Memory: reloads_close lets go of it.
 */
#include <uv.h>

#include "answer/state.h"
#include "control/listener.h"
#include "inspect/diff.h"
#include "serve/server.h"
#include "spacednsd/control.h"
#include "spacednsd/kept.h"
#include "spacednsd/zones.h"

enum reload_request_kind {
    REQUEST_RELOAD,
    REQUEST_FORGET, /* names that are kept back are let go */
    REQUEST_EXPIRE, /* and so are those whose time is over */
};

struct reload_request {
    enum reload_request_kind kind;
    bool is_dry;        /* tell what would change, and change nothing */
    bool is_forced;     /* the guard is not asked */
    bool reads_all;     /* files are read that seem not to have changed */
    const char *folder; /* of a dry one; NULL: the server's own */
};

struct reloads {
    struct settings settings;      /* in force: their place stays, what they say changes */
    struct policy policy;          /* made of them */
    struct settings_reload *terms; /* that both are of; NULL: those of the start */
    struct hash_key key;
    uv_loop_t *loop;
    struct server *server;
    uv_work_t work;
    struct zones_loading loading;         /* the one under way; the first one is the daemon's */
    struct state state;                   /* what outlives the process; zeroed: nothing does */
    struct reload_request reload_request; /* what it is to do */
    char *folder;                         /* of that reload_request */
    struct diff *diff;                    /* what it would change, when that is asked */
    bool
        is_reloading; /* from the reload_request until every worker answers from the new snapshot */
    bool wants_reload;       /* a signal came meanwhile */
    bool wants_expiry;       /* the time of kept-back names was over meanwhile */
    struct kept_names names; /* of a reload_request to forget */
    uv_timer_t expiry;       /* of the next kept-back name */
    bool has_timer;
    struct call *calls;   /* that asked for the reload under way */
    struct call *waiting; /* that asked meanwhile, for another one */
    struct reload_last last;
    bool is_stopping;
};

/** Begins to watch the time; the loop is there. */
void reloads_start(struct reloads *reloads);

/** Opens the state folder of the settings, before the first loading is prepared. */
void reloads_open_state(struct reloads *reloads);

/** Keeps what the first loading has brought, before it is published. */
void reloads_store_first(struct reloads *reloads);

/** Sets the next loading's request. */
void reloads_prepare(struct reloads *reloads, const struct snapshot *before);

/** Tells what was found, and hands the loaded snapshot to the workers. */
void reloads_publish(struct reloads *reloads);

/** Wishes a reload: for a call (reload, plan, forget), or with NULL for a signal. */
void reloads_request(struct reloads *reloads, struct call *call);

/** Logs that every worker answers from what was published. */
void reloads_log_done(const struct reloads *reloads);

/** Every worker answers from what was published. */
void reloads_finish(struct reloads *reloads);

/** Tells everybody who waits that nothing comes of it. A loading under way ends by itself. */
void reloads_stop(struct reloads *reloads);

/** Lets go of what is left, once the loop has ended. */
void reloads_close(struct reloads *reloads);

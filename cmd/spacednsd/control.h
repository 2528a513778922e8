#pragma once
/**
 * What the running server answers to the operator's command; lib/control/listener.h has the socket.
 *
 * What only the workers know is gathered before (looks.h); the rest is the control thread's own.
 *
 * Threads: the control thread.  Memory: each call is finished here.
 */
#include <stdint.h>

#include "control/diff.h"
#include "control/listener.h"
#include "serve/server.h"
#include "spacednsd/zones.h"

/** How a reload ended. */
enum reload_end {
    RELOAD_DONE,
    RELOAD_UNCHANGED,
    RELOAD_REFUSED, /* the zone files have errors, or cannot be read */
    RELOAD_GUARDED, /* too much would be lost; loading->err says what */
    RELOAD_TRIED,   /* nothing was to change; the diff says what would */
};

/** How the last reload ended that was meant to change something; the start is one. */
struct reload_last {
    bool has_been;
    enum reload_end end;
    uint64_t ended_ns;
    struct err cause; /* refused or guarded: the first one, with its place; else ERR_NONE */
};

/** What there is to tell. */
struct control_view {
    const struct settings *settings;
    const struct server *server;
    const char *socket;
    uint64_t started_ns;
    const struct reload_last *last;
};

struct reload_result {
    enum reload_end end;
    const struct zones_loading *loading;
    const struct snapshot *current; /* that is served now */
    const struct diff *diff;        /* NULL unless the guard was asked, or nothing was to change */
};

/**
 * The path of the control socket: the settings', else the usual one if its folder may be written
 * to; NULL for none.
 */
const char *control_path(const struct settings *settings);

/** "done", "unchanged", "refused", "guarded", "tried". */
const char *control_end_text(enum reload_end end);

/** Answers a call that asks how things are, with what the workers have told by now. */
void control_answer(struct call *call, const struct control_view *view);

/** Answers every call of a list that waited for one reload. */
void control_answer_reload(struct call *calls, const struct reload_result *result);

/** Tells every call of a list that the server stops. */
void control_answer_stopping(struct call *calls);

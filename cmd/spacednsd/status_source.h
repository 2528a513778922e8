#pragma once
/**
 * What the server has to tell of itself, for those who answer the operator's command.
 *
 * Threads: the control thread.  Memory: borrows everything.
 */
#include <stdbool.h>
#include <stdint.h>

#include "answer/state.h"
#include "base/err.h"
#include "config/settings.h"
#include "serve/server.h"

/** How a reload ended. */
enum reload_end {
    RELOAD_DONE,
    RELOAD_UNCHANGED,
    RELOAD_REFUSED, /* the zone files have errors, or cannot be read */
    RELOAD_GUARDED, /* too much would be lost; loading->err says what */
    RELOAD_TRIED,   /* nothing was to change; the diff says what would */
};

/** "done", "unchanged", "refused", "guarded", "tried". */
const char *reload_end_text(enum reload_end end);

/** How the last reload ended that was meant to change something; the start is one. */
struct reload_last {
    bool has_been;
    enum reload_end end;
    uint64_t ended_ns;
    struct err cause; /* refused or guarded: the first one, with its place; else ERR_NONE */
};

/** What there is to tell. */
struct status_source {
    const struct settings *settings;
    const struct server *server;
    const char *socket;
    uint64_t started_ns;
    const struct reload_last *last;
    const struct state *state;
};

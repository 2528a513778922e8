#pragma once
/**
 * Where answers to the operator's command read the server's state.
 *
 * Threads: the control thread.  Memory: borrows everything.
 */
#include <stdbool.h>
#include <stdint.h>

#include "answer/state.h"
#include "base/err.h"
#include "config/settings.h"
#include "findings/report.h"
#include "serve/server.h"
#include "spacednsd/privileges.h"
#include "spacednsd/sandbox.h"
#include "spacednsd/storing.h"
#include "spacednsd/upgrade.h"
#include "spacednsd/usage_keeping.h"
#include "stats/minute.h"

/** How a reload ended. */
enum reload_end {
    RELOAD_DONE,
    RELOAD_UNCHANGED,
    RELOAD_REFUSED, /* the zone files have errors, or cannot be read */
    RELOAD_GUARDED, /* the guard refused it; loading->err has the cause */
    RELOAD_TRIED,   /* a dry run; the diff has what would change */
};

/** "done", "unchanged", "refused", "guarded", "tried". */
const char *reload_end_text(enum reload_end end);

/** The outcome of the last reload that was not a dry run; the start is one. */
struct reload_last {
    bool has_been;
    enum reload_end end;
    uint64_t ended_ns;
    struct err cause; /* refused or guarded: the first error, with its location; else ERR_NONE */
};

enum { RELOAD_FINDING_LEVELS = FINDING_NOTE + 1 };

/** What reloads that were no dry runs have come to; the start is one. */
struct reload_history {
    uint64_t ended[RELOAD_TRIED]; /* by enum reload_end */
    uint64_t last_ms;             /* until every worker answered from it */
    size_t findings[RELOAD_FINDING_LEVELS];
    uint64_t adopted_ns; /* when every worker answered from what is served */
};

/** The files that are not served as they are, because of errors at the start. */
struct last_good {
    struct load_last_good *files;
    size_t count;
};

struct reload_log;
struct replica;

struct status_source {
    const struct settings *settings;
    const struct server *server;
    const char *socket;
    uint64_t started_ns;
    const struct reload_last *last;
    const struct reload_history *history;
    const struct reload_log *reload_log;
    const struct last_good *last_good;
    const struct state *state;
    const struct storing *storing;
    const struct privileges *privileges;
    const struct sandbox *sandbox;
    const struct upgrade *upgrade;
    const struct usage_keeping *usage;
    const struct xdp *xdp;       /* the server's; NULL: none */
    struct replica *replica;     /* NULL: a folder is served */
    const struct minute *minute; /* what was counted in the last one */
};

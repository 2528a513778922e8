#pragma once
/**
 * Calls that want to know what only the workers know: how upstreams are, and what is kept.
 *
 *     call ──► waiting ──► server_request_reports ──► every worker has told ──► answered
 *                               └──────► INSPECTION_PATIENCE_MS ──────────────┘
 *
 * One is looked for at a time; there are never more than the control socket takes. A worker that is
 * too busy to tell in time is told of as silent, so that a sick server can still be asked.
 *
 * Threads: the control thread.  Memory: a call is held until it is answered.
 */
#include <uv.h>

#include "spacednsd/control.h"

enum { INSPECTION_PATIENCE_MS = 1000 };

struct inspection {
    const struct status_source *view;
    struct server *server;
    uv_timer_t timer;
    struct call *call;    /* that is looked for; NULL: none */
    struct call *waiting; /* in the order they came */
};

/** Begins; `view` is borrowed, and so is its server. */
void inspection_start(struct inspection *inspection, uv_loop_t *loop, struct server *server,
                      const struct status_source *view);

/** Answers a call (explain, status), now or when the workers have told. */
void inspection_request(struct inspection *inspection, struct call *call);

/** server_on_reports, with the looks as context. */
void inspection_on_reports(void *context);

/** Tells everybody who waits that the server stops, and closes its handle. */
void inspection_stop(struct inspection *inspection);

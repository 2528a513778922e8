#pragma once
/**
 * Calls that need every worker: its report of the upstreams, of what it has cached, or a flush of
 * that.
 *
 *     call ──► waiting ──► server_request_reports ──► every worker reported ──► answered
 *                               └──────► INSPECTION_PATIENCE_MS ──────────────┘
 *                                        (INSPECTION_SWEEP_MS for the cache)
 *
 * One call is inspected at a time; the control socket bounds how many wait. A worker that does not
 * report in time is listed as silent, so that an overloaded server still answers.
 *
 * Threads: the control thread.  Memory: a call is held until it is answered.
 */
#include <uv.h>

#include "spacednsd/control.h"

enum {
    INSPECTION_PATIENCE_MS = 1000,
    INSPECTION_SWEEP_MS = 4000, /* less than the command's patience */
};

struct inspection {
    const struct status_source *source;
    struct server *server;
    uv_timer_t timer;
    bool has_timer;
    struct call *call;    /* under inspection; NULL: none */
    struct call *waiting; /* in the order they came */
};

/** True for a command whose calls are to be given to inspection_request. */
bool inspection_is_for(enum command_name command);

/** Starts; `source` and its server are borrowed. */
void inspection_start(struct inspection *inspection, uv_loop_t *loop, struct server *server,
                      const struct status_source *source);

/** Answers a call, now or when the workers have reported. */
void inspection_request(struct inspection *inspection, struct call *call);

/** server_on_reports, with the inspection as context. */
void inspection_on_reports(void *context);

/** Answers all calls that wait: the server is stopping. Closes the timer. */
void inspection_stop(struct inspection *inspection);

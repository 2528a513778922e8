#pragma once
/**
 * Calls that need every worker: its report of the upstreams, of what it has cached, or a flush of
 * that.
 *
 *     call ──► waiting ──► server_request_reports ──► every worker reported ──► answered
 *                               └──────► INSPECTION_PATIENCE_MS ──────────────┘
 *                                        (INSPECTION_SWEEP_MS for the cache)
 *
 * One call is inspected at a time; the control socket bounds how many wait. Visits are of HTTP,
 * which bounds them. Most need the reports alone: all that wait share those of the next call, or
 * reports of their own. One that asks the workers for more has its turn when no call waits. A
 * worker that does not report in time is listed as silent, so that an overloaded server still
 * answers.
 *
 * Threads: the control thread.  Memory: a call is held until it is answered.
 */
#include <uv.h>

#include "spacednsd/control.h"

enum {
    INSPECTION_PATIENCE_MS = 1000,
    INSPECTION_SWEEP_MS = 4000, /* less than the command's patience */
};

/** Someone who reads the workers' reports; the visitor's own struct begins with it. */
struct inspection_visit {
    void (*on_reports)(struct inspection_visit *visit);
    /* What the workers are asked for; NULL: their reports alone. */
    void (*fill)(const struct inspection_visit *visit, const struct snapshot *current,
                 struct report_request *request);
    struct inspection_visit *next;
};

struct inspection {
    const struct status_source *source;
    struct server *server;
    uv_timer_t timer;
    bool has_timer;
    struct call *call;               /* under inspection; NULL: none */
    struct call *waiting;            /* in the order they came */
    bool is_open;                    /* workers are asked */
    struct inspection_visit *visits; /* that wait for the next reports */
    struct inspection_visit *asking; /* that ask for more, the first one is the next */
    struct inspection_visit *now;    /* that wait for those under way */
};

/** True for a command whose calls are to be given to inspection_request. */
bool inspection_is_for(enum command_name command);

/** Starts; `source` and its server are borrowed. */
void inspection_start(struct inspection *inspection, uv_loop_t *loop, struct server *server,
                      const struct status_source *source);

/** Answers a call, now or when the workers have reported. */
void inspection_request(struct inspection *inspection, struct call *call);

/** Calls visit->on_reports once, when the workers have reported, or after their patience. */
void inspection_add_visit(struct inspection *inspection, struct inspection_visit *visit);

/** server_on_reports, with the inspection as context. */
void inspection_on_reports(void *context);

/** Answers all calls and visits that wait: the server is stopping. Closes the timer. */
void inspection_stop(struct inspection *inspection);

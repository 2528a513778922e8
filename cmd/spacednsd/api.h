#pragma once
/**
 * Answers requests over HTTP: paths and arguments (control/paths.def), then one file for each
 * family of answers.
 *
 *     request ─► path ─► arguments ─► needs the workers ─► reports ─► answered
 *                 404      400         └─► does not ─────────────────► answered
 *
 * Answers that need the workers wait for their reports as the command status does (inspection.h),
 * so that one that stands still delays them, and is shown by them. They are printed by what the
 * commands print with. The rest of the server's state is the control thread's own.
 *
 * A refusal is {"error": "a sentence"} on every path.
 *
 * Threads: the control thread.  Memory: a request until it is responded to.
 */
#include <stdbool.h>

#include "spacednsd/http_stream.h"
#include "spacednsd/inspection.h"
#include "spacednsd/process.h"
#include "spacednsd/reasons_lately.h"
#include "spacednsd/status_source.h"

enum { API_STATUSES = 7, API_STREAMS_MOST = 8, API_STREAM_COMMENT_MS = 15000 };

struct api_stream;

/** Those who follow the query log (api_queries.h). */
struct api_streams {
    struct api_stream *first;
    size_t count;
    uv_timer_t timer;
    bool has_timer;
};

/** What answers are made of; all borrowed but what HTTP counts. */
struct api {
    const struct status_source *source;
    struct inspection *inspection;
    struct server *server;
    const bool *is_ready; /* the first snapshot is being answered from */
    const struct process *process;
    struct reasons_lately reasons;
    struct api_streams streams;
    size_t health_visits;          /* that wait */
    uint64_t counts[API_STATUSES]; /* of responses, by status */
    uint64_t ends[HTTP_ENDS];      /* of connections */
};

/** Starts its timers; the rest is set. */
void api_start(struct api *api, uv_loop_t *loop);

/** Closes them, once HTTP is closed. */
void api_stop(struct api *api);

/** There is something new in the query log. */
void api_send_lines(struct api *api);

/** http_on_request and the others, with the api as context. */
void api_on_request(void *context, struct http_request *request, const char *path);
void api_on_status(void *context, enum http_status status);
void api_on_end(void *context, enum http_end end);
bool api_is_public(const char *path);

#pragma once
/**
 * The command top: what the server is asked, once, or each second for as long as the client reads.
 *
 *     timer, each second ─┬─► minute_note
 *                         └─► with streams: reports of the workers ─► one object to each client
 *
 * The workers report once a second for all clients together. A client that reads slowly misses
 * seconds: at most one object waits for it; one that reads nothing for a minute is ended
 * (control_stream.h). Reloads do not end a stream.
 *
 * Threads: the control thread.  Memory: a stream until its call is finished.
 */
#include <uv.h>

#include "control/control_socket.h"
#include "spacednsd/inspection.h"
#include "stats/minute.h"

enum { TOP_INTERVAL_MS = 1000 };

struct top_stream;

struct top_calls {
    struct inspection_visit visit; /* first: it is found by its address */
    struct inspection *inspection;
    const struct status_source *source;
    struct minute minute;
    uv_timer_t timer;
    bool has_timer;
    bool is_visiting;
    struct top_stream *streams;
};

/** Starts to note what is counted. Borrows all; the source's minute is to be that of the calls. */
void top_calls_start(struct top_calls *calls, uv_loop_t *loop, struct inspection *inspection,
                     const struct status_source *source);

/** Answers a call for one object, once the workers have reported. */
void top_calls_answer_once(struct call *call, const struct status_source *source);

/** Begins a stream. */
void top_calls_begin_stream(struct top_calls *calls, struct call *call);

/** Finishes every stream with the exit code 1 and a sentence: why, and what to do. */
void top_calls_end_streams(struct top_calls *calls, const char *sentence);

/** Closes the timer; after inspection_stop. */
void top_calls_stop(struct top_calls *calls);

#include "spacednsd/top_calls.h"

#include <stdlib.h>

#include "base/clock.h"
#include "control/control_stream.h"
#include "spacednsd/top_facts.h"

enum { CODE_DONE = 0, CODE_REFUSED = 1 };

struct top_stream {
    struct call *call;
    struct top_stream *next;
};

static void fail(struct call *call, int code, const char *sentence)
{
    fprintf(call->err, "Error: %s\n", sentence);
    call_finish(call, code);
}

void top_calls_answer_once(struct call *call, const struct status_source *source)
{
    if (top_facts_print(source, false, call->out))
        call_finish(call, CODE_DONE);
    else
        fail(call, CODE_REFUSED, "out of memory");
}

/* ---- each second ---- */

/* A client that has not read the object before misses this one. */
static void top_calls_on_reports(struct inspection_visit *visit)
{
    struct top_calls *calls = (struct top_calls *)visit;

    calls->is_visiting = false;
    for (struct top_stream *each = calls->streams; each != NULL; each = each->next)
        if (call_is_ready(each->call) && top_facts_print(calls->source, true, each->call->out))
            call_send(each->call);
}

static void request_reports(struct top_calls *calls)
{
    if (calls->is_visiting)
        return;
    calls->is_visiting = true;
    calls->visit.on_reports = top_calls_on_reports;
    inspection_add_visit(calls->inspection, &calls->visit);
}

static void top_calls_on_tick(uv_timer_t *timer)
{
    struct top_calls *calls = timer->data;
    struct totals totals;

    server_sum(calls->source->server, &totals);
    minute_note(&calls->minute, &totals, clock_monotonic_ns());
    if (calls->streams != NULL)
        request_reports(calls);
}

void top_calls_start(struct top_calls *calls, uv_loop_t *loop, struct inspection *inspection,
                     const struct status_source *source)
{
    *calls = (struct top_calls){.inspection = inspection, .source = source, .has_timer = true};
    uv_timer_init(loop, &calls->timer);
    uv_unref((uv_handle_t *)&calls->timer);
    calls->timer.data = calls;
    uv_timer_start(&calls->timer, top_calls_on_tick, 0, TOP_INTERVAL_MS);
}

void top_calls_stop(struct top_calls *calls)
{
    if (calls->has_timer)
        uv_close((uv_handle_t *)&calls->timer, NULL);
    calls->has_timer = false;
}

/* ---- streams ---- */

static void end_stream(struct top_calls *calls, const struct call *call)
{
    struct top_stream **link = &calls->streams;

    while ((*link)->call != call)
        link = &(*link)->next;
    struct top_stream *stream = *link;
    *link = stream->next;
    free(stream);
}

static void top_calls_on_ready(void *context, struct call *call)
{
    (void)context, (void)call; /* the next second is soon enough */
}

static void top_calls_on_gone(void *context, struct call *call)
{
    end_stream(context, call);
    call_finish(call, CODE_DONE);
}

static void top_calls_on_stalled(void *context, struct call *call, const char *sentence)
{
    end_stream(context, call);
    fail(call, CODE_REFUSED, sentence);
}

void top_calls_begin_stream(struct top_calls *calls, struct call *call)
{
    const struct call_stream options = {.on_ready = top_calls_on_ready,
                                        .on_gone = top_calls_on_gone,
                                        .on_stalled = top_calls_on_stalled,
                                        .context = calls};
    struct top_stream *stream = malloc(sizeof *stream);

    if (stream == NULL) {
        fail(call, CODE_REFUSED, "out of memory");
        return;
    }
    if (!call_begin_stream(call, &options)) {
        free(stream);
        fail(call, CODE_REFUSED,
             "as many commands follow the server as it lets; end a top or a logs --tail, then try "
             "again");
        return;
    }
    *stream = (struct top_stream){.call = call, .next = calls->streams};
    calls->streams = stream;
    request_reports(calls); /* the first object comes at once */
}

void top_calls_end_streams(struct top_calls *calls, const char *sentence)
{
    while (calls->streams != NULL) {
        struct call *call = calls->streams->call;
        end_stream(calls, call);
        fail(call, CODE_REFUSED, sentence);
    }
}

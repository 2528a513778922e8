#include "spacednsd/inspection.h"

#include "control/explain_call.h"

static void begin_inspection(struct inspection *inspection);

/* From the reports received so far. */
static void answer(struct inspection *inspection)
{
    struct call *call = inspection->call;

    uv_timer_stop(&inspection->timer);
    inspection->call = NULL;
    if (call != NULL)
        control_answer(call, inspection->source);
    begin_inspection(inspection);
}

static void inspection_on_timeout(uv_timer_t *timer)
{
    answer(timer->data);
}

/* Returns false when the call cannot be parsed; control_answer then reports why. */
static bool read_request(const struct call *call, struct report_request *request)
{
    struct explain_question words = explain_call_question(&call->invocation);
    struct explain_request explained;
    struct err err;

    *request = (struct report_request){.has_query = call->invocation.command == COMMAND_EXPLAIN};
    if (!request->has_query)
        return true;
    if (!explain_request_read(&words, &explained, &err))
        return false;
    request->query = explained.query;
    request->path = explained.source.path;
    return true;
}

static void begin_inspection(struct inspection *inspection)
{
    struct report_request request;

    while (inspection->call == NULL && inspection->waiting != NULL) {
        struct call *call = inspection->waiting;
        inspection->waiting = call->next;
        if (!read_request(call, &request)) {
            control_answer(call, inspection->source);
            continue;
        }
        inspection->call = call;
        server_request_reports(inspection->server, &request);
        uv_timer_start(&inspection->timer, inspection_on_timeout, INSPECTION_PATIENCE_MS, 0);
    }
}

void inspection_start(struct inspection *inspection, uv_loop_t *loop, struct server *server,
                      const struct status_source *source)
{
    *inspection = (struct inspection){.source = source, .server = server};
    uv_timer_init(loop, &inspection->timer);
    inspection->timer.data = inspection;
}

void inspection_request(struct inspection *inspection, struct call *call)
{
    struct call **link = &inspection->waiting;

    while (*link != NULL)
        link = &(*link)->next;
    *link = call;
    call->next = NULL;
    begin_inspection(inspection);
}

void inspection_on_reports(void *context)
{
    answer(context);
}

void inspection_stop(struct inspection *inspection)
{
    struct call *call = inspection->call;

    if (call != NULL)
        call->next = NULL;
    inspection->call = NULL;
    control_answer_stopping(call);
    control_answer_stopping(inspection->waiting);
    inspection->waiting = NULL;
    uv_close((uv_handle_t *)&inspection->timer, NULL);
}

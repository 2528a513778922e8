#include "spacednsd/inspection.h"

#include "control/explain_call.h"
#include "spacednsd/cache_call.h"

static void begin_inspection(struct inspection *inspection);

static void finish_visits(struct inspection_visit *visits)
{
    while (visits != NULL) {
        struct inspection_visit *next = visits->next;
        visits->on_reports(visits);
        visits = next;
    }
}

/* From the reports received so far. */
static void answer(struct inspection *inspection)
{
    struct call *call = inspection->call;
    struct inspection_visit *visits = inspection->now;

    uv_timer_stop(&inspection->timer);
    inspection->call = NULL;
    inspection->now = NULL;
    inspection->is_open = false;
    if (call != NULL)
        control_answer(call, inspection->source);
    finish_visits(visits);
    begin_inspection(inspection);
}

static void inspection_on_timeout(uv_timer_t *timer)
{
    answer(timer->data);
}

static bool read_question(const struct snapshot *current, const struct call *call,
                          struct report_request *request, struct err *err)
{
    struct explain_question words = explain_call_question(&call->invocation);
    struct explain_request explained;

    if (!explain_request_read(&words, &explained, err))
        return false;
    request->has_query = true;
    request->query = explained.query;
    request->path = explain_path(current, &explained.source);
    return true;
}

static bool read_sweep(const struct snapshot *current, const struct call *call,
                       struct report_request *request, struct err *err)
{
    (void)current;
    return cache_call_read(&call->invocation, &request->sweep, err);
}

static bool read_nothing(const struct snapshot *current, const struct call *call,
                         struct report_request *request, struct err *err)
{
    (void)current, (void)call, (void)request, (void)err;
    return true;
}

/* What the workers are asked for; reading it fails with *err when the call cannot be parsed. */
static const struct {
    bool (*read)(const struct snapshot *current, const struct call *call,
                 struct report_request *request, struct err *err);
    uint64_t patience_ms;
} inspected[COMMAND_COUNT] = {
    [COMMAND_STATUS] = {read_nothing, INSPECTION_PATIENCE_MS},
    [COMMAND_EXPLAIN] = {read_question, INSPECTION_PATIENCE_MS},
    [COMMAND_CACHE] = {read_sweep, INSPECTION_SWEEP_MS},
    [COMMAND_CACHE_FLUSH] = {read_sweep, INSPECTION_SWEEP_MS},
    [COMMAND_WHO_USES] = {read_nothing, INSPECTION_PATIENCE_MS},
    [COMMAND_LAST_ASKED] = {read_nothing, INSPECTION_PATIENCE_MS},
    [COMMAND_SAFE_TO_STOP] = {read_nothing, INSPECTION_PATIENCE_MS},
    [COMMAND_WASTE] = {read_nothing, INSPECTION_PATIENCE_MS},
    [COMMAND_TOP] = {read_nothing, INSPECTION_PATIENCE_MS}, /* with --once */
};

bool inspection_is_for(enum command_name command)
{
    return inspected[command].read != NULL;
}

/* Visits are served with what is requested for a call, or else with nothing beside it. */
static void request_reports(struct inspection *inspection, const struct report_request *request,
                            uint64_t patience_ms)
{
    inspection->now = inspection->visits;
    inspection->visits = NULL;
    inspection->is_open = true;
    server_request_reports(inspection->server, request);
    uv_timer_start(&inspection->timer, inspection_on_timeout, patience_ms, 0);
}

/* The next visit that asks for more, if there is one, joins those that wait for reports. */
static void take_asking(struct inspection *inspection, struct report_request *request)
{
    struct inspection_visit *visit = inspection->asking;

    if (visit == NULL)
        return;
    inspection->asking = visit->next;
    visit->fill(visit, server_current(inspection->server), request);
    visit->next = inspection->visits;
    inspection->visits = visit;
}

static void begin_inspection(struct inspection *inspection)
{
    struct report_request request;
    struct err err;

    while (!inspection->is_open && inspection->waiting != NULL) {
        struct call *call = inspection->waiting;
        inspection->waiting = call->next;
        enum command_name command = call->invocation.command;
        request = (struct report_request){0};
        if (!inspected[command].read(server_current(inspection->server), call, &request, &err)) {
            control_answer_problem(call, &err);
            continue;
        }
        inspection->call = call;
        request_reports(inspection, &request, inspected[command].patience_ms);
    }
    if (inspection->is_open || (inspection->visits == NULL && inspection->asking == NULL))
        return;
    request = (struct report_request){0};
    take_asking(inspection, &request);
    request_reports(inspection, &request, INSPECTION_PATIENCE_MS);
}

void inspection_start(struct inspection *inspection, uv_loop_t *loop, struct server *server,
                      const struct status_source *source)
{
    *inspection = (struct inspection){.source = source, .server = server, .has_timer = true};
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

void inspection_add_visit(struct inspection *inspection, struct inspection_visit *visit)
{
    struct inspection_visit **link =
        visit->fill == NULL ? &inspection->visits : &inspection->asking;

    while (visit->fill != NULL && *link != NULL)
        link = &(*link)->next;
    visit->next = *link;
    *link = visit;
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
    finish_visits(inspection->now);
    finish_visits(inspection->visits);
    finish_visits(inspection->asking);
    inspection->now = inspection->visits = inspection->asking = NULL;
    inspection->is_open = false;
    if (inspection->has_timer)
        uv_close((uv_handle_t *)&inspection->timer, NULL);
    inspection->has_timer = false;
}

#include "spacednsd/looks.h"

#include "control/asking.h"

static void begin_looking(struct looks *looks);

/* With what has been told by now. */
static void answer(struct looks *looks)
{
    struct call *call = looks->call;

    uv_timer_stop(&looks->timer);
    looks->call = NULL;
    if (call != NULL)
        control_answer(call, looks->view);
    begin_looking(looks);
}

static void looks_on_timeout(uv_timer_t *timer)
{
    answer(timer->data);
}

/* Returns false when the call cannot be understood; its answer says so. */
static bool read_request(const struct call *call, struct look_request *request)
{
    struct asking asking;
    struct err err;

    *request = (struct look_request){.has_query = call->invocation.command == COMMAND_EXPLAIN};
    if (!request->has_query)
        return true;
    if (!asking_read(&call->invocation, &asking, &err))
        return false;
    request->query = asking.query;
    request->path = asking.asker.path;
    return true;
}

static void begin_looking(struct looks *looks)
{
    struct look_request request;

    while (looks->call == NULL && looks->waiting != NULL) {
        struct call *call = looks->waiting;
        looks->waiting = call->next;
        if (!read_request(call, &request)) {
            control_answer(call, looks->view);
            continue;
        }
        looks->call = call;
        server_look(looks->server, &request);
        uv_timer_start(&looks->timer, looks_on_timeout, LOOKS_PATIENCE_MS, 0);
    }
}

void looks_start(struct looks *looks, uv_loop_t *loop, struct server *server,
                 const struct control_view *view)
{
    *looks = (struct looks){.view = view, .server = server};
    uv_timer_init(loop, &looks->timer);
    looks->timer.data = looks;
}

void looks_wish(struct looks *looks, struct call *call)
{
    struct call **link = &looks->waiting;

    while (*link != NULL)
        link = &(*link)->next;
    *link = call;
    call->next = NULL;
    begin_looking(looks);
}

void looks_on_told(void *context)
{
    answer(context);
}

void looks_stop(struct looks *looks)
{
    struct call *call = looks->call;

    if (call != NULL)
        call->next = NULL;
    looks->call = NULL;
    control_answer_stopping(call);
    control_answer_stopping(looks->waiting);
    looks->waiting = NULL;
    uv_close((uv_handle_t *)&looks->timer, NULL);
}

#include "spacednsd/reload_queue.h"

#include <stdlib.h>
#include <string.h>

#include "spacednsd/control.h"

static struct reload_request request_of_call(const struct call *call, bool is_guarded)
{
    const struct invocation *invocation = &call->invocation;
    bool is_plan = invocation->command == COMMAND_PLAN;
    bool is_dry = is_plan || invocation_has(invocation, OPTION_DRY_RUN);

    if (invocation->command == COMMAND_FORGET)
        return (struct reload_request){.kind = REQUEST_FORGET};
    return (struct reload_request){
        .is_dry = is_dry,
        .is_forced = !is_plan && (invocation_has(invocation, OPTION_FORCE) || !is_guarded),
        .reads_all = invocation_has(invocation, OPTION_FORCE),
        .has_traffic = is_dry && invocation_has(invocation, OPTION_TRAFFIC),
        .folder = is_plan ? invocation_operand(invocation, 0) : NULL,
    };
}

static bool is_same_request(const struct reload_request *a, const struct reload_request *b)
{
    bool is_same_folder = a->folder == NULL || b->folder == NULL
                              ? a->folder == b->folder
                              : strcmp(a->folder, b->folder) == 0;

    return a->kind == REQUEST_RELOAD && b->kind == REQUEST_RELOAD && a->is_dry == b->is_dry &&
           a->is_forced == b->is_forced && a->reads_all == b->reads_all &&
           a->has_traffic == b->has_traffic && is_same_folder;
}

/* A call may end before the loading does, when the server is stopped. */
static void keep_folder(struct reload_queue *queue)
{
    free(queue->folder);
    queue->folder = queue->request.folder == NULL ? NULL : strdup(queue->request.folder);
    if (queue->folder != NULL)
        queue->request.folder = queue->folder;
}

static void take_documents(struct reload_queue *queue)
{
    queue->wants_documents = false;
    queue->audit = (struct audit){.by = "registry"};
    queue->request = (struct reload_request){.kind = REQUEST_RELOAD, .is_documents = true};
}

static void take_releases(struct reload_queue *queue)
{
    queue->names = queue->releases;
    queue->releases = (struct kept_names){.names = NULL};
    queue->audit = (struct audit){.by = "registry"};
    queue->request = (struct reload_request){.kind = REQUEST_FORGET};
}

static void take_upkeep(struct reload_queue *queue)
{
    queue->wants_upkeep = false;
    queue->audit = (struct audit){.by = ""};
    queue->request = (struct reload_request){.kind = REQUEST_UPKEEP};
}

/* Returns false when an operand is not a name, with the call answered. */
static bool take_forget(struct reload_queue *queue)
{
    struct call *call = queue->waiting;
    struct err err;

    queue->waiting = call->next;
    call->next = NULL;
    queue->request = (struct reload_request){.kind = REQUEST_FORGET};
    queue->audit = (struct audit){.by = ""};
    audit_add_call(&queue->audit, call);
    if (kept_read_names(&queue->names, call, &err)) {
        queue->calls = call;
        return true;
    }
    kept_close_names(&queue->names);
    control_answer_problem(call, &err);
    return false;
}

/* What no operator has requested. Returns false when there is nothing. */
static bool take_own(struct reload_queue *queue)
{
    if (queue->releases.count > 0)
        take_releases(queue);
    else if (queue->wants_documents)
        take_documents(queue);
    else if (queue->wants_upkeep)
        take_upkeep(queue);
    else
        return false;
    return true;
}

bool reload_queue_take(struct reload_queue *queue, bool is_guarded)
{
    struct call **link = &queue->waiting;

    while (!queue->wants_reload && queue->waiting != NULL &&
           queue->waiting->invocation.command == COMMAND_FORGET)
        if (take_forget(queue))
            return true;
    if (!queue->wants_reload && queue->waiting == NULL)
        return take_own(queue);
    queue->request = queue->wants_reload ? (struct reload_request){.is_forced = !is_guarded}
                                         : request_of_call(queue->waiting, is_guarded);
    queue->audit = (struct audit){.by = ""};
    if (queue->wants_reload)
        audit_add_signal(&queue->audit, &queue->sender);
    queue->wants_reload = false;
    if (!queue->request.is_dry)
        queue->wants_documents = false;
    while (*link != NULL) {
        struct call *call = *link;
        struct reload_request request = request_of_call(call, is_guarded);
        if (!is_same_request(&request, &queue->request)) {
            link = &call->next;
            continue;
        }
        *link = call->next;
        call->next = queue->calls;
        queue->calls = call;
        audit_add_call(&queue->audit, call);
    }
    keep_folder(queue);
    return true;
}

void reload_queue_add(struct reload_queue *queue, struct call *call)
{
    call->next = queue->waiting;
    queue->waiting = call;
}

void reload_queue_add_signal(struct reload_queue *queue, const struct signal_sender *sender)
{
    queue->wants_reload = true;
    queue->sender = *sender;
}

void reload_queue_stop(struct reload_queue *queue)
{
    control_answer_stopping(queue->calls);
    control_answer_stopping(queue->waiting);
    queue->calls = NULL;
    queue->waiting = NULL;
}

void reload_queue_close(struct reload_queue *queue)
{
    kept_close_names(&queue->names);
    kept_close_names(&queue->releases);
    free(queue->folder);
    queue->folder = NULL;
}

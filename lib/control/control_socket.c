#include "control/control_socket.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "control/control_caller.h"
#include "control/socket_path.h"

enum {
    BACKLOG = 128,
    CODE_REFUSED = 1,
    CODE_USAGE = 2,
};

static const char setting[] = "control_socket";

/* ---- closing ---- */

static void free_control_socket(struct control_socket *control)
{
    if (!control->is_closed || control->caller_count > 0)
        return;
    free(control->path);
    free(control);
}

static void free_caller(struct caller *caller)
{
    struct control_socket *control = caller->control;

    LIST_REMOVE(caller, link);
    assert(control->caller_count > 0);
    control->caller_count--;
    control->role_counts[caller->role] -= caller->is_counted;
    control->stream_counts[caller->role] -= caller->is_stream;
    peer_close(&caller->call.peer);
    free(caller->out);
    free(caller->err);
    free(caller->response);
    free(caller->part);
    free(caller);
    free_control_socket(control);
}

static void caller_on_closed(uv_handle_t *handle)
{
    struct caller *caller = handle->data;

    assert(caller->open_handles > 0);
    if (--caller->open_handles == 0 && !caller->is_called)
        free_caller(caller);
}

void caller_close(struct caller *caller)
{
    if (caller->is_closing)
        return;
    caller->is_closing = true;
    uv_close((uv_handle_t *)&caller->pipe, caller_on_closed);
    uv_close((uv_handle_t *)&caller->timer, caller_on_closed);
}

static void caller_on_timeout(uv_timer_t *timer)
{
    caller_close(timer->data);
}

/* ---- responses ---- */

static void caller_on_written(uv_write_t *writing, int status)
{
    (void)status; /* the client may have disconnected */
    caller_close(writing->data);
}

static void make_response(struct caller *caller, int code)
{
    FILE *to = open_memstream(&caller->response, &caller->response_length);

    if (to == NULL)
        return; /* no memory: the client gets a closed connection */
    protocol_write_response((struct response_part){caller->out, caller->out_length},
                            (struct response_part){caller->err, caller->err_length}, code, to);
    fclose(to);
}

/* Writes at once what the socket accepts, so that it is sent even if the server stops now. */
static void send_response(struct caller *caller)
{
    uv_buf_t rest = uv_buf_init(caller->response, (unsigned)caller->response_length);
    int taken = rest.len == 0 ? 0 : uv_try_write((uv_stream_t *)&caller->pipe, &rest, 1);

    if (taken == UV_EAGAIN)
        taken = 0;
    if (taken < 0 || (size_t)taken == rest.len) {
        caller_close(caller);
        return;
    }
    rest = uv_buf_init(rest.base + taken, (unsigned)(rest.len - (size_t)taken));
    caller->writing.data = caller;
    uv_timer_start(&caller->timer, caller_on_timeout, CONTROL_SOCKET_RESPONSE_MS, 0);
    if (uv_write(&caller->writing, (uv_stream_t *)&caller->pipe, &rest, 1, caller_on_written) != 0)
        caller_close(caller);
}

void call_finish(struct call *call, int code)
{
    struct caller *caller = (struct caller *)call;

    fclose(call->out);
    fclose(call->err);
    caller->is_called = false;
    if (caller->is_closing) {
        if (caller->open_handles == 0)
            free_caller(caller);
        return;
    }
    make_response(caller, code);
    send_response(caller);
}

/* ---- requests ---- */

static bool begin_call(struct caller *caller)
{
    struct call *call = &caller->call;

    call->out = open_memstream(&caller->out, &caller->out_length);
    call->err = open_memstream(&caller->err, &caller->err_length);
    if (call->out != NULL && call->err != NULL) {
        caller->is_called = true;
        return true;
    }
    if (call->out != NULL)
        fclose(call->out);
    if (call->err != NULL)
        fclose(call->err);
    caller_close(caller);
    return false;
}

static void refuse_call(struct call *call, int code, const char *sentence)
{
    fprintf(call->err, "Error: %s\n", sentence);
    call_finish(call, code);
}

/* ---- roles ---- */

/* Answers a call that its peer may not make. */
static void refuse_peer(struct caller *caller)
{
    struct control_socket *control = caller->control;
    struct call *call = &caller->call;
    struct err err;

    role_set_refusal(control->owner.access, &call->peer, &call->invocation, &err);
    refusals_log(&control->refusals, &call->peer, call->invocation.command, err.text,
                 uv_now(control->pipe.loop));
    refuse_call(call, CODE_REFUSED, err.text);
}

/* False when others of the same role have taken all its places. */
static bool find_place(struct caller *caller)
{
    static const size_t places[ROLE_COUNT] = {
        [ROLE_NONE] = CONTROL_SOCKET_STRANGERS_MOST,
        [ROLE_READ] = CONTROL_SOCKET_READERS_MOST,
        [ROLE_ALL] = CONTROL_SOCKET_CONNECTIONS_MOST,
    };
    struct control_socket *control = caller->control;

    size_t count = 0;

    caller->is_counted = true;
    control->role_counts[caller->role]++;
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        count += control->role_counts[role];
    return control->role_counts[caller->role] <= places[caller->role] &&
           count <= CONTROL_SOCKET_CONNECTIONS_MOST;
}

static bool identify(struct caller *caller)
{
    uv_os_fd_t descriptor;

    if (uv_fileno((const uv_handle_t *)&caller->pipe, &descriptor) != 0 ||
        !peer_read(descriptor, &caller->call.peer))
        return false;
    caller->role = role_of_peer(caller->control->owner.access, &caller->call.peer);
    return true;
}

/* ---- lines ---- */

/* Handles a complete line; newline is NULL if the line is too long. */
static void take_request(struct caller *caller, char *newline)
{
    struct control_socket *control = caller->control;
    struct call *call = &caller->call;
    struct err err;

    uv_read_stop((uv_stream_t *)&caller->pipe);
    uv_timer_stop(&caller->timer);
    if (!begin_call(caller))
        return;
    if (newline == NULL) {
        refuse_call(call, CODE_USAGE, "the request is longer than the server reads; shorten it");
        return;
    }
    *newline = '\0';
    if (!protocol_read_request(caller->request, (size_t)(newline - caller->request),
                               &call->invocation, &err))
        refuse_call(call, CODE_USAGE, err.text);
    else if (caller->role < role_needed(&call->invocation))
        refuse_peer(caller);
    else
        control->owner.on_call(control->owner.context, call);
}

static void caller_on_room(uv_handle_t *handle, size_t size, uv_buf_t *room)
{
    struct caller *caller = handle->data;

    (void)size;
    *room = uv_buf_init(caller->request + caller->request_length,
                        (unsigned)(CONTROL_REQUEST_OCTETS_MOST - caller->request_length));
}

static void caller_on_octets(uv_stream_t *stream, ssize_t count, const uv_buf_t *octets)
{
    struct caller *caller = stream->data;

    if (count < 0) {
        caller_close(caller);
        return;
    }
    if (count == 0)
        return;
    assert((size_t)count <= CONTROL_REQUEST_OCTETS_MOST - caller->request_length);
    caller->request_length += (size_t)count;
    char *newline = memchr(octets->base, '\n', (size_t)count);
    if (newline != NULL || caller->request_length == CONTROL_REQUEST_OCTETS_MOST)
        take_request(caller, newline);
}

static void control_socket_on_caller(uv_stream_t *stream, int status)
{
    struct control_socket *control = stream->data;

    if (status < 0)
        return;
    struct caller *caller = calloc(1, sizeof *caller);
    if (caller == NULL)
        return; /* libuv accepts no further connection then, until a restart */
    caller->control = control;
    caller->open_handles = 2;
    LIST_INSERT_HEAD(&control->callers, caller, link);
    control->caller_count++;
    uv_pipe_init(stream->loop, &caller->pipe, 0);
    uv_timer_init(stream->loop, &caller->timer);
    caller->pipe.data = caller;
    caller->timer.data = caller;
    if (uv_accept(stream, (uv_stream_t *)&caller->pipe) != 0 || !identify(caller) ||
        uv_read_start((uv_stream_t *)&caller->pipe, caller_on_room, caller_on_octets) != 0) {
        caller_close(caller);
        return;
    }
    uv_timer_start(&caller->timer, caller_on_timeout, CONTROL_SOCKET_REQUEST_MS, 0);
    if (!find_place(caller) && begin_call(caller))
        refuse_call(&caller->call, CODE_USAGE,
                    "the server has no room for another command; try again in a moment");
}

/* ---- the socket ---- */

/* Takes the descriptor over. */
static bool listen_on(struct control_socket *control, int descriptor, struct err *err)
{
    int status = uv_pipe_open(&control->pipe, descriptor);

    if (status != 0)
        close(descriptor);
    else
        status = uv_listen((uv_stream_t *)&control->pipe, BACKLOG, control_socket_on_caller);
    return status == 0 || socket_path_fail(setting, control->path, -status, err);
}

static void control_socket_on_closed(uv_handle_t *handle)
{
    struct control_socket *control = handle->data;

    control->is_closed = true;
    free_control_socket(control);
}

static struct control_socket *open_on(uv_loop_t *loop, const char *path, int descriptor,
                                      const struct control_owner *owner, struct err *err)
{
    struct control_socket *control = calloc(1, sizeof *control);
    char *copy = strdup(path);

    if (control == NULL || copy == NULL) {
        free(control);
        free(copy);
        close(descriptor);
        err_set(err, ERR_MEMORY, "out of memory");
        return NULL;
    }
    *control = (struct control_socket){.owner = *owner, .path = copy};
    uv_pipe_init(loop, &control->pipe, 0);
    control->pipe.data = control;
    if (listen_on(control, descriptor, err))
        return control;
    control_socket_close(control);
    return NULL;
}

struct control_socket *control_socket_open(uv_loop_t *loop, const char *path,
                                           const struct control_owner *owner, struct err *err)
{
    int descriptor = socket_path_bind(setting, path, role_socket_mode(owner->access), err);

    return descriptor < 0 ? NULL : open_on(loop, path, descriptor, owner, err);
}

struct control_socket *control_socket_take_over(uv_loop_t *loop, const char *path, int descriptor,
                                                const struct control_owner *owner, struct err *err)
{
    struct sockaddr_un address;
    bool has_path = socket_path_read(descriptor, &address);

    if (has_path && path != NULL && strcmp(address.sun_path, path) == 0 &&
        socket_path_has_mode(path, role_socket_mode(owner->access)))
        return open_on(loop, path, descriptor, owner, err);
    close(descriptor);
    if (has_path)
        unlink(address.sun_path); /* the settings name another path now, or other groups */
    return path == NULL ? NULL : control_socket_open(loop, path, owner, err);
}

int control_socket_descriptor(const struct control_socket *control)
{
    int descriptor = -1;

    uv_fileno((const uv_handle_t *)&control->pipe, &descriptor);
    return descriptor;
}

void control_socket_hand_over(struct control_socket *control)
{
    if (control == NULL)
        return;
    free(control->path);
    control->path = NULL;
}

void control_socket_close(struct control_socket *control)
{
    if (control == NULL)
        return;
    if (control->path != NULL)
        unlink(control->path);
    uv_close((uv_handle_t *)&control->pipe, control_socket_on_closed);
    for (struct caller *each = LIST_FIRST(&control->callers); each != NULL;
         each = LIST_NEXT(each, link)) {
        assert(!each->is_called);
        caller_close(each);
    }
}

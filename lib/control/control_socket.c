#include "control/control_socket.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128, MASK_OTHERS = 0177 };

struct caller {
    struct call call; /* first, so that a call's address is its caller's */
    struct control_socket *control;
    LIST_ENTRY(caller) link;
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_write_t writing;
    unsigned open_handles;
    bool is_called; /* the owner has the call */
    bool is_closing;
    char request[CONTROL_REQUEST_OCTETS_MOST];
    size_t request_length;
    char *out; /* the printed text, once the streams are closed */
    char *err;
    char *response;
    size_t out_length;
    size_t err_length;
    size_t response_length;
};

struct control_socket {
    uv_pipe_t pipe;
    control_socket_on_call *on_call;
    void *context;
    LIST_HEAD(, caller) callers;
    size_t caller_count;
    char *path;     /* removed at the end; NULL: another process has it now */
    bool is_closed; /* the pipe is closed */
};

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
    free(caller->out);
    free(caller->err);
    free(caller->response);
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

static void close_caller(struct caller *caller)
{
    if (caller->is_closing)
        return;
    caller->is_closing = true;
    uv_close((uv_handle_t *)&caller->pipe, caller_on_closed);
    uv_close((uv_handle_t *)&caller->timer, caller_on_closed);
}

static void caller_on_timeout(uv_timer_t *timer)
{
    close_caller(timer->data);
}

/* ---- responses ---- */

static void caller_on_written(uv_write_t *writing, int status)
{
    (void)status; /* the client may have disconnected */
    close_caller(writing->data);
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
        close_caller(caller);
        return;
    }
    rest = uv_buf_init(rest.base + taken, (unsigned)(rest.len - (size_t)taken));
    caller->writing.data = caller;
    uv_timer_start(&caller->timer, caller_on_timeout, CONTROL_SOCKET_RESPONSE_MS, 0);
    if (uv_write(&caller->writing, (uv_stream_t *)&caller->pipe, &rest, 1, caller_on_written) != 0)
        close_caller(caller);
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
    close_caller(caller);
    return false;
}

static void refuse_call(struct call *call, const char *sentence)
{
    fprintf(call->err, "Error: %s\n", sentence);
    call_finish(call, 2);
}

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
        refuse_call(call, "the request is longer than the server reads; shorten it");
        return;
    }
    *newline = '\0';
    if (protocol_read_request(caller->request, (size_t)(newline - caller->request),
                              &call->invocation, &err))
        control->on_call(control->context, call);
    else
        refuse_call(call, err.text);
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
        close_caller(caller);
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
    if (uv_accept(stream, (uv_stream_t *)&caller->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&caller->pipe, caller_on_room, caller_on_octets) != 0) {
        close_caller(caller);
        return;
    }
    uv_timer_start(&caller->timer, caller_on_timeout, CONTROL_SOCKET_REQUEST_MS, 0);
    if (control->caller_count > CONTROL_SOCKET_CONNECTIONS_MOST && begin_call(caller))
        refuse_call(&caller->call,
                    "the server has no room for another command; try again in a moment");
}

/* ---- the socket ---- */

/* True if a process answers at the socket; a busy server counts, too. */
static bool is_alive(const struct sockaddr_un *address)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return true;
    bool is_dead = connect(descriptor, (const struct sockaddr *)address, sizeof *address) != 0 &&
                   (errno == ECONNREFUSED || errno == ENOENT);
    close(descriptor);
    return !is_dead;
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Removes the socket of a dead server. Returns false with *err for anything else. */
static bool clear_path(const struct sockaddr_un *address, struct err *err)
{
    const char *path = address->sun_path;
    struct stat status;

    if (lstat(path, &status) != 0)
        return true;
    if (!S_ISSOCK(status.st_mode))
        return err_set(err, ERR_SYSTEM,
                       "control_socket: %s exists and is not a socket; move it away, or name "
                       "another path",
                       path);
    if (is_alive(address))
        return err_set(err, ERR_SYSTEM,
                       "control_socket: another server listens on %s; stop it, or name another "
                       "path",
                       path);
    struct stat again;
    if (lstat(path, &again) == 0 && !is_same_file(&status, &again))
        return err_set(err, ERR_SYSTEM,
                       "control_socket: another process has just created a file at %s; start the "
                       "server again, or name another path",
                       path);
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    return err_set(
        err, ERR_SYSTEM,
        "control_socket: %s is the socket of a server that has ended, and cannot be removed: "
        "%s",
        path, strerror(errno));
}

static bool write_address(const char *path, struct sockaddr_un *address, struct err *err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return err_set(err, ERR_LIMIT,
                       "control_socket: %.40s... is longer than the %zu octets that a socket's "
                       "path may have; name a shorter one",
                       path, sizeof address->sun_path - 1);
    strcpy(address->sun_path, path); // NOLINT: measured above
    return true;
}

/* Creates the socket with its mode: a later chmod could follow a link put at the path meanwhile.
 * No other thread creates files now (control_socket_open). */
static int bind_address(const struct sockaddr_un *address)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t before = umask(MASK_OTHERS);
    int status =
        descriptor < 0 ? -1 : bind(descriptor, (const struct sockaddr *)address, sizeof *address);
    int number = errno;

    umask(before);
    if (status == 0)
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    errno = number;
    return -1;
}

static bool fail_to_bind(const char *path, int number, struct err *err)
{
    if (number == EACCES || number == ENOENT)
        return err_set(err, ERR_SYSTEM,
                       "control_socket: cannot listen on %s: its folder does not exist, or the "
                       "server may not write to it; create it, or give another path",
                       path);
    return err_set(err, ERR_SYSTEM, "control_socket: cannot listen on %s: %s", path,
                   strerror(number));
}

/* Takes the descriptor over. */
static bool listen_on(struct control_socket *control, int descriptor, struct err *err)
{
    int status = uv_pipe_open(&control->pipe, descriptor);

    if (status != 0)
        close(descriptor);
    else
        status = uv_listen((uv_stream_t *)&control->pipe, BACKLOG, control_socket_on_caller);
    return status == 0 || fail_to_bind(control->path, -status, err);
}

static void control_socket_on_closed(uv_handle_t *handle)
{
    struct control_socket *control = handle->data;

    control->is_closed = true;
    free_control_socket(control);
}

static struct control_socket *open_on(uv_loop_t *loop, const char *path, int descriptor,
                                      control_socket_on_call *on_call, void *context,
                                      struct err *err)
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
    *control = (struct control_socket){.on_call = on_call, .context = context, .path = copy};
    uv_pipe_init(loop, &control->pipe, 0);
    control->pipe.data = control;
    if (listen_on(control, descriptor, err))
        return control;
    control_socket_close(control);
    return NULL;
}

struct control_socket *control_socket_open(uv_loop_t *loop, const char *path,
                                           control_socket_on_call *on_call, void *context,
                                           struct err *err)
{
    struct sockaddr_un address;

    if (!write_address(path, &address, err) || !clear_path(&address, err))
        return NULL;
    int descriptor = bind_address(&address);
    if (descriptor >= 0)
        return open_on(loop, path, descriptor, on_call, context, err);
    fail_to_bind(path, errno, err);
    return NULL;
}

/* The path that a descriptor listens on. */
static bool read_path(int descriptor, struct sockaddr_un *address)
{
    socklen_t octets = sizeof *address;

    *address = (struct sockaddr_un){.sun_family = AF_UNSPEC};
    return getsockname(descriptor, (struct sockaddr *)address, &octets) == 0 &&
           address->sun_family == AF_UNIX && octets <= sizeof *address &&
           octets > offsetof(struct sockaddr_un, sun_path) && address->sun_path[0] == '/';
}

struct control_socket *control_socket_take_over(uv_loop_t *loop, const char *path, int descriptor,
                                                control_socket_on_call *on_call, void *context,
                                                struct err *err)
{
    struct sockaddr_un address;
    bool has_path = read_path(descriptor, &address);

    if (has_path && path != NULL && strcmp(address.sun_path, path) == 0)
        return open_on(loop, path, descriptor, on_call, context, err);
    close(descriptor);
    if (has_path)
        unlink(address.sun_path); /* the settings name another path now */
    return path == NULL ? NULL : control_socket_open(loop, path, on_call, context, err);
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
        close_caller(each);
    }
}

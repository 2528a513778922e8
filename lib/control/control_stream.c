#include "control/control_stream.h"

#include <assert.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "control/control_caller.h"

/* The owner may not be called from within its own call, so a client that is gone is found by
 * reading from it. */
static void leave(struct caller *caller)
{
    if (caller->is_closing || !caller->is_called)
        return;
    caller_close(caller);
    caller->stream.on_gone(caller->stream.context, &caller->call);
}

static void stream_on_room(uv_handle_t *handle, size_t size, uv_buf_t *room)
{
    struct caller *caller = handle->data;

    (void)size;
    *room = uv_buf_init(caller->unwanted, sizeof caller->unwanted);
}

static void stream_on_octets(uv_stream_t *pipe, ssize_t count, const uv_buf_t *octets)
{
    (void)octets;
    if (count == 0)
        return;
    uv_read_stop(pipe);
    leave(pipe->data);
}

/* ---- clients that read nothing ---- */

/* What the kernel keeps, with its own overhead; 0 when it does not say. */
static int read_kept(const struct caller *caller)
{
    uv_os_fd_t descriptor;
    int kept = 0;

    if (uv_fileno((const uv_handle_t *)&caller->pipe, &descriptor) != 0 ||
        ioctl(descriptor, SIOCOUTQ, &kept) != 0)
        return 0;
    return kept;
}

static void note_unread(struct caller *caller)
{
    caller->kept = read_kept(caller);
    caller->queued = uv_stream_get_write_queue_size((uv_stream_t *)&caller->pipe);
}

/* What is queued goes to the kernel as the client reads. Before more is sent, as that adds to it.
 */
static void look_for_reading(struct caller *caller)
{
    int kept = caller->kept;
    size_t queued = caller->queued;

    note_unread(caller);
    if (caller->kept < kept || caller->queued < queued ||
        (caller->kept == 0 && caller->queued == 0))
        caller->unread_for = 0;
}

static void log_stalled(const struct call *call, const char *sentence)
{
    char name[PEER_NAME_MOST];
    struct log_line line;

    log_start(&line, LOG_INFO, "stream_stalled");
    log_number(&line, "by", call->peer.uid);
    if (peer_find_name(call->peer.uid, name))
        log_string(&line, "user", name);
    log_string(&line, "command", commands_table[call->invocation.command].name);
    log_string(&line, "text", sentence);
    log_send(&line);
}

static void stream_on_check(uv_timer_t *timer)
{
    static const char sentence[] = "the command has read nothing for 60 s while lines waited for "
                                   "it, so its place was given to others; run it again";
    struct caller *caller = timer->data;

    look_for_reading(caller);
    if (++caller->unread_for <= CONTROL_STREAM_STALLED_MS / CONTROL_STREAM_CHECK_MS)
        return;
    log_stalled(&caller->call, sentence);
    caller->stream.on_stalled(caller->stream.context, &caller->call, sentence);
}

/* ---- places ---- */

/* Those of a lesser role cannot take all places. */
static bool find_stream_place(const struct caller *caller)
{
    const size_t *counts = caller->control->stream_counts;
    size_t count = 0;

    for (unsigned role = 0; role < ROLE_COUNT; role++)
        count += counts[role];
    return count < CONTROL_SOCKET_STREAMS_MOST &&
           (caller->role == ROLE_ALL || counts[caller->role] < CONTROL_SOCKET_READER_STREAMS_MOST);
}

bool call_begin_stream(struct call *call, const struct call_stream *stream)
{
    struct caller *caller = (struct caller *)call;
    struct control_socket *control = caller->control;

    assert(caller->is_called && !caller->is_stream);
    if (!find_stream_place(caller))
        return false;
    caller->is_stream = true;
    caller->stream = *stream;
    control->role_counts[caller->role] -= caller->is_counted;
    caller->is_counted = false;
    control->stream_counts[caller->role]++;
    uv_read_start((uv_stream_t *)&caller->pipe, stream_on_room, stream_on_octets);
    uv_timer_start(&caller->timer, stream_on_check, CONTROL_STREAM_CHECK_MS,
                   CONTROL_STREAM_CHECK_MS);
    return true;
}

bool call_is_ready(const struct call *call)
{
    const struct caller *caller = (const struct caller *)call;

    return !caller->is_sending && !caller->is_closing;
}

static void stream_on_sent(uv_write_t *sending, int status)
{
    struct caller *caller = sending->data;

    caller->is_sending = false;
    if (status == 0 && caller->is_called && !caller->is_closing)
        caller->stream.on_ready(caller->stream.context, &caller->call);
}

/* Turns what was printed into the part to send, and empties the streams. */
static bool make_part(struct caller *caller)
{
    struct call *call = &caller->call;

    free(caller->part);
    caller->part = NULL;
    FILE *to = open_memstream(&caller->part, &caller->part_length);
    if (to == NULL)
        return false; /* no memory: these lines are lost */
    fflush(call->out);
    fflush(call->err);
    protocol_write_lines((struct response_part){caller->out, caller->out_length},
                         (struct response_part){caller->err, caller->err_length}, to);
    rewind(call->out);
    rewind(call->err);
    return fclose(to) == 0;
}

static void send_part(struct caller *caller)
{
    uv_buf_t rest = uv_buf_init(caller->part, (unsigned)caller->part_length);
    int taken = uv_try_write((uv_stream_t *)&caller->pipe, &rest, 1);
    if (taken < 0 && taken != UV_EAGAIN)
        return;
    if (taken < 0)
        taken = 0;
    rest = uv_buf_init(rest.base + taken, (unsigned)(rest.len - (size_t)taken));
    if (rest.len == 0)
        return;
    caller->sending.data = caller;
    caller->is_sending =
        uv_write(&caller->sending, (uv_stream_t *)&caller->pipe, &rest, 1, stream_on_sent) == 0;
}

void call_send(struct call *call)
{
    struct caller *caller = (struct caller *)call;

    assert(caller->is_stream && call_is_ready(call));
    if (!make_part(caller) || caller->part_length == 0)
        return;
    look_for_reading(caller);
    send_part(caller);
    note_unread(caller);
}

#pragma once
/**
 * One connection of the control socket; what control_socket.c and control_stream.c share.
 *
 * Threads, memory: as control_socket.h.
 */
#include <sys/queue.h>
#include <uv.h>

#include "control/control_socket.h"
#include "control/control_stream.h"
#include "control/refusals.h"

struct caller {
    struct call call; /* first, so that a call's address is its caller's */
    struct control_socket *control;
    LIST_ENTRY(caller) link;
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_write_t writing;
    unsigned open_handles;
    enum control_role role; /* of the peer */
    bool is_counted;        /* among those of the role */
    bool is_called;         /* the owner has the call */
    bool is_closing;
    bool is_stream;
    bool is_sending; /* a part of the stream is being written */
    struct call_stream stream;
    uv_write_t sending;
    int kept;            /* by the kernel, unread, when it was looked at last */
    size_t queued;       /* behind it */
    unsigned unread_for; /* looks in a row in which nothing was read of either */
    char *part;          /* of the stream, being written */
    size_t part_length;
    char unwanted[64]; /* what the client of a stream sends */
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
    struct control_owner owner;
    LIST_HEAD(, caller) callers;
    size_t caller_count;
    size_t role_counts[ROLE_COUNT]; /* of callers without the streams */
    size_t stream_counts[ROLE_COUNT];
    struct refusals refusals;
    char *path;     /* removed at the end; NULL: another process has it now */
    bool is_closed; /* the pipe is closed */
};

/** Closes the connection; the caller is freed once it is closed and the owner has no call. */
void caller_close(struct caller *caller);

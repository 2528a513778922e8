#include "spacednsd/http_stream.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "spacednsd/http_internal.h"

enum { BLOCK_OCTETS = 16384 };

struct http_stream {
    struct http_listener_state *listener;
    struct MHD_Connection *connection;
    struct http_stream_owner owner;
    bool is_waiting; /* the connection is suspended: there is nothing to send */
    bool is_ending;
    struct http_stream *next;
};

static int descriptor_of(const struct http_stream *stream)
{
    return MHD_get_connection_info(stream->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

bool http_stream_is_gone(const struct http_stream *stream)
{
    char octet;

    return recv(descriptor_of(stream), &octet, sizeof octet, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Called when the client can take something. */
static ssize_t http_on_room(void *own, uint64_t position, char *to, size_t room)
{
    struct http_stream *stream = own;

    (void)position;
    size_t length = stream->owner.fill(stream->owner.context, to, room);
    if (length > 0)
        return (ssize_t)length;
    if (stream->is_ending || http_stream_is_gone(stream))
        return MHD_CONTENT_READER_END_OF_STREAM;
    stream->is_waiting = true;
    MHD_suspend_connection(stream->connection);
    return 0;
}

static void http_on_stream_over(void *own)
{
    struct http_stream *stream = own;
    struct http_stream **link = &stream->listener->http->streams;

    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    stream->owner.on_end(stream->owner.context);
    free(stream);
}

/* Less than the kernel would let grow, for nobody may be reading. */
static void bound_unread(const struct http_stream *stream)
{
    int octets = HTTP_STREAM_SENT_OCTETS / 2; /* socket(7): the kernel doubles it */

    setsockopt(descriptor_of(stream), SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
}

struct http_stream *http_stream_begin(struct http_request *request, const char *type,
                                      const struct http_stream_owner *owner)
{
    struct http *http = request->listener->http;
    struct http_stream *stream = malloc(sizeof *stream);
    struct MHD_Response *response = NULL;

    if (stream != NULL) {
        *stream = (struct http_stream){.listener = request->listener,
                                       .connection = request->connection,
                                       .owner = *owner,
                                       .next = http->streams};
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_OCTETS, http_on_room,
                                                     stream, http_on_stream_over);
    }
    if (response == NULL) {
        free(stream);
        http_respond_with(request, HTTP_UNAVAILABLE, NULL);
        return NULL;
    }
    http->streams = stream;
    bound_unread(stream);
    http_add_headers(response, type, false);
    http_respond_with(request, HTTP_OK, response);
    return stream;
}

void http_stream_wake(struct http_stream *stream)
{
    if (!stream->is_waiting)
        return;
    stream->is_waiting = false;
    MHD_resume_connection(stream->connection);
    http_wake(stream->listener);
}

void http_stream_end(struct http_stream *stream)
{
    stream->is_ending = true;
    http_stream_wake(stream);
}

void http_streams_end(struct http *http)
{
    for (struct http_stream *each = http->streams; each != NULL; each = each->next)
        http_stream_end(each);
}

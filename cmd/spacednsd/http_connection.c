#include "spacednsd/http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { NS_PER_SECOND = 1000000000 };

struct http_connection {
    struct http_listener_state *listener;
    struct endpoint client; /* zero for a unix socket */
    uint64_t begun_ns;
    struct http_request *request; /* that is not over; NULL: none */
    bool has_end;                 /* a request was over */
    enum http_end end;
    struct http_connection *next;
};

static void count(const struct http_listener_state *listener, enum http_end end)
{
    const struct http_owner *owner = &listener->http->owner;

    owner->on_end(owner->context, end);
}

/* ---- those of one client ---- */

static void copy_address(const struct sockaddr *address, socklen_t octets, struct endpoint *client)
{
    *client = (struct endpoint){.v6 = {0}};
    if (octets <= sizeof *client)
        memcpy(client, address, octets);
}

static bool is_same_client(const struct endpoint *one, const struct endpoint *other)
{
    if (one->any.sa_family != other->any.sa_family)
        return false;
    return one->any.sa_family == AF_INET
               ? one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr
               : memcmp(&one->v6.sin6_addr, &other->v6.sin6_addr, sizeof one->v6.sin6_addr) == 0;
}

enum MHD_Result http_on_accept(void *own, const struct sockaddr *address, socklen_t octets)
{
    struct http_listener_state *listener = own;
    struct endpoint client;
    size_t held = 0;

    if (listener->is_unix)
        return MHD_YES;
    copy_address(address, octets, &client);
    for (const struct http_connection *each = listener->connections; each != NULL;
         each = each->next)
        held += is_same_client(&each->client, &client);
    if (held < HTTP_PER_CLIENT_MOST)
        return MHD_YES;
    count(listener, HTTP_END_LIMIT);
    return MHD_NO;
}

/* ---- begin and end ---- */

static int descriptor_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void begin(struct http_listener_state *listener, struct MHD_Connection *connection,
                  void **context)
{
    struct http_connection *begun = calloc(1, sizeof *begun);
    socklen_t octets = sizeof begun->client;

    *context = begun;
    if (begun == NULL)
        return;
    *begun = (struct http_connection){
        .listener = listener, .begun_ns = clock_monotonic_ns(), .next = listener->connections};
    if (!listener->is_unix)
        getpeername(descriptor_of(connection), &begun->client.any, &octets);
    listener->connections = begun;
}

/*
 * Of a connection on which no request was ever understood. The library does not report whether it
 * has refused what came: then the client is still there.
 */
static enum http_end end_without_request(const struct http_connection *ended, int descriptor)
{
    char octet;

    if (ended->listener->http->is_closing)
        return HTTP_END_SERVER;
    if (clock_monotonic_ns() - ended->begun_ns >= (uint64_t)HTTP_TIMEOUT_S * NS_PER_SECOND)
        return HTTP_END_TIMEOUT;
    ssize_t length = recv(descriptor, &octet, sizeof octet, MSG_PEEK | MSG_DONTWAIT);
    return length == 0 ? HTTP_END_CLIENT : HTTP_END_REFUSED;
}

static void drop_request(struct http_connection *connection)
{
    if (connection->request != NULL)
        http_request_free(connection->request);
    connection->request = NULL;
}

static void end(struct http_connection *ended, struct MHD_Connection *connection)
{
    struct http_connection **link = &ended->listener->connections;

    while (*link != ended)
        link = &(*link)->next;
    *link = ended->next;
    drop_request(ended);
    count(ended->listener,
          ended->has_end ? ended->end : end_without_request(ended, descriptor_of(connection)));
    free(ended);
}

void http_on_connection(void *listener, struct MHD_Connection *connection, void **context,
                        enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        begin(listener, connection, context);
    else if (*context != NULL)
        end(*context, connection);
}

/* What the library refuses by itself, it refuses before the request has begun. */
static enum http_end end_of(bool is_begun, enum MHD_RequestTerminationCode how)
{
    switch (how) {
    case MHD_REQUEST_TERMINATED_COMPLETED_OK:
        return HTTP_END_DONE;
    case MHD_REQUEST_TERMINATED_WITH_ERROR:
        return is_begun ? HTTP_END_CLIENT : HTTP_END_REFUSED;
    case MHD_REQUEST_TERMINATED_TIMEOUT_REACHED:
        return HTTP_END_TIMEOUT;
    case MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN:
        return HTTP_END_SERVER;
    case MHD_REQUEST_TERMINATED_READ_ERROR:
    case MHD_REQUEST_TERMINATED_CLIENT_ABORT:
        return HTTP_END_CLIENT;
    }
    return HTTP_END_SERVER;
}

static struct http_connection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

bool http_connection_hold(struct MHD_Connection *connection, struct http_request *request)
{
    struct http_connection *holder = connection_of(connection);

    if (holder == NULL)
        return false;
    drop_request(holder);
    holder->request = request;
    return true;
}

void http_connection_note(struct MHD_Connection *connection, enum MHD_RequestTerminationCode how)
{
    struct http_connection *noted = connection_of(connection);

    if (noted == NULL)
        return;
    noted->has_end = true;
    noted->end = end_of(noted->request != NULL && noted->request->is_begun, how);
    drop_request(noted);
}

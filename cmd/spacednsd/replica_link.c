#include "spacednsd/replica_link.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { ROOM_OCTETS = 1 << 16, NS_PER_MS = 1000000, US_PER_MS = 1000 };

/* Outlives its place in the link until libuv has closed it. */
struct replica_socket {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    uv_timer_t failed;         /* reports what failed at once, from the loop */
    int error;                 /* to be reported */
    unsigned handles;          /* not closed yet */
    struct replica_link *link; /* NULL: given up */
    bool is_connected;
    char *rest; /* what is being written; NULL: nothing */
    char room[ROOM_OCTETS];
};

uint64_t replica_now_ms(void)
{
    return clock_monotonic_ns() / NS_PER_MS;
}

/* ---- the end ---- */

static void replica_on_closed(uv_handle_t *handle)
{
    struct replica_socket *socket = handle->data;

    if (--socket->handles > 0)
        return;
    free(socket->rest);
    free(socket);
}

static void drop_socket(struct replica_link *link)
{
    struct replica_socket *socket = link->socket;

    link->opened++;
    if (socket == NULL)
        return;
    link->socket = NULL;
    link->has_output = false;
    socket->link = NULL;
    uv_close((uv_handle_t *)&socket->tcp, replica_on_closed);
    uv_close((uv_handle_t *)&socket->failed, replica_on_closed);
}

/* error  of libuv; 0: the other side has closed it */
static void fail(struct replica_link *link, int error)
{
    drop_socket(link);
    registry_closed(link->registry, error == 0 ? NULL : uv_strerror(error), replica_now_ms());
}

static void replica_on_failed(uv_timer_t *timer)
{
    struct replica_socket *socket = timer->data;

    if (socket->link != NULL)
        fail(socket->link, socket->error);
}

/* ---- reading ---- */

static void replica_on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct replica_socket *socket = handle->data;

    (void)suggested;
    *room = uv_buf_init(socket->room, sizeof socket->room);
}

static void replica_on_octets(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
    struct replica_socket *socket = stream->data;
    struct replica_link *link = socket->link;

    if (link == NULL || count == 0)
        return;
    if (count < 0)
        fail(link, count == UV_EOF ? 0 : (int)count);
    else
        registry_receive(link->registry, room->base, (size_t)count, replica_now_ms());
}

/* ---- writing ---- */

static void replica_on_written(uv_write_t *write, int status)
{
    struct replica_socket *socket = write->data;

    free(socket->rest);
    socket->rest = NULL;
    if (socket->link == NULL)
        return;
    if (status < 0)
        fail(socket->link, status);
    else
        socket->link->has_output = true; /* what came meanwhile */
}

/* Copies what the kernel did not take, because the registry goes on with its own. */
static int write_later(struct replica_socket *socket, const char *octets, size_t length)
{
    socket->rest = malloc(length);
    if (socket->rest == NULL)
        return UV_ENOMEM;
    memcpy(socket->rest, octets, length);
    uv_buf_t buffer = uv_buf_init(socket->rest, (unsigned)length);
    socket->write.data = socket;
    return uv_write(&socket->write, (uv_stream_t *)&socket->tcp, &buffer, 1, replica_on_written);
}

/* Returns 0, or libuv's error. */
static int write_some(struct replica_socket *socket, const char *octets, size_t length)
{
    uv_buf_t buffer = uv_buf_init((char *)octets, (unsigned)length);
    int written = uv_try_write((uv_stream_t *)&socket->tcp, &buffer, 1);

    if (written < 0 && written != UV_EAGAIN)
        return written;
    size_t taken = written < 0 ? 0 : (size_t)written;
    return taken == length ? 0 : write_later(socket, octets + taken, length - taken);
}

void replica_link_flush(struct replica_link *link)
{
    while (link->has_output && link->socket != NULL && link->socket->is_connected &&
           link->socket->rest == NULL) {
        size_t length;
        const char *octets = registry_output(link->registry, &length);
        link->has_output = length > 0;
        if (length == 0)
            return;
        int error = write_some(link->socket, octets, length);
        if (error != 0)
            fail(link, error);
        else
            registry_sent(link->registry, length);
    }
}

/* ---- the port ---- */

static void replica_on_connected(uv_connect_t *connect, int status)
{
    struct replica_socket *socket = connect->data;
    struct replica_link *link = socket->link;

    if (link == NULL)
        return;
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&socket->tcp, replica_on_room, replica_on_octets);
    if (status < 0) {
        fail(link, status);
        return;
    }
    uv_tcp_nodelay(&socket->tcp, 1);
    socket->is_connected = true;
    link->has_output = true;
    registry_connected(link->registry, replica_now_ms());
}

static struct replica_socket *make_socket(struct replica_link *link)
{
    struct replica_socket *socket = calloc(1, sizeof *socket);

    if (socket == NULL)
        return NULL;
    uv_timer_init(link->loop, &socket->failed);
    uv_tcp_init(link->loop, &socket->tcp);
    socket->handles = 2;
    socket->failed.data = socket->tcp.data = socket->connect.data = socket;
    socket->link = link;
    link->socket = socket;
    return socket;
}

/* Whatever fails is reported later: the registry is not called from within its own call. */
static void port_open(void *context, const char *endpoint)
{
    struct replica_link *link = context;
    const struct endpoint *address = replica_hosts_next(&link->hosts, endpoint);

    drop_socket(link);
    struct replica_socket *socket = make_socket(link);
    if (socket == NULL)
        return; /* the registry gives up after its time, and tries again */
    socket->error = address == NULL ? UV_EAI_NONAME
                                    : uv_tcp_connect(&socket->connect, &socket->tcp, &address->any,
                                                     replica_on_connected);
    if (socket->error != 0)
        uv_timer_start(&socket->failed, replica_on_failed, 0, 0);
}

static void port_send(void *context)
{
    struct replica_link *link = context;

    link->has_output = true;
}

static void port_close(void *context)
{
    drop_socket(context);
}

static int64_t port_wall_ms(void *context)
{
    (void)context;
    return clock_wall_us() / US_PER_MS;
}

struct registry_port replica_link_port(struct replica_link *link)
{
    return (struct registry_port){.open = port_open,
                                  .send = port_send,
                                  .close = port_close,
                                  .wall_ms = port_wall_ms,
                                  .context = link};
}

void replica_link_stop(struct replica_link *link)
{
    drop_socket(link);
}

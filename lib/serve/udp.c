#include "serve/udp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/socket.h"
#include "serve/udp_batch.h"
#include "serve/udp_late.h"

enum {
    ROUNDS_MOST = 16,          /* full batches per wake-up, then the other sockets get their turn */
    LAST_ROUNDS_MOST = 64,     /* when stopping */
    DROPS_MOST = 256,          /* batches per wake-up that are dropped when overloaded */
    UNREAD_OCTETS_LEAST = 768, /* of the kernel's memory, for one small packet */
};

bool udp_init(struct udp *udp, struct batch *batch)
{
    *udp = (struct udp){.batch = batch, .buffers = udp_batch_new(), .late = udp_late_new()};
    share_init(&udp->share);
    if (udp->buffers != NULL && udp->late != NULL)
        return true;
    udp_close(udp);
    return false;
}

void udp_close(struct udp *udp)
{
    udp_batch_free(udp->buffers);
    udp_late_free(udp->late);
    udp->buffers = NULL;
    udp->late = NULL;
}

int udp_serve_batch(struct udp_socket *socket)
{
    int count = udp_batch_receive(socket, UDP_READ_MOST);

    if (count > 0)
        udp_batch_serve(socket, (unsigned)count, NULL);
    return count;
}

/* Returns false when nothing is left. */
static bool serve_rounds(struct udp_socket *socket, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        if (udp_serve_batch(socket) < UDP_READ_MOST)
            return false;
    return true;
}

/* ---- overload ---- */

static bool is_overloaded(const struct udp_socket *socket)
{
    uint64_t now_ms = uv_now(socket->poll.loop);

    if (!backlog_is_old(&socket->backlog, now_ms))
        return false;
    uint64_t unread = socket_unread_octets(socket->descriptor) / UNREAD_OCTETS_LEAST;
    return backlog_is_too_long(&socket->backlog, unread, now_ms);
}

/* Drops what is unread, except for the clients' shares and the newest batch. */
static void drop_unread(struct udp_socket *socket)
{
    struct share *share = &socket->udp->share;
    int count = UDP_READ_MOST;

    share_begin(share);
    for (unsigned i = 0; i < DROPS_MOST && count == UDP_READ_MOST; i++) {
        count = udp_batch_receive(socket, UDP_READ_MOST);
        if (count == UDP_READ_MOST)
            udp_batch_serve(socket, UDP_READ_MOST, share);
        else if (count > 0)
            udp_batch_serve(socket, (unsigned)count, NULL);
    }
    bool has_more = count == UDP_READ_MOST; /* then the next wake-up goes on with it */
    backlog_note_dropped(&socket->backlog, has_more, uv_now(socket->poll.loop));
    if (has_more)
        udp_serve_batch(socket); /* they come faster than they can be dropped */
}

/* ---- after a standstill ---- */

/*
 * Drops outdated requests, and answers the first one that is not. Returns true when more that are
 * not may be left; the next wake-up goes on with what is left otherwise. One at a time, because the
 * kernel knows the age of the last one read only.
 */
static bool drop_outdated(struct udp_socket *socket)
{
    socket->backlog.is_there = false;
    for (unsigned i = 0; i < DROPS_MOST * UDP_READ_MOST; i++) {
        if (udp_batch_receive(socket, 1) == 0)
            return false;
        if (socket_last_age_ms(socket->descriptor) <= BACKLOG_OUTDATED_MS) {
            udp_batch_serve(socket, 1, NULL);
            return true;
        }
        stats_count(socket->udp->batch->stats, COUNTER_UDP_OUTDATED, 1);
    }
    return false;
}

/* ---- events ---- */

static void serve_readable(struct udp_socket *socket, unsigned rounds)
{
    uint64_t now_ms = uv_now(socket->poll.loop);

    if (backlog_may_be_outdated(&socket->backlog, now_ms) && !drop_outdated(socket))
        return;
    backlog_note_read(&socket->backlog, now_ms);
    if (is_overloaded(socket)) {
        drop_unread(socket);
        return;
    }
    bool has_more = serve_rounds(socket, rounds);
    backlog_note_served(&socket->backlog, (uint64_t)rounds * UDP_READ_MOST, has_more, now_ms);
}

/* An overload, or requests of any age, are the loop's to deal with. */
void udp_socket_look(struct udp_socket *socket)
{
    uint64_t now_ms = uv_now(socket->poll.loop);

    if (uv_is_active((const uv_handle_t *)&socket->poll) &&
        !backlog_may_be_outdated(&socket->backlog, now_ms) &&
        !backlog_is_old(&socket->backlog, now_ms))
        serve_readable(socket, 1);
}

static void udp_on_readable(uv_poll_t *poll_handle, int status, int events)
{
    struct udp_socket *socket = poll_handle->data;

    (void)events;
    serve_readable(socket, ROUNDS_MOST);
    if (status == 0)
        return;
    /* libuv stops watching when the socket has a pending error; reading the error clears it. */
    int error;
    socklen_t octets = sizeof error;
    getsockopt(socket->descriptor, SOL_SOCKET, SO_ERROR, &error, &octets);
    stats_count(socket->udp->batch->stats, COUNTER_UDP_RECEIVE_FAILURES, 1);
    uv_poll_start(poll_handle, UV_READABLE, udp_on_readable);
}

int udp_socket_start(struct udp_socket *socket, struct udp *udp, uv_loop_t *loop, int descriptor,
                     const struct endpoint *endpoint)
{
    bool is_ipv6 = endpoint->any.sa_family == AF_INET6;
    bool is_wildcard = is_ipv6 ? IN6_IS_ADDR_UNSPECIFIED(&endpoint->v6.sin6_addr)
                               : endpoint->v4.sin_addr.s_addr == htonl(INADDR_ANY);

    *socket =
        (struct udp_socket){.carrier = udp_batch_carrier, .udp = udp, .descriptor = descriptor};
    socket->name_octets = is_ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    socket->address = is_ipv6 ? 0 : ntohl(endpoint->v4.sin_addr.s_addr);
    if (is_wildcard)
        socket->control_octets = is_ipv6 ? CMSG_SPACE(sizeof(struct in6_pktinfo))
                                         : CMSG_SPACE(sizeof(struct in_pktinfo));
    int error = uv_poll_init(loop, &socket->poll, descriptor);
    if (error != 0) {
        close(descriptor);
        return error;
    }
    socket->poll.data = socket;
    socket->drops = socket_kernel_drops(descriptor);
    return 0;
}

void udp_socket_begin(struct udp_socket *socket)
{
    int error = uv_poll_start(&socket->poll, UV_READABLE, udp_on_readable);

    assert(error == 0); /* nothing else on the loop has this descriptor */
}

void udp_socket_request_interfaces(struct udp_socket *socket)
{
    bool is_ipv4 = socket->name_octets == sizeof(struct sockaddr_in);

    if (!is_ipv4 || socket->control_octets > 0 || !socket_request_interfaces(socket->descriptor))
        return;
    socket->control_octets = CMSG_SPACE(sizeof(struct in_pktinfo));
    udp_batch_forget(socket); /* all headers need the room */
}

void udp_socket_pause(struct udp_socket *socket)
{
    uv_poll_stop(&socket->poll);
}

/* The kernel counts modulo 2^32, and an inherited socket has a count from before. */
uint32_t udp_socket_drops(const struct udp_socket *socket)
{
    return socket->descriptor < 0 ? socket->drops
                                  : socket_kernel_drops(socket->descriptor) - socket->drops;
}

static void udp_on_closed(uv_handle_t *handle)
{
    struct udp_socket *socket = handle->data;

    socket->drops = udp_socket_drops(socket);
    close(socket->descriptor);
    socket->descriptor = -1;
}

void udp_serve_all(struct udp_socket *socket)
{
    serve_rounds(socket, LAST_ROUNDS_MOST);
}

void udp_socket_stop(struct udp_socket *socket)
{
    udp_late_send(socket->udp);
    uv_close((uv_handle_t *)&socket->poll, udp_on_closed);
}

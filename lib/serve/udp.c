#include "serve/udp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/socket.h"

enum {
    LINE = 64,
    REQUEST_MOST = 4096,
    REQUEST_STRIDE = 65 * LINE,
    REPLY_STRIDE = 21 * LINE,
    ROUNDS_MOST = 16,          /* full batches per wake-up, then the other sockets get their turn */
    LAST_ROUNDS_MOST = 64,     /* when stopping */
    DROPS_MOST = 256,          /* batches per wake-up that are dropped when overloaded */
    UNREAD_OCTETS_LEAST = 768, /* of the kernel's memory, for one small packet */
    SEND_TRIES = 3,            /* waits per batch when the send queue is full */
    SEND_WAIT_MS = 1,
    CONTROL_OCTETS = CMSG_SPACE(sizeof(struct in6_pktinfo)), /* the larger of both families */
};

_Static_assert(REQUEST_STRIDE >= REQUEST_MOST && REQUEST_STRIDE / LINE % 2 == 1, "see udp.h");
_Static_assert(REPLY_STRIDE >= (int)UDP_OCTETS_MOST && REPLY_STRIDE / LINE % 2 == 1, "see udp.h");

/* The kernel requires the alignment of struct cmsghdr. */
struct control {
    _Alignas(struct cmsghdr) uint8_t octets[CONTROL_OCTETS];
};

struct udp_buffers {
    uint8_t requests[BATCH_MOST * REQUEST_STRIDE];
    uint8_t replies[BATCH_MOST * REPLY_STRIDE];
    struct mmsghdr received[BATCH_MOST];
    struct iovec received_parts[BATCH_MOST];
    struct mmsghdr sent[BATCH_MOST];
    struct iovec sent_parts[BATCH_MOST];
    struct endpoint sources[BATCH_MOST];
    struct control controls[BATCH_MOST];
    const struct udp_socket *armed_for; /* the socket whose lengths the headers have */
    unsigned used;                      /* headers that the last read changed */
};

bool udp_init(struct udp *udp, struct batch *batch)
{
    struct udp_buffers *buffers =
        mmap(NULL, sizeof *buffers, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *udp = (struct udp){.batch = batch};
    if (buffers == MAP_FAILED)
        return false;
    udp->buffers = buffers;
    for (size_t i = 0; i < BATCH_MOST; i++) {
        buffers->received_parts[i] = (struct iovec){
            .iov_base = buffers->requests + i * REQUEST_STRIDE, .iov_len = REQUEST_MOST};
        buffers->received[i].msg_hdr = (struct msghdr){.msg_name = &buffers->sources[i],
                                                       .msg_iov = &buffers->received_parts[i],
                                                       .msg_iovlen = 1,
                                                       .msg_control = &buffers->controls[i]};
        buffers->sent[i].msg_hdr =
            (struct msghdr){.msg_iov = &buffers->sent_parts[i], .msg_iovlen = 1};
    }
    return true;
}

void udp_close(struct udp *udp)
{
    if (udp->buffers != NULL)
        munmap(udp->buffers, sizeof *udp->buffers);
    udp->buffers = NULL;
}

/* Resets the lengths that the last read has overwritten. */
static void arm(struct udp_buffers *buffers, const struct udp_socket *socket)
{
    unsigned count = buffers->armed_for == socket ? buffers->used : BATCH_MOST;

    for (unsigned i = 0; i < count; i++) {
        buffers->received[i].msg_hdr.msg_namelen = socket->name_octets;
        buffers->received[i].msg_hdr.msg_controllen = socket->control_octets;
    }
    buffers->armed_for = socket;
    buffers->used = 0;
}

static int receive(struct udp_socket *socket)
{
    struct udp *udp = socket->udp;

    arm(udp->buffers, socket);
    int count =
        recvmmsg(socket->descriptor, udp->buffers->received, BATCH_MOST, MSG_DONTWAIT, NULL);
    assert(count <= BATCH_MOST);
    if (count > 0) {
        udp->buffers->used = (unsigned)count;
        return count;
    }
    /* Errors such as ECONNREFUSED are about an earlier reply. */
    if (count < 0 && errno != EAGAIN && errno != EINTR)
        stats_count(udp->batch->stats, COUNTER_UDP_RECEIVE_FAILURES, 1);
    return 0;
}

/*
 * Reads destination address and interface, and turns the control message into one for the reply:
 * from that address, over the interface of the route. A link-local address is valid only on its own
 * interface, and a socket bound to an address needs none.
 */
static void turn_control(const struct udp_socket *socket, struct msghdr *header, struct path *path)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(header);

    if (control == NULL) {
        header->msg_controllen = 0;
        return;
    }
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo *info = (struct in_pktinfo *)(void *)CMSG_DATA(control);
        path->interface = (uint32_t)info->ipi_ifindex;
        info->ipi_ifindex = 0;
        info->ipi_spec_dst = info->ipi_addr;
        if (socket->address == INADDR_ANY)
            path->destination = ntohl(info->ipi_addr.s_addr);
        else
            header->msg_controllen = 0;
        return;
    }
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(control);
        path->interface = info->ipi6_ifindex;
        if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
            info->ipi6_ifindex = 0;
    }
}

/* Fills in one exchange from a received message. */
static void admit(const struct udp_socket *socket, size_t number)
{
    struct udp_buffers *buffers = socket->udp->buffers;
    struct batch *batch = socket->udp->batch;
    struct exchange *exchange = &batch->exchanges[number];
    struct mmsghdr *received = &buffers->received[number];

    exchange->request = buffers->requests + number * REQUEST_STRIDE;
    exchange->request_length = received->msg_len;
    exchange->transport = TRANSPORT_UDP;
    exchange->keepalive_100ms = 0;
    exchange->reply = buffers->replies + number * REPLY_STRIDE;
    exchange->path.destination = socket->address;
    exchange->path.interface = 0;
    if (socket->control_octets > 0)
        turn_control(socket, &received->msg_hdr, &exchange->path);
    path_set_source(&exchange->path, &buffers->sources[number]);
    if ((received->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        exchange->request_length = 0; /* dropped as shorter than a header */
        stats_count(batch->stats, COUNTER_UDP_OVERSIZED, 1);
    }
}

/* Queues one reply for sending. */
static void queue_reply(struct udp_buffers *buffers, size_t slot, size_t number, size_t length)
{
    const struct msghdr *received = &buffers->received[number].msg_hdr;
    struct msghdr *sent = &buffers->sent[slot].msg_hdr;

    sent->msg_name = received->msg_name;
    sent->msg_namelen = received->msg_namelen;
    sent->msg_control = received->msg_control;
    sent->msg_controllen = received->msg_controllen;
    buffers->sent_parts[slot] =
        (struct iovec){.iov_base = buffers->replies + number * REPLY_STRIDE, .iov_len = length};
}

/* True when the send queue has, or may have, room again. */
static bool wait_for_room(int descriptor, int error)
{
    struct pollfd wanted = {.fd = descriptor, .events = POLLOUT};

    if (error != EAGAIN && error != ENOBUFS && error != ENOMEM)
        return false;
    poll(&wanted, 1, SEND_WAIT_MS);
    return true;
}

static void send_replies(const struct udp_socket *socket, unsigned count)
{
    struct udp_buffers *buffers = socket->udp->buffers;
    struct stats *stats = socket->udp->batch->stats;
    unsigned done = 0, failed = 0, waits = 0;

    while (done < count) {
        int taken = sendmmsg(socket->descriptor, buffers->sent + done, count - done, MSG_DONTWAIT);
        if (taken > 0) {
            done += (unsigned)taken;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (waits < SEND_TRIES && wait_for_room(socket->descriptor, errno)) {
            waits++;
            continue;
        }
        /* This one cannot be sent; if the queue stays full, neither can the others. */
        unsigned lost = waits >= SEND_TRIES ? count - done : 1;
        done += lost;
        failed += lost;
    }
    stats_count(stats, COUNTER_UDP_REPLIES, count - failed);
    if (failed > 0)
        stats_count(stats, COUNTER_UDP_SEND_FAILURES, failed);
}

/* Answers the requests that were received. */
static void serve(struct udp_socket *socket, int count)
{
    struct udp_buffers *buffers = socket->udp->buffers;
    struct batch *batch = socket->udp->batch;
    unsigned replies = 0;

    batch_begin(batch, uv_now(socket->poll.loop));
    for (int i = 0; i < count; i++)
        admit(socket, (size_t)i);
    batch_prepare(batch, (size_t)count);
    for (int i = 0; i < count; i++) {
        size_t length = batch_finish(batch, (size_t)i, &buffers->sources[i], &socket->carrier);
        if (length > 0)
            queue_reply(buffers, replies++, (size_t)i, length);
    }
    send_replies(socket, replies);
    stats_count(batch->stats, COUNTER_UDP_REQUESTS, (uint64_t)count);
    stats_count(batch->stats, COUNTER_UDP_BATCHES, 1);
    batch_end(batch);
}

int udp_serve_batch(struct udp_socket *socket)
{
    int count = receive(socket);

    if (count > 0)
        serve(socket, count);
    return count;
}

/* ---- late replies ---- */

/* A client: its address, and the control message for the reply. */
struct udp_client {
    struct endpoint endpoint;
    uint32_t control_octets; /* 0: none */
    struct control control;
};

_Static_assert(sizeof(struct udp_client) <= LATE_CLIENT_OCTETS, "see carrier.h");

static struct udp_client read_client(const struct late_client *client)
{
    struct udp_client read;

    memcpy(&read, client->octets, sizeof read);
    return read;
}

static void keep_client(struct carrier *carrier, size_t number, struct late_client *client)
{
    const struct udp_socket *socket = (const struct udp_socket *)(const void *)carrier;
    const struct udp_buffers *buffers = socket->udp->buffers;
    const struct msghdr *received = &buffers->received[number].msg_hdr;
    struct udp_client kept = {.endpoint = buffers->sources[number]};

    assert(number < buffers->used);
    if (socket->control_octets > 0)
        kept.control_octets = (uint32_t)received->msg_controllen;
    assert(kept.control_octets <= sizeof kept.control);
    if (kept.control_octets > 0)
        memcpy(&kept.control, received->msg_control, kept.control_octets);
    memcpy(client->octets, &kept, sizeof kept);
}

static struct endpoint client_address(const struct late_client *client)
{
    return read_client(client).endpoint;
}

static bool deliver(struct carrier *carrier, const struct late_client *client, const uint8_t *reply,
                    size_t length)
{
    const struct udp_socket *socket = (const struct udp_socket *)(const void *)carrier;
    struct udp_client to = read_client(client);
    struct stats *stats = socket->udp->batch->stats;
    struct iovec part = {.iov_base = (void *)(uintptr_t)reply, .iov_len = length};
    const struct msghdr message = {
        .msg_name = &to.endpoint,
        .msg_namelen = socket->name_octets,
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = to.control_octets > 0 ? &to.control : NULL,
        .msg_controllen = to.control_octets,
    };
    ssize_t taken;

    do
        taken = sendmsg(socket->descriptor, &message, MSG_DONTWAIT);
    while (taken < 0 && errno == EINTR);
    stats_count(stats, taken < 0 ? COUNTER_UDP_SEND_FAILURES : COUNTER_UDP_REPLIES, 1);
    return true;
}

static const struct carrier udp_carrier = {
    .keep = keep_client, .deliver = deliver, .address = client_address};

/* ---- the loop ---- */

/* Returns false when nothing is left. */
static bool serve_rounds(struct udp_socket *socket, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        if (udp_serve_batch(socket) < BATCH_MOST)
            return false;
    return true;
}

/* ---- overload ---- */

/* How long the socket may be behind. */
static uint64_t patience_ms(const struct udp_socket *socket)
{
    bool has_dropped =
        socket->dropped_ms != 0 && uv_now(socket->poll.loop) < socket->dropped_ms + UDP_OVERLOAD_MS;

    return has_dropped ? UDP_BEHIND_MS : UDP_PATIENCE_MS;
}

/* True when what is unread would take too long at the pace so far. */
static bool is_overloaded(const struct udp_socket *socket)
{
    uint64_t elapsed_ms = uv_now(socket->poll.loop) - socket->behind_since_ms;

    if (!socket->is_behind || elapsed_ms < patience_ms(socket))
        return false;
    uint64_t unread = socket_unread_octets(socket->descriptor) / UNREAD_OCTETS_LEAST;
    return unread * elapsed_ms > UDP_BEHIND_MS * socket->served;
}

/* Drops what is unread, except for the newest batch. */
static void drop_unread(struct udp_socket *socket)
{
    struct stats *stats = socket->udp->batch->stats;
    int count = BATCH_MOST;

    socket->dropped_ms = uv_now(socket->poll.loop);
    for (unsigned i = 0; i < DROPS_MOST && count == BATCH_MOST; i++) {
        count = receive(socket);
        if (count == BATCH_MOST)
            stats_count(stats, COUNTER_UDP_OUTDATED, BATCH_MOST);
        else if (count > 0)
            serve(socket, count);
    }
    socket->is_behind = count == BATCH_MOST; /* then the next wake-up goes on with it */
    if (socket->is_behind)
        udp_serve_batch(socket); /* they come faster than they can be dropped */
}

static void note_pace(struct udp_socket *socket, bool has_more)
{
    if (has_more && !socket->is_behind) {
        socket->behind_since_ms = uv_now(socket->poll.loop);
        socket->served = 0;
    }
    socket->is_behind = has_more;
    socket->served += (uint64_t)ROUNDS_MOST * BATCH_MOST;
}

/* ---- after a standstill ---- */

static bool was_quiet(const struct udp_socket *socket)
{
    return uv_now(socket->poll.loop) > socket->read_ms + UDP_QUIET_MS;
}

/*
 * Drops outdated batches, and answers the first one that is not. Returns true when more that are
 * not may be left; the next wake-up goes on with what is left otherwise.
 */
static bool drop_outdated(struct udp_socket *socket)
{
    socket->is_behind = false;
    for (unsigned i = 0; i < DROPS_MOST; i++) {
        int count = receive(socket);
        if (count == 0)
            return false;
        if (socket_last_age_ms(socket->descriptor) <= UDP_OUTDATED_MS) {
            serve(socket, count);
            return count == BATCH_MOST;
        }
        stats_count(socket->udp->batch->stats, COUNTER_UDP_OUTDATED, (uint64_t)count);
        if (count < BATCH_MOST)
            return false;
    }
    return false;
}

/* ---- events ---- */

static void serve_readable(struct udp_socket *socket)
{
    if (was_quiet(socket) && !drop_outdated(socket))
        return;
    socket->read_ms = uv_now(socket->poll.loop);
    if (is_overloaded(socket))
        drop_unread(socket);
    else
        note_pace(socket, serve_rounds(socket, ROUNDS_MOST));
}

static void udp_on_readable(uv_poll_t *poll_handle, int status, int events)
{
    struct udp_socket *socket = poll_handle->data;

    (void)events;
    serve_readable(socket);
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

    *socket = (struct udp_socket){.carrier = udp_carrier, .udp = udp, .descriptor = descriptor};
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
    struct udp_buffers *buffers = socket->udp->buffers;
    bool is_ipv4 = socket->name_octets == sizeof(struct sockaddr_in);

    if (!is_ipv4 || socket->control_octets > 0 || !socket_request_interfaces(socket->descriptor))
        return;
    socket->control_octets = CMSG_SPACE(sizeof(struct in_pktinfo));
    if (buffers->armed_for == socket)
        buffers->armed_for = NULL; /* all headers need the room */
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
    uv_close((uv_handle_t *)&socket->poll, udp_on_closed);
}

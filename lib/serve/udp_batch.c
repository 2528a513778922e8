#include "serve/udp_batch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "decide/client.h"
#include "serve/udp_late.h"

enum {
    LINE = 64,
    REQUEST_MOST = 4096,
    MESSAGE_STRIDE = 65 * LINE,
    SEND_TRIES = 3, /* waits per batch when the send queue is full */
    SEND_WAIT_MS = 1,
};

_Static_assert(MESSAGE_STRIDE >= REQUEST_MOST && MESSAGE_STRIDE / LINE % 2 == 1, "see udp_batch.h");
_Static_assert(REQUEST_MOST >= (int)UDP_OCTETS_MOST, "a reply fits where its request was");
_Static_assert(UDP_GROUP_MOST <= (int)BATCH_MOST, "the batch has an exchange for each");

struct udp_buffers {
    uint8_t messages[UDP_READ_MOST * MESSAGE_STRIDE];
    struct mmsghdr headers[UDP_READ_MOST]; /* of the requests, then of the replies to them */
    struct iovec parts[UDP_READ_MOST];
    struct endpoint sources[UDP_READ_MOST];
    struct udp_control controls[UDP_READ_MOST];
    uint8_t kept_requests[UDP_GROUP_MOST * MESSAGE_STRIDE]; /* while dnstap has them, too */
    const struct udp_socket *armed_for; /* the socket whose lengths the headers have */
    unsigned used;                      /* headers that the last read changed */
    unsigned first;                     /* header of the group that is being answered */
};

struct udp_buffers *udp_batch_new(void)
{
    struct udp_buffers *buffers =
        mmap(NULL, sizeof *buffers, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (buffers == MAP_FAILED)
        return NULL;
    for (size_t i = 0; i < UDP_READ_MOST; i++)
        buffers->parts[i].iov_base = buffers->messages + i * MESSAGE_STRIDE;
    return buffers;
}

void udp_batch_free(struct udp_buffers *buffers)
{
    if (buffers != NULL)
        munmap(buffers, sizeof *buffers);
}

void udp_batch_forget(struct udp_socket *socket)
{
    struct udp_buffers *buffers = socket->udp->buffers;

    if (buffers->armed_for == socket)
        buffers->armed_for = NULL;
}

/* Sets the headers up that the last read and the replies to it have changed. */
static void arm(struct udp_buffers *buffers, const struct udp_socket *socket)
{
    unsigned count = buffers->armed_for == socket ? buffers->used : UDP_READ_MOST;

    for (unsigned i = 0; i < count; i++) {
        buffers->parts[i].iov_len = REQUEST_MOST;
        buffers->headers[i].msg_hdr = (struct msghdr){.msg_name = &buffers->sources[i],
                                                      .msg_namelen = socket->name_octets,
                                                      .msg_iov = &buffers->parts[i],
                                                      .msg_iovlen = 1,
                                                      .msg_control = &buffers->controls[i],
                                                      .msg_controllen = socket->control_octets};
    }
    buffers->armed_for = socket;
    buffers->used = 0;
}

int udp_batch_receive(struct udp_socket *socket, unsigned most)
{
    struct udp *udp = socket->udp;

    assert(most <= UDP_READ_MOST);
    arm(udp->buffers, socket);
    int count = recvmmsg(socket->descriptor, udp->buffers->headers, most, MSG_DONTWAIT, NULL);
    assert(count <= (int)most);
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

/*
 * The octets of a request. Its reply takes their place, so dnstap, which has both, needs a copy.
 */
static const uint8_t *request_of(struct udp_buffers *buffers, const struct batch *batch,
                                 unsigned number, size_t length)
{
    uint8_t *message = buffers->headers[number].msg_hdr.msg_iov->iov_base;

    if (batch->tap == NULL)
        return message;
    return memcpy(buffers->kept_requests + (size_t)(number - buffers->first) * MESSAGE_STRIDE,
                  message, length);
}

/* Fills in an exchange of the group from a received message. */
static void admit(const struct udp_socket *socket, unsigned number)
{
    struct udp_buffers *buffers = socket->udp->buffers;
    struct batch *batch = socket->udp->batch;
    struct exchange *exchange = &batch->exchanges[number - buffers->first];
    struct mmsghdr *received = &buffers->headers[number];

    exchange->request = request_of(buffers, batch, number, received->msg_len);
    exchange->request_length = received->msg_len;
    exchange->transport = TRANSPORT_UDP;
    exchange->keepalive_100ms = 0;
    exchange->reply = received->msg_hdr.msg_iov->iov_base;
    exchange->path.destination = socket->address;
    exchange->path.interface = 0;
    if (socket->control_octets > 0)
        turn_control(socket, &received->msg_hdr, &exchange->path);
    path_set_source(&exchange->path, received->msg_hdr.msg_name);
    if ((received->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        exchange->request_length = 0; /* dropped as shorter than a header */
        stats_count(batch->stats, COUNTER_UDP_OVERSIZED, 1);
    }
}

/* Queues one reply for sending, in a slot no later than its request's. */
static void queue_reply(struct udp_buffers *buffers, unsigned slot, unsigned number, size_t length)
{
    buffers->headers[number].msg_hdr.msg_iov->iov_len = length;
    if (slot != number)
        buffers->headers[slot].msg_hdr = buffers->headers[number].msg_hdr;
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

void udp_batch_send(const struct udp_socket *socket, struct mmsghdr *messages, unsigned count)
{
    struct stats *stats = socket->udp->batch->stats;
    unsigned done = 0, failed = 0, waits = 0;

    while (done < count) {
        int taken = sendmmsg(socket->descriptor, messages + done, count - done, MSG_DONTWAIT);
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

/* Answers the group, up to the header `end`. Returns the replies queued. */
static unsigned answer_group(struct udp_socket *socket, unsigned end, unsigned replies)
{
    struct udp_buffers *buffers = socket->udp->buffers;
    struct batch *batch = socket->udp->batch;
    unsigned count = end - buffers->first;

    batch_prepare(batch, count);
    for (unsigned i = 0; i < count; i++) {
        unsigned number = buffers->first + i;
        size_t length =
            batch_finish(batch, i, buffers->headers[number].msg_hdr.msg_name, &socket->carrier);
        if (length > 0)
            queue_reply(buffers, replies++, number, length);
    }
    return replies;
}

static void exchange_headers(struct udp_buffers *buffers, unsigned first, unsigned second)
{
    struct mmsghdr kept = buffers->headers[first];

    buffers->headers[first] = buffers->headers[second];
    buffers->headers[second] = kept;
}

/* True when the exchange is one of its client's share. */
static bool has_share(const struct snapshot *snapshot, const struct exchange *exchange,
                      struct share *share)
{
    struct client client;

    client_classify(snapshot, &exchange->path, &client);
    return client.count > 0 && share_take(share, client.address);
}

/* Admits one more request to the group, unless it is not of its client's share. */
static bool takes(struct udp_socket *socket, unsigned number, unsigned group_end,
                  struct share *share)
{
    struct udp_buffers *buffers = socket->udp->buffers;
    struct batch *batch = socket->udp->batch;

    if (share != NULL)
        exchange_headers(buffers, number, group_end);
    admit(socket, group_end);
    return share == NULL ||
           has_share(batch->snapshot, &batch->exchanges[group_end - buffers->first], share);
}

void udp_batch_serve(struct udp_socket *socket, unsigned count, struct share *share)
{
    struct udp_buffers *buffers = socket->udp->buffers;
    struct batch *batch = socket->udp->batch;
    unsigned taken = 0, replies = 0;

    batch_begin(batch, uv_now(socket->poll.loop));
    buffers->first = 0;
    for (unsigned i = 0; i < count; i++) {
        taken += takes(socket, i, taken, share);
        if (taken - buffers->first == UDP_GROUP_MOST) {
            replies = answer_group(socket, taken, replies);
            buffers->first = taken;
        }
    }
    replies = answer_group(socket, taken, replies);
    udp_batch_send(socket, socket->udp->buffers->headers, replies);
    stats_count(batch->stats, COUNTER_UDP_OUTDATED, count - taken);
    stats_count(batch->stats, COUNTER_UDP_REQUESTS, taken);
    stats_count(batch->stats, COUNTER_UDP_BATCHES, taken > 0);
    batch_end(batch);
}

/* ---- late replies ---- */

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
    const struct msghdr *received = &buffers->headers[buffers->first + number].msg_hdr;
    struct udp_client kept = {.endpoint = *(const struct endpoint *)received->msg_name};

    assert(buffers->first + number < buffers->used);
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
    udp_late_add((const struct udp_socket *)(const void *)carrier, client, reply, length);
    return true;
}

const struct carrier udp_batch_carrier = {
    .keep = keep_client, .deliver = deliver, .address = client_address};

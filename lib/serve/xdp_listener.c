#include "serve/xdp_listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/ip.h"

enum {
    ROUNDS_MOST = 16,      /* full batches per wake-up, then the other sockets get their turn */
    LAST_ROUNDS_MOST = 64, /* when stopping */
    FRAMES_MOST = 64,      /* read in a batch, */
    GROUP_MOST = 16,       /* and answered together: see udp_batch.h */
};

struct xdp_listener;

/* The socket of one queue. */
struct xdp_socket {
    struct carrier carrier; /* first member: sends late replies */
    uv_poll_t poll;
    struct xdp_listener *listener;
    struct xdp_interface *interface;
    struct xsk xsk;
    struct xsk_statistics last; /* of a socket that is closed */
    bool is_polled;             /* its handle is on the loop */
    bool has_late;              /* late replies are queued */
    struct xdp_socket *next;
};

struct xdp_listener {
    struct listener listener; /* first member */
    enum xdp_mode mode;
    struct batch *batch;
    struct xdp_socket *sockets;
    struct xsk_frame frames[GROUP_MOST]; /* of the exchanges */
    struct ip_heads heads[GROUP_MOST];
    uint8_t kept_requests[GROUP_MOST][XDP_FRAME_MOST]; /* while dnstap has them, too */
};

_Static_assert(GROUP_MOST <= (int)BATCH_MOST, "the batch has an exchange for each");

static struct xdp_listener *of(struct listener *listener)
{
    return (struct xdp_listener *)(void *)listener;
}

/* ---- requests ---- */

static struct endpoint source_of(const struct ip_heads *heads, uint32_t interface)
{
    struct endpoint endpoint = {.any.sa_family = AF_UNSPEC};

    if (!heads->is_ipv6) {
        endpoint.v4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(heads->source_port)};
        memcpy(&endpoint.v4.sin_addr, heads->source, 4);
        return endpoint;
    }
    endpoint.v6 =
        (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(heads->source_port)};
    memcpy(&endpoint.v6.sin6_addr, heads->source, sizeof heads->source);
    if (IN6_IS_ADDR_LINKLOCAL(&endpoint.v6.sin6_addr))
        endpoint.v6.sin6_scope_id = interface;
    return endpoint;
}

/* The request of a frame, whose octets the reply replaces; dnstap's is a copy. */
static const uint8_t *request_of(struct xdp_listener *xdp, uint8_t *payload, size_t number,
                                 size_t octets)
{
    if (xdp->batch->tap == NULL || octets > sizeof xdp->kept_requests[number])
        return payload;
    return memcpy(xdp->kept_requests[number], payload, octets);
}

/* Makes a frame the exchange of this number. Returns false when it is dropped. */
static bool admit(struct xdp_socket *socket, const struct xsk_frame *frame, size_t number)
{
    struct xdp_listener *xdp = socket->listener;
    struct exchange *exchange = &xdp->batch->exchanges[number];
    struct ip_heads *heads = &xdp->heads[number];
    size_t octets;

    if (ip_read(frame->octets, frame->length, heads, &octets) != IP_GOOD) {
        xsk_free(&socket->xsk, frame->octets);
        return false;
    }
    const struct endpoint source = source_of(heads, socket->interface->number);
    xdp->frames[number] = *frame;
    exchange->reply = frame->octets + ip_heads_octets(heads);
    exchange->request = request_of(xdp, exchange->reply, number, octets);
    exchange->request_length = octets;
    exchange->transport = TRANSPORT_UDP;
    exchange->keepalive_100ms = 0;
    exchange->path.destination = heads->is_ipv6 ? 0 : load32(heads->destination);
    exchange->path.interface = socket->interface->number;
    path_set_source(&exchange->path, &source);
    return true;
}

/* Queues a frame whose payload is a reply. Without room it is freed. */
static bool queue_reply(struct xdp_socket *socket, uint8_t *frame, struct ip_heads heads,
                        size_t length)
{
    struct stats *stats = socket->listener->batch->stats;

    ip_turn(&heads);
    bool is_queued = xsk_queue(&socket->xsk, frame, ip_write(frame, &heads, length));
    if (!is_queued)
        xsk_free(&socket->xsk, frame);
    stats_count(stats, is_queued ? COUNTER_UDP_REPLIES : COUNTER_UDP_SEND_FAILURES, 1);
    return is_queued;
}

/* Answers a group of requests. */
static void answer_group(struct xdp_socket *socket, size_t requests)
{
    struct xdp_listener *xdp = socket->listener;

    batch_prepare(xdp->batch, requests);
    for (size_t i = 0; i < requests; i++) {
        const struct endpoint source = source_of(&xdp->heads[i], socket->interface->number);
        size_t length = batch_finish(xdp->batch, i, &source, &socket->carrier);
        if (length == 0)
            xsk_free(&socket->xsk, xdp->frames[i].octets);
        else
            queue_reply(socket, xdp->frames[i].octets, xdp->heads[i], length);
    }
}

/* Answers the requests among `count` frames. Returns how many those were. */
static size_t answer(struct xdp_socket *socket, const struct xsk_frame *frames, unsigned count)
{
    size_t requests = 0, group = 0;

    for (unsigned i = 0; i < count; i++) {
        group += admit(socket, &frames[i], group);
        if (group < GROUP_MOST)
            continue;
        answer_group(socket, group);
        requests += group;
        group = 0;
    }
    answer_group(socket, group);
    return requests + group;
}

/* Reads and answers at most one batch. Returns the frames read. */
static unsigned serve_batch(struct xdp_socket *socket)
{
    struct batch *batch = socket->listener->batch;
    struct xsk_frame frames[FRAMES_MOST];

    xsk_refill(&socket->xsk);
    unsigned read = xsk_receive(&socket->xsk, frames, FRAMES_MOST);
    if (read == 0)
        return 0;
    batch_begin(batch, uv_now(socket->poll.loop));
    size_t requests = answer(socket, frames, read);
    xsk_send(&socket->xsk);
    stats_count(batch->stats, COUNTER_UDP_REQUESTS, requests);
    stats_count(batch->stats, COUNTER_UDP_BATCHES, requests > 0);
    stats_count(batch->stats, COUNTER_XDP_REQUESTS, requests);
    stats_count(batch->stats, COUNTER_XDP_DAMAGED, read - requests);
    batch_end(batch);
    return read;
}

static void serve_rounds(struct xdp_socket *socket, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        if (serve_batch(socket) < FRAMES_MOST)
            return;
}

/* ---- late replies ---- */

/* A client: the heads of its request, and the interface that its address may belong to. */
struct xdp_client {
    struct ip_heads heads;
    uint32_t interface;
};

_Static_assert(sizeof(struct xdp_client) <= LATE_CLIENT_OCTETS, "see carrier.h");

static struct xdp_socket *socket_of(struct carrier *carrier)
{
    return (struct xdp_socket *)(void *)carrier;
}

static void keep_client(struct carrier *carrier, size_t number, struct late_client *client)
{
    const struct xdp_socket *socket = socket_of(carrier);
    const struct xdp_client kept = {.heads = socket->listener->heads[number],
                                    .interface = socket->interface->number};

    assert(number < GROUP_MOST);
    memcpy(client->octets, &kept, sizeof kept);
}

static struct xdp_client read_client(const struct late_client *client)
{
    struct xdp_client read;

    memcpy(&read, client->octets, sizeof read);
    return read;
}

static struct endpoint client_address(const struct late_client *client)
{
    const struct xdp_client read = read_client(client);

    return source_of(&read.heads, read.interface);
}

static bool deliver(struct carrier *carrier, const struct late_client *client, const uint8_t *reply,
                    size_t length)
{
    struct xdp_socket *socket = socket_of(carrier);

    if (atomic_load_explicit(&socket->interface->is_gone, memory_order_relaxed))
        return false;
    uint8_t *frame = xsk_take(&socket->xsk);
    if (frame == NULL) {
        xsk_refill(&socket->xsk);
        frame = xsk_take(&socket->xsk);
    }
    if (frame == NULL) {
        stats_count(socket->listener->batch->stats, COUNTER_UDP_SEND_FAILURES, 1);
        return true;
    }
    const struct ip_heads heads = read_client(client).heads;
    memcpy(frame + ip_heads_octets(&heads), reply, length);
    socket->has_late = queue_reply(socket, frame, heads, length) || socket->has_late;
    return true;
}

static const struct carrier xdp_carrier = {
    .keep = keep_client, .deliver = deliver, .address = client_address};

/* ---- events ---- */

static void xdp_on_readable(uv_poll_t *poll_handle, int status, int events)
{
    struct xdp_socket *socket = poll_handle->data;

    (void)events;
    serve_rounds(socket, ROUNDS_MOST);
    if (status == 0)
        return;
    /* libuv stops watching when the socket has a pending error; reading the error clears it. */
    int error;
    socklen_t octets = sizeof error;
    getsockopt(socket->xsk.descriptor, SOL_SOCKET, SO_ERROR, &error, &octets);
    uv_poll_start(poll_handle, UV_READABLE, xdp_on_readable);
}

static void xdp_on_closed(uv_handle_t *handle)
{
    struct xdp_socket *socket = handle->data;

    socket->last = xsk_read_statistics(&socket->xsk);
    xsk_close(&socket->xsk);
    socket->is_polled = false;
}

/* ---- the listener ---- */

static void begin(struct listener *listener)
{
    for (struct xdp_socket *each = of(listener)->sockets; each != NULL; each = each->next) {
        int error = uv_poll_start(&each->poll, UV_READABLE, xdp_on_readable);
        assert(error == 0); /* nothing else on the loop has this descriptor */
    }
}

static void send_late(struct listener *listener)
{
    for (struct xdp_socket *each = of(listener)->sockets; each != NULL; each = each->next) {
        if (each->has_late)
            xsk_send(&each->xsk);
        each->has_late = false;
    }
}

static void drain(struct listener *listener)
{
    for (struct xdp_socket *each = of(listener)->sockets; each != NULL; each = each->next)
        serve_rounds(each, LAST_ROUNDS_MOST);
}

/* The filter is detached by now, so what is in the rings is the rest. */
static size_t hand_over(struct listener *listener, int channel)
{
    (void)channel;
    drain(listener);
    return 0;
}

static void stop(struct listener *listener)
{
    for (struct xdp_socket *each = of(listener)->sockets; each != NULL; each = each->next)
        if (each->is_polled)
            uv_close((uv_handle_t *)&each->poll, xdp_on_closed);
}

/* The kernel's drops are told apart by xdp_listener_add_statistics. */
static uint64_t dropped(const struct listener *listener)
{
    (void)listener;
    return 0;
}

static void free_all(struct listener *listener)
{
    struct xdp_socket *next;

    for (struct xdp_socket *each = of(listener)->sockets; each != NULL; each = next) {
        next = each->next;
        free(each);
    }
    free(listener);
}

void xdp_listener_add_statistics(const struct listener *listener, struct xsk_statistics *sum)
{
    const struct xdp_listener *xdp = (const struct xdp_listener *)(const void *)listener;

    for (const struct xdp_socket *each = xdp->sockets; each != NULL; each = each->next) {
        const struct xsk_statistics one =
            each->xsk.descriptor < 0 ? each->last : xsk_read_statistics(&each->xsk);
        sum->dropped += one.dropped;
        sum->ring_full += one.ring_full;
        sum->fill_empty += one.fill_empty;
    }
}

/* ---- opening ---- */

/* Returns false with *err, a clause. */
static bool open_socket(struct xdp_socket *socket, uv_loop_t *loop, unsigned queue, struct err *err)
{
    struct xdp_interface *interface = socket->interface;

    /* Whoever has kept us waiting for one queue keeps the others, too. */
    bool is_patient = interface->problem.code == ERR_NONE;

    if (!xsk_open(&socket->xsk, interface->number, queue, socket->listener->mode, is_patient, err))
        return false;
    if (!xdp_filter_add_socket(&interface->filter, queue, socket->xsk.descriptor, err)) {
        xsk_close(&socket->xsk);
        return false;
    }
    int error = uv_poll_init(loop, &socket->poll, socket->xsk.descriptor);
    if (error != 0) {
        xsk_close(&socket->xsk);
        return err_set(err, ERR_SYSTEM, "cannot watch an AF_XDP socket: %s", uv_strerror(error));
    }
    socket->poll.data = socket;
    socket->is_polled = true;
    return true;
}

static void add_socket(struct xdp_listener *xdp, struct xdp_interface *interface, unsigned queue,
                       uv_loop_t *loop)
{
    struct xdp_socket *socket = calloc(1, sizeof *socket);

    if (socket == NULL) {
        err_set(&interface->problem, ERR_MEMORY, "out of memory for an AF_XDP socket");
        return;
    }
    socket->carrier = xdp_carrier;
    socket->listener = xdp;
    socket->interface = interface;
    if (!open_socket(socket, loop, queue, &interface->problem)) {
        free(socket);
        return;
    }
    interface->sockets++;
    interface->is_zero_copy = interface->is_zero_copy && socket->xsk.is_zero_copy;
    socket->next = xdp->sockets;
    xdp->sockets = socket;
}

static void add_sockets(struct xdp_listener *xdp, const struct listener_options *options,
                        const struct worker_options *worker)
{
    for (size_t i = 0; i < worker->xdp->count; i++) {
        struct xdp_interface *interface = &worker->xdp->items[i];
        if (interface->filter.program < 0)
            continue;
        for (size_t queue = worker->number; queue < interface->queues;
             queue += options->settings->workers)
            add_socket(xdp, interface, (unsigned)queue, options->loop);
    }
}

struct listener *xdp_listener_new(const struct listener_options *options,
                                  const struct worker_options *worker)
{
    if (worker->xdp == NULL || worker->xdp->count == 0)
        return NULL;
    struct xdp_listener *xdp = calloc(1, sizeof *xdp);
    if (xdp == NULL)
        return NULL;
    *xdp = (struct xdp_listener){.listener = {.begin = begin,
                                              .send_late = send_late,
                                              .hand_over = hand_over,
                                              .drain = drain,
                                              .stop = stop,
                                              .dropped = dropped,
                                              .free = free_all},
                                 .mode = worker->xdp->mode,
                                 .batch = options->batch};
    add_sockets(xdp, options, worker);
    if (xdp->sockets != NULL)
        return &xdp->listener;
    free(xdp);
    return NULL;
}

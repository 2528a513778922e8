#include "upstream/sockets.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "upstream/datagrams.h"
#include "upstream/server_streams.h"
#include "upstream/stream.h"

enum {
    EVENTS_MOST = SOCKETS_EVENTS_MOST, /* taken from epoll at once ... */
    ROUNDS_MOST = 8,    /* ... and so often, before other handles of the loop are served */
    DATAGRAMS_MOST = 8, /* read from one socket at once */
    STREAMS = SERVER_STREAMS_MOST, /* of each server */
};

enum attempt_socket_state {
    ATTEMPT_SOCKET_NONE,
    ATTEMPT_SOCKET_UDP,
    ATTEMPT_SOCKET_STREAM,
    ATTEMPT_SOCKET_FAILED
};

/* The transport of an attempt, by its ticket: a socket of its own, or a query on a stream. */
struct attempt_socket {
    struct stream_query *stream_query; /* ATTEMPT_SOCKET_STREAM, of ... */
    struct stream *stream;
    struct datagram_socket *datagram_socket; /* ATTEMPT_SOCKET_UDP */
    uint8_t state;                           /* enum attempt_socket_state */
    uint8_t server;
    uint8_t failure; /* ATTEMPT_SOCKET_FAILED: enum link_failure */
    bool is_listed;  /* among the failed */
};

struct sockets {
    struct link link;        /* first member: sockets_link returns it */
    struct stream_home home; /* its listener is in this file */
    uv_poll_t poll;          /* on the epoll descriptor */
    uv_idle_t soon;          /* active while the next turn has work */
    uv_timer_t tick;         /* active while a stream is open or many sockets are spare */
    unsigned handles;        /* of these, not closed yet */
    struct tls_trust *trust; /* NULL: no server speaks TLS */
    struct attempt_socket *attempt_sockets; /* by ticket */
    size_t attempt_socket_count;
    struct datagrams datagrams; /* their slots in epoll are below the number of attempts */
    struct stream *streams;     /* STREAMS by server; their slots follow */
    size_t stream_count;
    struct server_streams *server_streams; /* by server */
    size_t server_count;
    const struct upstream *const *servers;
    link_ticket *failed; /* a ring of attempts that failed within send */
    size_t failed_first;
    size_t failed_count;
};

/* ---- UDP ---- */

static void on_tick(uv_timer_t *tick);

static void start_tick(struct sockets *sockets)
{
    if (!uv_is_active((const uv_handle_t *)&sockets->tick))
        uv_timer_start(&sockets->tick, on_tick, STREAM_TICK_MS, STREAM_TICK_MS);
}

/* Ends what carries the attempt, unless that is a stream. */
static void close_attempt_socket(struct sockets *sockets, struct attempt_socket *attempt_socket)
{
    if (attempt_socket->state == ATTEMPT_SOCKET_UDP) {
        datagrams_release(&sockets->datagrams, attempt_socket->datagram_socket);
        if (datagrams_may_be_trimmed(&sockets->datagrams))
            start_tick(sockets);
    }
    attempt_socket->state = ATTEMPT_SOCKET_NONE;
}

/* Makes on_soon notify the failure. */
static void fail_soon(struct sockets *sockets, link_ticket ticket, enum link_failure failure)
{
    struct attempt_socket *attempt_socket = &sockets->attempt_sockets[ticket];

    attempt_socket->state = ATTEMPT_SOCKET_FAILED;
    attempt_socket->failure = (uint8_t)failure;
    if (attempt_socket->is_listed)
        return;
    attempt_socket->is_listed = true;
    assert(sockets->failed_count < sockets->attempt_socket_count); /* each is listed once */
    size_t last = (sockets->failed_first + sockets->failed_count) % sockets->attempt_socket_count;
    sockets->failed[last] = ticket;
    sockets->failed_count++;
}

static bool send_datagram(struct sockets *sockets, const struct link_query *query)
{
    struct attempt_socket *attempt_socket = &sockets->attempt_sockets[query->ticket];
    const struct endpoint *server = &sockets->servers[attempt_socket->server]->endpoint;

    attempt_socket->datagram_socket = datagrams_send(&sockets->datagrams, server, query);
    if (attempt_socket->datagram_socket != NULL) {
        attempt_socket->state = ATTEMPT_SOCKET_UDP;
        return true;
    }
    enum link_failure failure = link_failure_of(errno);
    if (failure == LINK_EXHAUSTED)
        return false;
    fail_soon(sockets, query->ticket, failure);
    return true;
}

static void notify_response(void *context, link_ticket ticket, const uint8_t *octets, size_t length)
{
    struct sockets *sockets = context;
    const struct link_listener *listener = &sockets->link.listener;

    listener->on_response(listener->context, ticket, octets, length);
}

/* Closes the attempt before the callback, so that the ticket may be used again at once. */
static void notify_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    struct sockets *sockets = context;
    const struct link_listener *listener = &sockets->link.listener;

    close_attempt_socket(sockets, &sockets->attempt_sockets[ticket]);
    listener->on_failure(listener->context, ticket, failure);
}

static void notify_rest(const struct sockets *sockets, bool is_last)
{
    const struct link_listener *listener = &sockets->link.listener;

    if (listener->on_rest != NULL)
        listener->on_rest(listener->context, is_last);
}

/* Reads until nothing is left, or the listener has ended the attempt. */
static void read_datagrams(struct sockets *sockets, struct datagram_socket *socket)
{
    link_ticket ticket = socket->ticket;
    uint8_t *octets = sockets->home.wire;

    for (unsigned reads = 0; reads < DATAGRAMS_MOST; reads++) {
        if (!socket->is_in_use || socket->ticket != ticket)
            return;
        ssize_t length = datagrams_receive(socket, octets, STREAM_WIRE_OCTETS);
        if (length >= 0) {
            notify_response(sockets, ticket, octets, (size_t)length);
        } else if (errno != EINTR) {
            if (errno != EAGAIN)
                notify_failure(sockets, ticket, link_failure_of(errno));
            return;
        }
    }
}

/* ---- the loop ---- */

/* An event may be of a socket that was released meanwhile; it may serve another attempt again. */
static void serve_event(struct sockets *sockets, const struct epoll_event *event)
{
    uint32_t slot = (uint32_t)event->data.u64;

    if (slot < sockets->datagrams.count) {
        struct datagram_socket *socket = &sockets->datagrams.sockets[slot];
        if (socket->is_in_use)
            read_datagrams(sockets, socket);
        else
            datagrams_discard(&sockets->datagrams, socket);
        return;
    }
    struct stream *stream = &sockets->streams[slot - sockets->datagrams.count];
    if (stream->event == event->data.u64)
        stream_on_events(stream, event->events, uv_now(sockets->poll.loop));
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct sockets *sockets = poll->data;
    struct epoll_event ready[EVENTS_MOST];
    int count = EVENTS_MOST;

    (void)status, (void)events; /* epoll_wait reports the events */
    for (unsigned round = 0; round < ROUNDS_MOST && count == EVENTS_MOST; round++) {
        if (round > 0)
            notify_rest(sockets, false);
        count = epoll_wait(sockets->home.epoll, ready, EVENTS_MOST, 0);
        for (int i = 0; i < count; i++)
            serve_event(sockets, &ready[i]);
    }
    notify_rest(sockets, true);
}

static void notify_failed(struct sockets *sockets)
{
    for (size_t left = sockets->failed_count; left > 0; left--) {
        assert(sockets->failed_count > 0);
        link_ticket ticket = sockets->failed[sockets->failed_first];
        struct attempt_socket *attempt_socket = &sockets->attempt_sockets[ticket];
        sockets->failed_first = (sockets->failed_first + 1) % sockets->attempt_socket_count;
        sockets->failed_count--;
        attempt_socket->is_listed = false;
        if (attempt_socket->state == ATTEMPT_SOCKET_FAILED)
            notify_failure(sockets, ticket, attempt_socket->failure);
    }
}

/* Handles what was sent or failed since the last turn. What is added meanwhile waits for the next
 * one. */
static void on_soon(uv_idle_t *soon)
{
    struct sockets *sockets = soon->data;

    uv_idle_stop(soon);
    notify_failed(sockets);
    for (size_t i = 0; i < sockets->stream_count; i++)
        if (sockets->streams[i].is_due)
            stream_turn(&sockets->streams[i], uv_now(soon->loop));
}

static void on_tick(uv_timer_t *tick)
{
    struct sockets *sockets = tick->data;
    bool is_open = false;

    for (size_t i = 0; i < sockets->stream_count; i++) {
        stream_tick(&sockets->streams[i], uv_now(tick->loop));
        is_open = is_open || sockets->streams[i].state != STREAM_CLOSED;
    }
    datagrams_trim(&sockets->datagrams);
    if (!is_open && !datagrams_may_be_trimmed(&sockets->datagrams))
        uv_timer_stop(tick);
}

/* ---- the link ---- */

static bool send_over_stream(struct sockets *sockets, const struct link_query *query)
{
    struct attempt_socket *attempt_socket = &sockets->attempt_sockets[query->ticket];
    uint64_t now_ms = uv_now(sockets->tick.loop);

    attempt_socket->stream =
        server_streams_choose(&sockets->server_streams[query->server], query->client,
                              datagrams_make_room(&sockets->datagrams, STREAMS), now_ms);
    attempt_socket->stream_query =
        stream_send(attempt_socket->stream, query->ticket, query->octets, query->length, now_ms);
    if (attempt_socket->stream_query == NULL)
        return false;
    attempt_socket->state = ATTEMPT_SOCKET_STREAM;
    start_tick(sockets);
    return true;
}

static bool sockets_send(struct link *link, const struct link_query *query)
{
    struct sockets *sockets = (struct sockets *)link;
    struct attempt_socket *attempt_socket = &sockets->attempt_sockets[query->ticket];

    assert(query->ticket < sockets->attempt_socket_count && query->server < sockets->server_count);
    assert(attempt_socket->state == ATTEMPT_SOCKET_NONE);
    attempt_socket->server = query->server;
    bool was_sent = query->over_stream || sockets->servers[query->server]->is_tls
                        ? send_over_stream(sockets, query)
                        : send_datagram(sockets, query);
    if (attempt_socket->state == ATTEMPT_SOCKET_STREAM ||
        attempt_socket->state == ATTEMPT_SOCKET_FAILED)
        uv_idle_start(&sockets->soon, on_soon);
    return was_sent;
}

static void sockets_forget(struct link *link, link_ticket ticket)
{
    struct sockets *sockets = (struct sockets *)link;
    struct attempt_socket *attempt_socket = &sockets->attempt_sockets[ticket];

    assert(ticket < sockets->attempt_socket_count);
    if (attempt_socket->state == ATTEMPT_SOCKET_STREAM)
        stream_forget(attempt_socket->stream, attempt_socket->stream_query);
    close_attempt_socket(sockets, attempt_socket);
}

struct link *sockets_link(struct sockets *sockets)
{
    return &sockets->link;
}

/* ---- beginning and end ---- */

static bool add_stream(struct sockets *sockets, const struct upstream *server, struct err *err)
{
    struct stream *stream = &sockets->streams[sockets->stream_count];
    uint32_t slot = (uint32_t)(sockets->attempt_socket_count + sockets->stream_count);

    if (server->is_tls && sockets->trust == NULL)
        sockets->trust = dot_trust_new(err);
    if (server->is_tls && sockets->trust == NULL)
        return false;
    if (!stream_init(stream, &sockets->home, server, sockets->trust, slot))
        return err_set(err, ERR_MEMORY, "out of memory for the upstreams");
    sockets->stream_count++;
    return true;
}

static bool allocate_datagrams(struct sockets *sockets, const struct sockets_options *options)
{
    return datagrams_init(
        &sockets->datagrams,
        &(struct datagrams_options){
            .attempts = options->attempts,
            .open_most = options->sockets_most == 0 ? SIZE_MAX : options->sockets_most,
            .uses_any_port = options->uses_any_port,
            .random = &sockets->home.random,
        });
}

static bool allocate(struct sockets *sockets, const struct sockets_options *options,
                     struct err *err)
{
    sockets->attempt_socket_count = options->attempts;
    sockets->attempt_sockets = calloc(options->attempts, sizeof *sockets->attempt_sockets);
    sockets->failed = calloc(options->attempts, sizeof *sockets->failed);
    sockets->server_count = options->server_count;
    sockets->streams = calloc(STREAMS * options->server_count, sizeof *sockets->streams);
    sockets->server_streams = calloc(options->server_count, sizeof *sockets->server_streams);
    sockets->home.wire = malloc(STREAM_WIRE_OCTETS);
    sockets->home.plain = malloc(STREAM_PLAIN_OCTETS);
    return (allocate_datagrams(sockets, options) && sockets->attempt_sockets != NULL &&
            sockets->failed != NULL && sockets->streams != NULL &&
            sockets->server_streams != NULL && sockets->home.wire != NULL &&
            sockets->home.plain != NULL) ||
           err_set(err, ERR_MEMORY, "out of memory for the upstreams");
}

static bool fill(struct sockets *sockets, const struct sockets_options *options, struct err *err)
{
    if (!allocate(sockets, options, err))
        return false;
    for (size_t i = 0; i < STREAMS * options->server_count; i++)
        if (!add_stream(sockets, options->servers[i / STREAMS], err))
            return false;
    for (size_t i = 0; i < options->server_count; i++)
        server_streams_init(&sockets->server_streams[i], &sockets->streams[STREAMS * i]);
    sockets->home.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (sockets->home.epoll < 0)
        return err_set(err, ERR_SYSTEM, "cannot watch sockets of upstreams: %s", strerror(errno));
    sockets->datagrams.epoll = sockets->home.epoll;
    int error = uv_poll_init(options->loop, &sockets->poll, sockets->home.epoll);
    return error == 0 ||
           err_set(err, ERR_SYSTEM, "cannot watch sockets of upstreams: %s", uv_strerror(error));
}

static void start(struct sockets *sockets, uv_loop_t *loop)
{
    uv_idle_init(loop, &sockets->soon);
    uv_timer_init(loop, &sockets->tick);
    sockets->poll.data = sockets->soon.data = sockets->tick.data = sockets;
    sockets->handles = 3;
    uv_poll_start(&sockets->poll, UV_READABLE, on_ready);
}

/* Closes everything but the handles. */
static void close_all(struct sockets *sockets)
{
    datagrams_close(&sockets->datagrams);
    for (size_t i = 0; i < sockets->stream_count; i++)
        stream_close(&sockets->streams[i]);
    sockets->stream_count = 0;
    if (sockets->home.epoll >= 0)
        close(sockets->home.epoll);
    sockets->home.epoll = -1;
}

static void free_all(struct sockets *sockets)
{
    tls_trust_free(sockets->trust);
    free(sockets->attempt_sockets);
    free(sockets->failed);
    free(sockets->streams);
    free(sockets->server_streams);
    free(sockets->home.wire);
    free(sockets->home.plain);
    free(sockets);
}

struct sockets *sockets_new(const struct sockets_options *options, struct err *err)
{
    struct sockets *sockets = calloc(1, sizeof *sockets);

    if (sockets == NULL) {
        err_set(err, ERR_MEMORY, "out of memory for the upstreams");
        return NULL;
    }
    sockets->link = (struct link){.send = sockets_send, .forget = sockets_forget};
    sockets->servers = options->servers;
    sockets->home.epoll = -1;
    sockets->home.stats = options->stats;
    sockets->home.listener = (struct link_listener){
        .on_response = notify_response, .on_failure = notify_failure, .context = sockets};
    if (!fill(sockets, options, err)) {
        close_all(sockets);
        free_all(sockets);
        return NULL;
    }
    start(sockets, options->loop);
    return sockets;
}

static void on_closed(uv_handle_t *handle)
{
    struct sockets *sockets = handle->data;

    if (--sockets->handles == 0)
        free_all(sockets);
}

void sockets_free(struct sockets *sockets)
{
    if (sockets == NULL)
        return;
    uv_close((uv_handle_t *)&sockets->poll, on_closed);
    uv_close((uv_handle_t *)&sockets->soon, on_closed);
    uv_close((uv_handle_t *)&sockets->tick, on_closed);
    close_all(sockets);
}

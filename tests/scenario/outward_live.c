#include "scenario/outward_live.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum {
    CONNECTIONS_MOST = 64,
    LATE_MOST = 1024,
    FRAME_HEAD = 2,
    QUERY_MOST = 4096,
    POLLED_MOST = 1 + 2 * RESPONDERS_MOST + CONNECTIONS_MOST,
    FOREVER_MS = -1,
};

/* The sockets of one responder; -1: closed. */
struct responder_sockets {
    int udp, tcp;
    int elsewhere; /* the same address, another port */
};

struct connection {
    int handle; /* -1: free */
    uint32_t serial;
    size_t responder;
    size_t length;
    uint8_t octets[FRAME_HEAD + QUERY_MOST];
};

/* A delayed response. */
struct late {
    uint64_t due_ms;
    size_t responder;
    bool over_stream, is_from_elsewhere;
    struct sockaddr_in client;
    size_t connection;
    uint32_t serial;
    uint8_t *octets;
    size_t length;
};

struct outward_live {
    struct responders *responders;
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t was_applied;
    unsigned wanted, applied; /* number of changes by the story, and of those in effect */
    bool is_ending;
    int wake;
    struct responder_sockets sockets[RESPONDERS_MOST];
    struct connection connections[CONNECTIONS_MOST];
    uint32_t last_serial;
    struct late late[LATE_MOST];
    size_t late_count;
};

/* The client of a query; the context of responses. */
struct asker {
    struct outward_live *live;
    size_t responder;
    bool over_stream;
    struct sockaddr_in client;
    size_t connection;
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- sockets ---- */

static int open_socket(const char *address, int type, uint16_t port)
{
    struct sockaddr_in bound = {.sin_family = AF_INET, .sin_port = htons(port)};
    int handle = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;

    setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (handle >= 0 && inet_pton(AF_INET, address, &bound.sin_addr) == 1 &&
        bind(handle, (struct sockaddr *)&bound, sizeof bound) == 0 &&
        (type != SOCK_STREAM || listen(handle, CONNECTIONS_MOST) == 0))
        return handle;
    perror(address);
    abort();
}

static void close_handle(int *handle)
{
    if (*handle >= 0)
        close(*handle);
    *handle = -1;
}

static void open_or_close(int *handle, bool shall_listen, const char *address, int type)
{
    if (!shall_listen)
        close_handle(handle);
    else if (*handle < 0)
        *handle = open_socket(address, type, 53);
}

static void close_connections(struct outward_live *live, size_t responder)
{
    for (size_t i = 0; i < CONNECTIONS_MOST; i++)
        if (live->connections[i].responder == responder)
            close_handle(&live->connections[i].handle);
}

/* Opens and closes sockets as the responders' behaviour requires. */
static void apply_changes(struct outward_live *live)
{
    for (size_t i = 0; i < live->responders->count; i++) {
        const struct responder *responder = &live->responders->items[i];
        struct responder_sockets *sockets = &live->sockets[i];
        open_or_close(&sockets->udp, responder_listens(responder, false), responder->address,
                      SOCK_DGRAM);
        open_or_close(&sockets->tcp, responder_listens(responder, true), responder->address,
                      SOCK_STREAM);
        if (sockets->elsewhere < 0)
            sockets->elsewhere = open_socket(responder->address, SOCK_DGRAM, 0);
        if (sockets->tcp < 0)
            close_connections(live, i);
    }
    live->applied = live->wanted;
    uv_cond_signal(&live->was_applied);
}

/* ---- responses ---- */

static void send_stream(const struct connection *connection, const struct late *late)
{
    uint8_t head[FRAME_HEAD] = {(uint8_t)(late->length >> 8), (uint8_t)late->length};

    if (connection->handle < 0 || connection->serial != late->serial)
        return;
    if (send(connection->handle, head, sizeof head, MSG_NOSIGNAL | MSG_MORE) == sizeof head)
        (void)!send(connection->handle, late->octets, late->length, MSG_NOSIGNAL);
}

static void send_late(struct outward_live *live, const struct late *late)
{
    const struct responder_sockets *sockets = &live->sockets[late->responder];
    int handle = late->is_from_elsewhere ? sockets->elsewhere : sockets->udp;

    if (late->over_stream)
        send_stream(&live->connections[late->connection], late);
    else if (handle >= 0)
        sendto(handle, late->octets, late->length, 0, (const struct sockaddr *)&late->client,
               sizeof late->client);
}

static void on_reply(void *context, const struct responder_reply *reply)
{
    const struct asker *asker = context;
    struct outward_live *live = asker->live;

    if (live->late_count == LATE_MOST)
        return;
    struct late *late = &live->late[live->late_count++];
    *late = (struct late){
        .due_ms = now_ms() + reply->after_ms,
        .responder = asker->responder,
        .over_stream = asker->over_stream,
        .is_from_elsewhere = reply->is_from_elsewhere,
        .client = asker->client,
        .connection = asker->connection,
        .serial = live->connections[asker->connection].serial,
        .octets = malloc(reply->length),
        .length = reply->length,
    };
    memcpy(late->octets, reply->octets, reply->length);
}

/* Sends the responses that are due, in order. */
static void send_due(struct outward_live *live)
{
    uint64_t now = now_ms();
    size_t kept = 0;

    for (size_t i = 0; i < live->late_count; i++) {
        if (live->late[i].due_ms > now) {
            live->late[kept++] = live->late[i];
            continue;
        }
        send_late(live, &live->late[i]);
        free(live->late[i].octets);
    }
    live->late_count = kept;
}

static int time_to_wait(const struct outward_live *live)
{
    uint64_t next = UINT64_MAX, now = now_ms();

    for (size_t i = 0; i < live->late_count; i++)
        next = live->late[i].due_ms < next ? live->late[i].due_ms : next;
    if (next == UINT64_MAX)
        return FOREVER_MS;
    return next <= now ? 0 : (int)(next - now);
}

/* ---- queries ---- */

static void ask(struct asker *asker, const uint8_t *query, size_t length)
{
    struct responders *responders = asker->live->responders;

    responders_ask(responders, &responders->items[asker->responder],
                   &(struct responder_query){query, length, asker->over_stream}, on_reply, asker);
}

static void receive_datagram(struct outward_live *live, size_t responder)
{
    struct asker asker = {.live = live, .responder = responder};
    socklen_t size = sizeof asker.client;
    uint8_t query[QUERY_MOST];
    ssize_t got = recvfrom(live->sockets[responder].udp, query, sizeof query, MSG_DONTWAIT,
                           (struct sockaddr *)&asker.client, &size);

    if (got > 0)
        ask(&asker, query, (size_t)got);
}

static void accept_connection(struct outward_live *live, size_t responder)
{
    int handle = accept4(live->sockets[responder].tcp, NULL, NULL, SOCK_CLOEXEC);

    for (size_t i = 0; i < CONNECTIONS_MOST && handle >= 0; i++) {
        struct connection *connection = &live->connections[i];
        if (connection->handle >= 0)
            continue;
        connection->handle = handle;
        connection->serial = ++live->last_serial;
        connection->responder = responder;
        connection->length = 0;
        return;
    }
    close_handle(&handle);
}

/* Handles the complete frames, and moves the rest to the front. */
static void take_frames(struct outward_live *live, size_t number)
{
    struct connection *connection = &live->connections[number];
    struct asker asker = {.live = live,
                          .responder = connection->responder,
                          .over_stream = true,
                          .connection = number};
    size_t at = 0;

    while (connection->length - at >= FRAME_HEAD) {
        const uint8_t *frame = connection->octets + at;
        size_t length = (size_t)(frame[0] << 8 | frame[1]);
        if (connection->length - at < FRAME_HEAD + length)
            break;
        ask(&asker, frame + FRAME_HEAD, length);
        at += FRAME_HEAD + length;
    }
    connection->length -= at;
    memmove(connection->octets, connection->octets + at, connection->length);
}

static void receive_stream(struct outward_live *live, size_t number)
{
    struct connection *connection = &live->connections[number];
    ssize_t got = recv(connection->handle, connection->octets + connection->length,
                       sizeof connection->octets - connection->length, MSG_DONTWAIT);

    if (got <= 0) {
        close_handle(&connection->handle);
        return;
    }
    connection->length += (size_t)got;
    take_frames(live, number);
}

/* ---- the thread ---- */

/* The polled descriptors: the wake, then each responder's two sockets, then connections. */
static void list_polled(const struct outward_live *live, struct pollfd *polled)
{
    for (size_t i = 0; i < POLLED_MOST; i++)
        polled[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    polled[0].fd = live->wake;
    for (size_t i = 0; i < live->responders->count; i++) {
        polled[1 + 2 * i].fd = live->sockets[i].udp;
        polled[2 + 2 * i].fd = live->sockets[i].tcp;
    }
    for (size_t i = 0; i < CONNECTIONS_MOST; i++)
        polled[1 + 2 * RESPONDERS_MOST + i].fd = live->connections[i].handle;
}

static void handle_polled(struct outward_live *live, const struct pollfd *polled)
{
    uint64_t count;

    if (polled[0].revents != 0)
        (void)!read(live->wake, &count, sizeof count);
    for (size_t i = 0; i < live->responders->count; i++) {
        if (polled[1 + 2 * i].revents != 0)
            receive_datagram(live, i);
        if (polled[2 + 2 * i].revents != 0)
            accept_connection(live, i);
    }
    for (size_t i = 0; i < CONNECTIONS_MOST; i++)
        if (polled[1 + 2 * RESPONDERS_MOST + i].revents != 0)
            receive_stream(live, i);
}

static void serve(void *context)
{
    struct outward_live *live = context;
    struct pollfd polled[POLLED_MOST];

    uv_mutex_lock(&live->lock);
    while (!live->is_ending) {
        apply_changes(live);
        send_due(live);
        list_polled(live, polled);
        int wait_ms = time_to_wait(live);
        uv_mutex_unlock(&live->lock);
        int count = poll(polled, POLLED_MOST, wait_ms);
        uv_mutex_lock(&live->lock);
        if (count > 0)
            handle_polled(live, polled);
    }
    uv_mutex_unlock(&live->lock);
}

static void wake(struct outward_live *live)
{
    uint64_t one = 1;

    (void)!write(live->wake, &one, sizeof one);
}

struct outward_live *outward_live_new(struct responders *responders)
{
    struct outward_live *live = calloc(1, sizeof *live);

    live->responders = responders;
    live->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (size_t i = 0; i < RESPONDERS_MOST; i++)
        live->sockets[i] = (struct responder_sockets){-1, -1, -1};
    for (size_t i = 0; i < CONNECTIONS_MOST; i++)
        live->connections[i].handle = -1;
    uv_mutex_init(&live->lock);
    uv_cond_init(&live->was_applied);
    if (live->wake < 0 || uv_thread_create(&live->thread, serve, live) != 0) {
        perror("cannot play the upstreams");
        free(live);
        return NULL;
    }
    outward_live_hold(live);
    outward_live_release(live);
    return live;
}

void outward_live_hold(struct outward_live *live)
{
    uv_mutex_lock(&live->lock);
}

void outward_live_release(struct outward_live *live)
{
    unsigned wanted = ++live->wanted;

    wake(live);
    while (live->applied < wanted)
        uv_cond_wait(&live->was_applied, &live->lock);
    uv_mutex_unlock(&live->lock);
}

void outward_live_free(struct outward_live *live)
{
    if (live == NULL)
        return;
    uv_mutex_lock(&live->lock);
    live->is_ending = true;
    uv_mutex_unlock(&live->lock);
    wake(live);
    uv_thread_join(&live->thread);
    for (size_t i = 0; i < RESPONDERS_MOST; i++) {
        close_handle(&live->sockets[i].udp);
        close_handle(&live->sockets[i].tcp);
        close_handle(&live->sockets[i].elsewhere);
        close_connections(live, i);
    }
    for (size_t i = 0; i < live->late_count; i++)
        free(live->late[i].octets);
    close(live->wake);
    uv_cond_destroy(&live->was_applied);
    uv_mutex_destroy(&live->lock);
    free(live);
}

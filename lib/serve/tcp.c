#include "serve/tcp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "decide/client.h"
#include "serve/pass.h"
#include "serve/socket.h"
#include "serve/tcp_acceptor.h"
#include "serve/tcp_connection.h"
#include "serve/tcp_places.h"

enum {
    PAGE = 4096,
    INPUT_ROOM = (TCP_INPUT_OCTETS + PAGE - 1) / PAGE * PAGE,
    OUTPUT_ROOM = (TCP_OUTPUT_OCTETS + PAGE - 1) / PAGE * PAGE,
    ROOM = INPUT_ROOM + OUTPUT_ROOM,
    /* A slot becomes free only in the loop's next turn, so some are spare. */
    SPARE_SLOTS = TCP_ACCEPTS_MOST,
    LAST_MS = 1000,
    TICK_LEAST_MS = 25,
    TICK_MOST_MS = 1000,
};

/* ---- closing ---- */

static void on_closed(uv_handle_t *handle)
{
    struct tcp_connection *connection = handle->data;
    struct tcp *tcp = connection->tcp;

    if (connection->has_used_room)
        madvise(connection->input, ROOM, MADV_DONTNEED);
    TAILQ_INSERT_HEAD(&tcp->free, connection, link);
}

static void close_handles(struct tcp *tcp)
{
    uv_close((uv_handle_t *)&tcp->timer, NULL);
    uv_close((uv_handle_t *)&tcp->turn, NULL);
}

void tcp_drop(struct tcp_connection *connection, enum counter cause)
{
    struct tcp *tcp = connection->tcp;

    assert(!uv_is_closing((const uv_handle_t *)&connection->poll));
    tcp_forget_lone_query(connection);
    tcp_places_leave(connection);
    connection->serial++; /* late replies are no longer for this slot */
    uv_close((uv_handle_t *)&connection->poll, on_closed);
    close(connection->descriptor); /* uv_close has stopped watching it */
    stats_count(tcp->batch->stats, COUNTER_TCP_CLOSED, 1);
    if (cause != COUNTER_TCP_CLOSED)
        stats_count(tcp->batch->stats, cause, 1);
    if (tcp->is_stopping && tcp->open_count == 0)
        close_handles(tcp);
}

/* ---- time ---- */

static bool is_idle(const struct tcp_connection *connection, uint64_t limit_ms)
{
    return connection != NULL && uv_now(connection->tcp->loop) - connection->active_ms >= limit_ms;
}

/*
 * Closes idle connections, unless a query has arrived: timers run first in a turn, and a late one
 * finds queries unread. A connection that waits for a reply is not idle (RFC 7766 section 6.2.3);
 * an upstream's timeout bounds the wait. Every iteration drops a connection or makes it the newest.
 */
static void drop_idle_of(const struct tcp_places *places, uint64_t limit_ms)
{
    struct tcp_connection *connection;

    while (is_idle(connection = TAILQ_FIRST(&places->by_activity), limit_ms)) {
        if (limit_ms > 0 && connection->awaited > 0)
            tcp_places_touch(connection);
        else if (limit_ms > 0)
            tcp_connection_read_now(connection);
        if (TAILQ_FIRST(&places->by_activity) == connection && is_idle(connection, limit_ms))
            tcp_drop(connection, COUNTER_TCP_IDLE);
    }
}

static void drop_idle(const struct tcp *tcp, uint64_t limit_ms)
{
    for (unsigned kind = 0; kind < TCP_KINDS; kind++)
        drop_idle_of(&tcp->places[kind], limit_ms);
}

static void tcp_on_tick(uv_timer_t *timer)
{
    struct tcp *tcp = timer->data;

    if (tcp->is_stopping) {
        drop_idle(tcp, 0);
        return;
    }
    drop_idle(tcp, tcp->limits.idle_ms);
    tcp_acceptor_resume_all(tcp);
    if (tcp->open_count == 0 && tcp->paused == NULL)
        uv_timer_stop(timer);
}

void tcp_start_ticking(struct tcp *tcp)
{
    uint64_t tick = tcp->limits.idle_ms / 4;

    if (uv_is_active((const uv_handle_t *)&tcp->timer))
        return;
    tick = tick < TICK_LEAST_MS ? TICK_LEAST_MS : tick > TICK_MOST_MS ? TICK_MOST_MS : tick;
    uv_timer_start(&tcp->timer, tcp_on_tick, tick, tick);
}

/* ---- connections ---- */

/* The high half of an IPv6 address, or an IPv4 address: no such half in use equals one. */
static uint64_t network_of(const struct endpoint *client)
{
    const uint8_t *octets = client->v6.sin6_addr.s6_addr;

    if (client->any.sa_family == AF_INET)
        return ntohl(client->v4.sin_addr.s_addr);
    if (IN6_IS_ADDR_V4MAPPED(&client->v6.sin6_addr))
        return load32(octets + 12);
    return (uint64_t)load32(octets) << 32 | load32(octets + 4);
}

static bool is_outside(const struct tcp *tcp, const struct path *path)
{
    struct client client;

    client_classify(tcp->batch->snapshot, path, &client);
    return client.count == 0;
}

/* Of an IPv4 client; others are outside whatever they come by. */
static uint32_t find_interface(const struct endpoint *client, int descriptor)
{
    return client->any.sa_family == AF_INET ? socket_find_interface(descriptor) : 0;
}

/* Fills in a free connection. */
static void begin_connection(struct tcp_connection *connection, int descriptor,
                             const struct endpoint *client, uint32_t destination)
{
    struct tcp *tcp = connection->tcp;

    *connection = (struct tcp_connection){
        .carrier = tcp_carrier,
        .tcp = tcp,
        .descriptor = descriptor,
        .client = *client,
        .network = network_of(client),
        .path = {.destination = destination, .interface = find_interface(client, descriptor)},
        .link = connection->link,
        .active_ms = uv_now(tcp->loop),
        .input = connection->input,
        .output = connection->output,
        .serial = connection->serial};
    path_set_source(&connection->path, client);
    connection->places =
        &tcp->places[is_outside(tcp, &connection->path) ? TCP_OUTSIDERS : TCP_INSIDERS];
}

static bool refuse(struct tcp *tcp, int descriptor)
{
    close(descriptor);
    stats_count(tcp->batch->stats, COUNTER_TCP_REFUSED, 1);
    return false;
}

bool tcp_adopt(struct tcp *tcp, int descriptor, const struct endpoint *client, uint32_t destination)
{
    struct tcp_connection *connection = TAILQ_FIRST(&tcp->free);

    if (connection == NULL)
        return refuse(tcp, descriptor);
    begin_connection(connection, descriptor, client, destination);
    if (!tcp_places_make_room(connection) ||
        uv_poll_init(tcp->loop, &connection->poll, descriptor) != 0)
        return refuse(tcp, descriptor);
    connection->poll.data = connection;
    TAILQ_REMOVE(&tcp->free, connection, link);
    tcp_places_take(connection);
    stats_count(tcp->batch->stats, COUNTER_TCP_ACCEPTED, 1);
    tcp_connection_start(connection);
    tcp_start_ticking(tcp);
    return true;
}

/* ---- life ---- */

static void tcp_on_turn(uv_check_t *turn)
{
    tcp_answer_lone_queries(turn->data);
}

bool tcp_init(struct tcp *tcp, uv_loop_t *loop, struct batch *batch,
              const struct tcp_limits *limits, struct err *err)
{
    const uint32_t *connections = limits->connections;
    size_t count = (size_t)connections[TCP_INSIDERS] + connections[TCP_OUTSIDERS] + SPARE_SLOTS;

    *tcp = (struct tcp){.loop = loop,
                        .batch = batch,
                        .limits = *limits,
                        .pool_count = count,
                        .key = hash_key_random()};
    TAILQ_INIT(&tcp->free);
    for (unsigned kind = 0; kind < TCP_KINDS; kind++)
        TAILQ_INIT(&tcp->places[kind].by_activity);
    tcp->pool = calloc(count, sizeof *tcp->pool);
    tcp->input = malloc(TCP_SHARED_INPUT_OCTETS);
    tcp->output = malloc(TCP_OUTPUT_OCTETS);
    void *room = mmap(NULL, count * ROOM, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    tcp->room = room == MAP_FAILED ? NULL : room;
    if (tcp->pool == NULL || tcp->input == NULL || tcp->output == NULL || tcp->room == NULL) {
        tcp_close(tcp);
        return err_set(err, ERR_MEMORY,
                       "no memory for %u TCP connections per worker; lower tcp_connections",
                       (unsigned)(count - SPARE_SLOTS));
    }
    for (size_t i = count; i-- > 0;) {
        struct tcp_connection *connection = &tcp->pool[i];
        *connection = (struct tcp_connection){.tcp = tcp};
        connection->input = tcp->room + i * ROOM;
        connection->output = connection->input + INPUT_ROOM;
        TAILQ_INSERT_HEAD(&tcp->free, connection, link);
    }
    uv_timer_init(loop, &tcp->timer);
    tcp->timer.data = tcp;
    uv_check_init(loop, &tcp->turn);
    tcp->turn.data = tcp;
    uv_check_start(&tcp->turn, tcp_on_turn);
    return true;
}

void tcp_close(struct tcp *tcp)
{
    if (tcp->room != NULL)
        munmap(tcp->room, tcp->pool_count * ROOM);
    free(tcp->pool);
    free(tcp->input);
    free(tcp->output);
    *tcp = (struct tcp){.loop = NULL};
}

/* ---- handing over ---- */

/* Hands over a connection without unfinished work. Returns false when the channel takes no more. */
static bool hand_over(struct tcp_connection *connection, int channel)
{
    static const char scheme = 'T'; /* a message needs an octet */

    if (!pass_send(channel, &scheme, sizeof scheme, &connection->descriptor, 1))
        return false;
    tcp_drop(connection, COUNTER_TCP_HANDED_OVER);
    return true;
}

static void hand_over_all(const struct tcp_places *places, int channel)
{
    struct tcp_connection *next;

    for (struct tcp_connection *each = TAILQ_FIRST(&places->by_activity); each != NULL;
         each = next) {
        next = TAILQ_NEXT(each, link);
        if (tcp_connection_is_at_rest(each) && !hand_over(each, channel))
            break;
    }
}

size_t tcp_hand_over(struct tcp *tcp, int channel)
{
    tcp_answer_lone_queries(tcp);
    for (unsigned kind = 0; kind < TCP_KINDS; kind++)
        hand_over_all(&tcp->places[kind], channel);
    return tcp->open_count;
}

bool tcp_take_over(struct tcp *tcp, int descriptor)
{
    struct endpoint client = {.v6 = {0}};
    socklen_t octets = sizeof client;

    if (getpeername(descriptor, &client.any, &octets) == 0)
        return tcp_adopt(tcp, descriptor, &client, socket_find_own_address(descriptor));
    close(descriptor); /* the client has gone meanwhile */
    return false;
}

/* ---- the end ---- */

static void end_all(const struct tcp_places *places)
{
    struct tcp_connection *next;

    for (struct tcp_connection *each = TAILQ_FIRST(&places->by_activity); each != NULL;
         each = next) {
        next = TAILQ_NEXT(each, link);
        tcp_connection_end(each);
    }
}

void tcp_stop(struct tcp *tcp)
{
    tcp->paused = NULL;
    tcp_answer_lone_queries(tcp); /* so that closing one connection closes no other */
    for (unsigned kind = 0; kind < TCP_KINDS; kind++)
        end_all(&tcp->places[kind]);
    tcp->is_stopping = true;
    if (tcp->open_count == 0)
        close_handles(tcp);
    else
        uv_timer_start(&tcp->timer, tcp_on_tick, LAST_MS, 0);
}

// forks: its tests leave something behind
#include "serve/tcp.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/pass.h"
#include "serve/socket.h"
#include "serve/tcp_acceptor.h"
#include "serve/tcp_connection.h"
#include "support/request.h"
#include "support/serving.h"
#include "support/suite.h"
#include "support/world.h"

enum { TURNS_MOST = 2000, STREAM_MOST = 1 << 20 };

/* One worker's TCP, and the far ends of connections to it. */
static struct scene {
    struct serving serving;
    struct tcp tcp;
    void *fence; /* NULL, or memory that has the shared input, before inaccessible memory */
    size_t fenced_octets;
    bool has_ended;
} scene;

static struct endpoint client_of(const char *address)
{
    struct endpoint client;

    ck_assert(endpoint_read(address, 40000, &client));
    return client;
}

static void begin(uint32_t connections, uint32_t per_client)
{
    const struct tcp_limits limits = {
        .connections = {connections, connections}, .per_client = per_client, .idle_ms = 10000};
    struct err err;

    scene = (struct scene){.fence = NULL};
    serving_init(&scene.serving);
    ck_assert(tcp_init(&scene.tcp, &scene.serving.loop, &scene.serving.batch, &limits, &err));
}

/* Without a snapshot every client is an outsider. */
static struct tcp_connection *oldest(void)
{
    return TAILQ_FIRST(&scene.tcp.places[TCP_OUTSIDERS].by_activity);
}

static struct tcp_connection *newest(void)
{
    return TAILQ_LAST(&scene.tcp.places[TCP_OUTSIDERS].by_activity, tcp_connections);
}

static void end(void)
{
    scene.has_ended = true;
    tcp_stop(&scene.tcp);
    serving_close(&scene.serving);
    if (scene.fence != NULL) {
        scene.tcp.input = NULL;
        munmap(scene.fence, 2 * scene.fenced_octets);
    }
    tcp_close(&scene.tcp);
}

static void tear_down(void)
{
    if (!scene.has_ended)
        end();
}

/* Connects a client; returns its end of the connection. */
static int enter_as(const char *address)
{
    struct endpoint client = client_of(address);
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    ck_assert(tcp_adopt(&scene.tcp, ends[1], &client, 0x0a000002));
    return ends[0];
}

static int enter(void)
{
    return enter_as("10.0.130.56");
}

static void turn(void)
{
    serving_turn(&scene.serving);
}

/* Appends one framed query. */
static size_t add_query(uint8_t *stream, size_t length, uint16_t id)
{
    size_t octets = serving_query(id, stream + length + TCP_FRAME_OCTETS);

    store16(stream + length, (uint16_t)octets);
    return length + TCP_FRAME_OCTETS + octets;
}

static void put(int client, const void *octets, size_t length)
{
    ck_assert_int_eq(send(client, octets, length, 0), (ssize_t)length);
}

static void put_query(int client, uint16_t id)
{
    uint8_t stream[512];

    put(client, stream, add_query(stream, 0, id));
}

/* Takes the next whole reply and returns its id; -1: there is none yet, -2: the end. */
static int take_reply(int client)
{
    uint8_t frame[TCP_FRAME_OCTETS + 512];
    ssize_t got = recv(client, frame, sizeof frame, MSG_PEEK);

    if (got <= 0)
        return got == 0 ? -2 : -1;
    if (got < TCP_FRAME_OCTETS || got < TCP_FRAME_OCTETS + load16(frame))
        return -1;
    ck_assert_int_gt(recv(client, frame, TCP_FRAME_OCTETS + load16(frame), 0), 0);
    ck_assert_uint_eq(frame[TCP_FRAME_OCTETS + 2] & 0x80, 0x80);
    return load16(frame + TCP_FRAME_OCTETS);
}

FIXTURE(NULL, tear_down)

TEST(one_query_gets_one_reply)
{
    begin(4, 4);
    int client = enter();
    put_query(client, 77);
    turn();
    ck_assert_int_eq(take_reply(client), 77);
    ck_assert_int_eq(take_reply(client), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_REQUESTS), 1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_REPLIES), 1);
    close(client);
}

TEST(single_queries_of_many_connections_are_answered_together)
{
    enum { CLIENTS = 70 }; /* more than one batch */
    int clients[CLIENTS];

    begin(CLIENTS, CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = enter();
        put_query(clients[i], (uint16_t)(i + 1));
    }
    turn();
    for (unsigned i = 0; i < CLIENTS; i++) {
        ck_assert_int_eq(take_reply(clients[i]), (int)i + 1);
        ck_assert_int_eq(take_reply(clients[i]), -1);
        close(clients[i]);
    }
}

TEST(one_that_has_gone_as_the_last_of_a_full_batch_is_closed_once)
{
    int clients[BATCH_MOST];

    begin(BATCH_MOST, BATCH_MOST);
    for (unsigned i = 0; i < BATCH_MOST; i++) {
        clients[i] = enter();
        put_query(clients[i], (uint16_t)(i + 1));
    }
    close(clients[BATCH_MOST - 1]); /* its reply is not read */
    turn();
    turn();
    ck_assert_uint_eq(scene.tcp.open_count, BATCH_MOST - 1);
    for (unsigned i = 0; i < BATCH_MOST - 1; i++) {
        ck_assert_int_eq(take_reply(clients[i]), (int)i + 1);
        close(clients[i]);
    }
}

/* Events that may come between reading a query and the end of the turn. */
TEST(a_query_that_waits_is_answered_before_its_connection_makes_way)
{
    begin(2, 2);
    int first = enter(), second = enter();
    struct tcp_connection *gone = oldest();
    put_query(first, 1);
    put_query(second, 2);
    tcp_connection_serve(gone);
    tcp_connection_serve(TAILQ_NEXT(gone, link));
    ck_assert_uint_eq(scene.tcp.lone_query_count, 2);
    int third = enter(); /* evicts the first */
    ck_assert_uint_eq(scene.tcp.lone_query_count, 0);
    turn();
    ck_assert_int_eq(take_reply(first), 1);
    ck_assert_int_eq(take_reply(first), -2);
    ck_assert_int_eq(take_reply(second), 2);
    close(first), close(second), close(third);
}

TEST(a_connection_closed_within_the_turn_cancels_its_query)
{
    begin(2, 2);
    int first = enter(), second = enter();
    struct tcp_connection *gone = oldest();
    put_query(first, 1);
    put_query(second, 2);
    tcp_connection_serve(gone);
    tcp_connection_serve(TAILQ_NEXT(gone, link));
    tcp_drop(gone, COUNTER_TCP_IDLE);
    turn();
    ck_assert_int_eq(take_reply(first), -2);
    ck_assert_int_eq(take_reply(second), 2);
    close(first), close(second);
}

/* Puts the shared input before inaccessible memory: reading beyond its end fails. */
static void fence(size_t octets)
{
    uint8_t *memory =
        mmap(NULL, 2 * octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + octets, octets, PROT_NONE), 0);
    free(scene.tcp.input);
    scene.tcp.input = memory + octets - TCP_SHARED_INPUT_OCTETS;
    scene.fence = memory;
    scene.fenced_octets = octets;
}

/* The largest query that waits for the end of the turn. */
static void put_long_query(int client, uint16_t id)
{
    uint8_t stream[TCP_LONE_QUERY_OCTETS] = {0};

    store16(stream, TCP_LONE_QUERY_OCTETS - TCP_FRAME_OCTETS);
    store16(stream + TCP_FRAME_OCTETS, id); /* a question count of 0 is FORMERR */
    put(client, stream, sizeof stream);
}

TEST(queries_of_closed_connections_leave_room_for_the_next_read)
{
    enum { GONE = 40, LONG = 65000, FENCED = 1 << 18 };
    static uint8_t half[LONG] = {0xff, 0xff};
    int clients[2 * GONE];

    begin(2 * GONE + 1, 2 * GONE + 1);
    fence(FENCED);
    for (unsigned i = 0; i < 2 * GONE; i++) {
        clients[i] = enter();
        put_long_query(clients[i], (uint16_t)i);
        tcp_connection_serve(newest());
        if (i < GONE)
            tcp_drop(newest(), COUNTER_TCP_IDLE);
    }
    int last = enter();
    struct tcp_connection *connection = newest();
    put(last, half, sizeof half);
    tcp_connection_serve(connection);
    ck_assert(!connection->has_failed);
    ck_assert_uint_eq(connection->held, LONG);
    turn();
    for (unsigned i = 0; i < 2 * GONE; i++) {
        ck_assert_int_eq(take_reply(clients[i]), i < GONE ? -2 : (int)i);
        close(clients[i]);
    }
    close(last);
}

TEST(a_frame_may_come_in_any_two_pieces)
{
    uint8_t stream[1024];
    size_t length = add_query(stream, add_query(stream, 0, 1), 2);

    begin(4, 4);
    int client = enter();
    for (size_t cut = 1; cut < length; cut++) {
        put(client, stream, cut);
        turn();
        put(client, stream + cut, length - cut);
        turn();
        ck_assert_int_eq(take_reply(client), 1);
        ck_assert_int_eq(take_reply(client), 2);
        ck_assert_int_eq(take_reply(client), -1);
    }
    close(client);
}

TEST(a_frame_may_come_octet_by_octet)
{
    uint8_t stream[512];
    size_t length = add_query(stream, 0, 9);

    begin(4, 4);
    int client = enter();
    for (size_t i = 0; i < length; i++) {
        ck_assert_int_eq(take_reply(client), -1);
        put(client, stream + i, 1);
        turn();
    }
    ck_assert_int_eq(take_reply(client), 9);
    close(client);
}

TEST(pipelined_queries_are_answered_in_order_by_one_write)
{
    static uint8_t stream[64 << 10], replies[STREAM_MOST];
    size_t length = 0;

    begin(4, 4);
    int client = enter();
    for (uint16_t id = 1; id <= 300; id++)
        length = add_query(stream, length, id);
    put(client, stream, length);
    turn();
    /* A stream socket does not keep writes apart, so it only matters that all replies are there. */
    ssize_t got = recv(client, replies, sizeof replies, 0);
    ck_assert_int_gt(got, 0);
    size_t at = 0;
    for (uint16_t id = 1; id <= 300; id++) {
        ck_assert_uint_lt(at + 4, (size_t)got);
        ck_assert_uint_eq(load16(replies + at + 2), id);
        at += TCP_FRAME_OCTETS + load16(replies + at);
    }
    ck_assert_uint_eq(at, (size_t)got);
    close(client);
}

TEST(an_unfinished_frame_behind_whole_ones_is_kept)
{
    uint8_t stream[1024];
    size_t first = add_query(stream, 0, 1), both = add_query(stream, first, 2);

    begin(4, 4);
    int client = enter();
    put(client, stream, first + 7);
    turn();
    ck_assert_int_eq(take_reply(client), 1);
    ck_assert_int_eq(take_reply(client), -1);
    put(client, stream + first + 7, both - first - 7);
    turn();
    ck_assert_int_eq(take_reply(client), 2);
    close(client);
}

TEST(the_largest_frame_is_read_and_answered)
{
    static uint8_t stream[TCP_FRAME_OCTETS + 65535];
    size_t sent = 0;

    begin(4, 4);
    int client = enter();
    memset(stream, 0, sizeof stream);
    store16(stream, 65535);
    stream[TCP_FRAME_OCTETS + 1] = 5; /* the id; a question count of 0 is FORMERR */
    for (unsigned turns = 0; sent < sizeof stream && turns < TURNS_MOST; turns++) {
        ssize_t got = send(client, stream + sent, sizeof stream - sent, 0);
        sent += got > 0 ? (size_t)got : 0;
        turn();
    }
    turn();
    ck_assert_int_eq(take_reply(client), 5);
    close(client);
}

TEST(a_client_that_has_sent_everything_still_gets_its_answers)
{
    uint8_t stream[1024];

    begin(4, 4);
    int client = enter();
    put(client, stream, add_query(stream, add_query(stream, 0, 1), 2));
    shutdown(client, SHUT_WR);
    turn();
    turn();
    ck_assert_int_eq(take_reply(client), 1);
    ck_assert_int_eq(take_reply(client), 2);
    ck_assert_int_eq(take_reply(client), -2);
    ck_assert_uint_eq(scene.tcp.open_count, 0);
    close(client);
}

TEST(a_frame_of_no_octets_ends_the_connection_after_what_came_before)
{
    uint8_t stream[1024];
    size_t length = add_query(stream, 0, 1);

    begin(4, 4);
    int client = enter();
    store16(stream + length, 0);
    length = add_query(stream, length + TCP_FRAME_OCTETS, 2);
    put(client, stream, length);
    turn();
    ck_assert_int_eq(take_reply(client), 1);
    ck_assert_int_eq(take_reply(client), -2);
    close(client);
}

TEST(the_eighth_frame_that_cannot_be_answered_ends_the_connection)
{
    static const uint8_t frame[] = {0, 3, 1, 2, 3}; /* shorter than a header */

    begin(4, 4);
    int client = enter();
    for (unsigned i = 0; i + 1 < TCP_IGNORED_MOST; i++)
        put(client, frame, sizeof frame);
    put_query(client, 4);
    turn();
    ck_assert_int_eq(take_reply(client), 4);
    put(client, frame, sizeof frame);
    turn();
    ck_assert_int_eq(take_reply(client), -2);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_ABUSED), 1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_DROPPED), TCP_IGNORED_MOST);
    close(client);
}

TEST(a_client_that_never_reads_is_not_read_from)
{
    static uint8_t stream[64 << 10];
    size_t length = 0, sent = 0;
    unsigned stuck = 0;

    begin(4, 4);
    int client = enter();
    for (uint16_t id = 1; length + 512 < sizeof stream; id++)
        length = add_query(stream, length, id);
    /* Both directions are full: the server holds one output buffer of replies and no more. */
    while (stuck < 50 && sent < (64 << 20)) {
        ssize_t got = send(client, stream, length, 0);
        sent += got > 0 ? (size_t)got : 0;
        stuck = got > 0 ? 0 : stuck + 1;
        turn();
    }
    ck_assert_uint_eq(stuck, 50);
    ck_assert_uint_lt(oldest()->unsent, oldest()->unsent_end);
    ck_assert_uint_le(oldest()->unsent_end, TCP_OUTPUT_OCTETS);
    close(client);
}

/* Sends `count` queries as the connection takes them, and reads replies in small pieces. */
static void talk_slowly(int client, unsigned count)
{
    static uint8_t stream[STREAM_MOST], replies[STREAM_MOST];
    size_t length = 0, sent = 0, taken = 0, at = 0;
    unsigned next = 1;

    for (unsigned id = 1; id <= count; id++)
        length = add_query(stream, length, (uint16_t)id);
    for (unsigned idle = 0; next <= count && idle < TURNS_MOST; idle++) {
        ssize_t got = send(client, stream + sent, length - sent, 0);
        sent += got > 0 ? (size_t)got : 0;
        turn();
        got = recv(client, replies + taken, 1000, 0);
        taken += got > 0 ? (size_t)got : 0;
        while (taken - at > TCP_FRAME_OCTETS &&
               taken - at >= (size_t)TCP_FRAME_OCTETS + load16(replies + at)) {
            ck_assert_uint_eq(load16(replies + at + TCP_FRAME_OCTETS), next++);
            at += TCP_FRAME_OCTETS + load16(replies + at);
            idle = 0;
        }
    }
    ck_assert_uint_eq(next, count + 1);
}

TEST(a_slow_reader_gets_every_reply_in_order)
{
    int small = 4096;

    begin(4, 4);
    int client = enter();
    setsockopt(oldest()->descriptor, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    talk_slowly(client, 8000);
    close(client);
}

TEST(over_a_clients_limit_its_own_oldest_is_evicted)
{
    begin(8, 2);
    int other = enter_as("10.0.130.9");
    int first = enter_as("10.0.130.56"), second = enter_as("10.0.130.56");
    put_query(first, 1);
    turn();
    int third = enter_as("10.0.130.56");
    turn();
    ck_assert_int_eq(take_reply(first), 1);
    ck_assert_int_eq(take_reply(second), -2);
    ck_assert_int_eq(take_reply(other), -1);
    ck_assert_int_eq(take_reply(third), -1);
    ck_assert_uint_eq(scene.tcp.open_count, 3);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_EVICTED), 1);
    close(first), close(second), close(third), close(other);
}

TEST(over_the_total_limit_the_oldest_is_evicted)
{
    begin(2, 2);
    int first = enter_as("10.0.130.1"), second = enter_as("10.0.130.2");
    put_query(first, 1);
    turn();
    int third = enter_as("10.0.130.3");
    ck_assert_int_eq(take_reply(first), 1);
    ck_assert_int_eq(take_reply(second), -2);
    ck_assert_uint_eq(scene.tcp.open_count, 2);
    close(first), close(second), close(third);
}

TEST(outsiders_and_clients_of_spaces_never_evict_each_other)
{
    struct world world;
    int outside[3], inside[3];

    world_init_fixture(&world);
    begin(2, 2);
    scene.serving.batch.snapshot = world.snapshot;
    for (size_t i = 0; i < 2; i++) {
        outside[i] = enter_as(i == 0 ? "203.0.113.9" : "2001:db8::1");
        inside[i] = enter_as(i == 0 ? "10.0.130.56" : "10.0.130.57");
    }
    outside[2] = enter_as("192.0.2.1");
    ck_assert_int_eq(take_reply(outside[0]), -2);
    ck_assert_int_eq(take_reply(inside[0]), -1);
    inside[2] = enter_as("10.0.130.58");
    ck_assert_int_eq(take_reply(inside[0]), -2);
    for (size_t i = 1; i < 3; i++) {
        ck_assert_int_eq(take_reply(outside[i]), -1);
        ck_assert_int_eq(take_reply(inside[i]), -1);
    }
    ck_assert_uint_eq(scene.tcp.places[TCP_INSIDERS].count, 2);
    ck_assert_uint_eq(scene.tcp.places[TCP_OUTSIDERS].count, 2);
    for (size_t i = 0; i < 3; i++)
        close(outside[i]), close(inside[i]);
    end();
    world_close(&world);
}

/* A client that fills all places evicts its own, however idle another's few are. */
TEST(the_client_with_the_most_connections_is_evicted_first)
{
    int quiet, many[6];

    begin(4, 4);
    quiet = enter_as("10.0.130.1");
    for (size_t i = 0; i < 6; i++)
        many[i] = enter_as("10.0.130.2");
    ck_assert_int_eq(take_reply(quiet), -1);
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(take_reply(many[i]), i < 3 ? -2 : -1);
    int late = enter_as("10.0.130.3");
    ck_assert_int_eq(take_reply(quiet), -1);
    ck_assert_int_eq(take_reply(many[3]), -2);
    close(quiet), close(late);
    for (size_t i = 0; i < 6; i++)
        close(many[i]);
}

TEST(a_clients_limit_counts_all_addresses_of_an_ipv6_network)
{
    begin(8, 2);
    int first = enter_as("2001:db8::1"), second = enter_as("2001:db8::2:0:0:1");
    int other = enter_as("2001:db8:0:1::1");
    int mapped = enter_as("::ffff:192.0.2.1"), alike = enter_as("192.0.2.1");
    int near = enter_as("::ffff:192.0.2.2");
    ck_assert_uint_eq(scene.tcp.open_count, 6);
    int third = enter_as("2001:db8::ffff:ffff:ffff:ffff");
    ck_assert_int_eq(take_reply(first), -2);
    ck_assert_uint_eq(scene.tcp.open_count, 6);
    int fourth = enter_as("192.0.2.1");
    ck_assert_int_eq(take_reply(mapped), -2);
    ck_assert_uint_eq(scene.tcp.open_count, 6);
    close(first), close(second), close(third), close(fourth);
    close(other), close(mapped), close(alike), close(near);
}

TEST(many_newcomers_at_once_never_break_the_limit)
{
    int clients[16];

    begin(1, 1);
    for (unsigned i = 0; i < 16; i++) {
        clients[i] = enter();
        ck_assert_uint_eq(scene.tcp.open_count, 1);
    }
    for (unsigned i = 0; i < 15; i++)
        ck_assert_int_eq(take_reply(clients[i]), -2);
    for (unsigned i = 0; i < 16; i++)
        close(clients[i]);
}

/* The test does not wait: it makes the connection older instead. */
static void age(struct tcp_connection *connection, uint64_t ms)
{
    connection->active_ms -= ms;
}

TEST(an_idle_connection_is_closed_and_half_a_frame_is_idle)
{
    uint8_t stream[512];

    begin(4, 4);
    int idle = enter(), half = enter(), busy = enter();
    put(busy, stream, add_query(stream, 0, 3));
    put(half, stream, 5);
    uv_update_time(&scene.serving.loop);
    turn();
    for (struct tcp_connection *each = oldest(); each != NULL; each = TAILQ_NEXT(each, link))
        if (TAILQ_NEXT(each, link) != NULL)
            age(each, 10000);
    uv_timer_start(&scene.tcp.timer, scene.tcp.timer.timer_cb, 0, 1000);
    turn();
    ck_assert_int_eq(take_reply(idle), -2);
    ck_assert_int_eq(take_reply(half), -2);
    ck_assert_int_eq(take_reply(busy), 3);
    ck_assert_int_eq(take_reply(busy), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_IDLE), 2);
    close(idle), close(half), close(busy);
}

TEST(a_connection_whose_query_is_unread_is_not_idle)
{
    begin(4, 4);
    int client = enter();
    put_query(client, 3);
    uv_update_time(&scene.serving.loop);
    age(oldest(), 10000);
    scene.tcp.timer.timer_cb(&scene.tcp.timer); /* before the loop has read the query */
    turn();
    ck_assert_int_eq(take_reply(client), 3);
    ck_assert_int_eq(take_reply(client), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_IDLE), 0);
    close(client);
}

TEST(a_connection_to_which_a_reply_is_due_is_not_idle)
{
    begin(4, 4);
    int client = enter();
    uv_update_time(&scene.serving.loop);
    oldest()->awaited = 1;
    age(oldest(), 10000);
    scene.tcp.timer.timer_cb(&scene.tcp.timer);
    turn();
    ck_assert_int_eq(take_reply(client), -1);
    oldest()->awaited = 0;
    age(oldest(), 10000);
    scene.tcp.timer.timer_cb(&scene.tcp.timer);
    turn();
    ck_assert_int_eq(take_reply(client), -2);
    close(client);
}

/* The limits, and the third client; the first awaits a reply, so the second is evicted. */
static const struct {
    uint32_t connections, per_client;
    const char *incoming;
} evictions[] = {{8, 2, "10.0.130.56"}, {2, 2, "10.0.130.3"}};

TEST_OVER(one_without_a_due_reply_is_evicted_before_an_older_one, evictions)
{
    begin(evictions[_i].connections, evictions[_i].per_client);
    int first = enter(), second = enter();
    oldest()->awaited = 1;
    int third = enter_as(evictions[_i].incoming);
    ck_assert_int_eq(take_reply(first), -1);
    ck_assert_int_eq(take_reply(second), -2);
    /* When all await one, the oldest is evicted. */
    newest()->awaited = 1;
    int fourth = enter_as(evictions[_i].incoming);
    ck_assert_int_eq(take_reply(first), -2);
    ck_assert_int_eq(take_reply(third), -1);
    close(first), close(second), close(third), close(fourth);
}

TEST(a_stop_answers_what_has_come)
{
    begin(4, 4);
    int client = enter(), quiet = enter();
    put_query(client, 8);
    end();
    ck_assert_int_eq(take_reply(client), 8);
    ck_assert_int_eq(take_reply(client), -2);
    ck_assert_int_eq(take_reply(quiet), -2);
    close(client), close(quiet);
}

TEST(a_reset_connection_is_forgotten)
{
    begin(4, 4);
    close(enter());
    turn();
    ck_assert_uint_eq(scene.tcp.open_count, 0);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_CLOSED), 1);
}

TEST(a_listener_accepts_and_knows_the_asked_address)
{
    struct endpoint wildcard = client_of("0.0.0.0:1");
    struct tcp_acceptor acceptor;
    struct err err;

    begin(4, 4);
    wildcard.v4.sin_port = 0;
    int descriptor = socket_open_tcp(&wildcard, &err);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(tcp_acceptor_start(&acceptor, &scene.tcp, descriptor, &wildcard), 0);
    tcp_acceptor_begin(&acceptor);
    struct endpoint to = serving_local(descriptor);
    to.v4.sin_addr.s_addr = htonl(0x7f000003);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, &to.any, sizeof to.v4), 0);
    for (unsigned i = 0; scene.tcp.open_count == 0 && i < TURNS_MOST; i++)
        turn();
    ck_assert_uint_eq(scene.tcp.open_count, 1);
    ck_assert_uint_eq(oldest()->path.destination, 0x7f000003);
    ck_assert_uint_eq(oldest()->path.source, 0x7f000001);
    ck_assert_uint_eq(oldest()->path.interface, if_nametoindex("lo"));
    close(client);
    tcp_acceptor_stop(&acceptor);
    end(); /* the loop closes the acceptor, which is of this function */
}

/* ---- handing over ---- */

/* The descriptor of the next connection that was handed over; -1: there is none. */
static int take_connection(int channel)
{
    int descriptor = -1;
    size_t count = 1;
    char octet;

    return pass_receive(channel, &octet, 1, &descriptor, &count) == 1 && count == 1 ? descriptor
                                                                                    : -1;
}

TEST(a_connection_at_rest_is_handed_over_with_what_is_unread)
{
    int ends[2];
    uint8_t octets[512];

    begin(4, 4);
    ck_assert(pass_pair(ends, SOCK_NONBLOCK));
    int client = enter();
    put_query(client, 1);
    turn();
    ck_assert_int_eq(take_reply(client), 1);
    put_query(client, 2);
    ck_assert_uint_eq(tcp_hand_over(&scene.tcp, ends[0]), 0);
    int other = take_connection(ends[1]);
    ck_assert_int_gt(recv(other, octets, sizeof octets, 0), 12);
    ck_assert_uint_eq(load16(octets + TCP_FRAME_OCTETS), 2);
    turn();
    ck_assert_int_eq(take_reply(client), -1); /* neither answered here nor closed */
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_HANDED_OVER), 1);
    close(client), close(other), close(ends[0]), close(ends[1]);
}

TEST(a_connection_with_half_a_query_is_handed_over_once_that_is_answered)
{
    uint8_t stream[512];
    int ends[2];

    begin(4, 4);
    ck_assert(pass_pair(ends, SOCK_NONBLOCK));
    int client = enter();
    size_t length = add_query(stream, 0, 7);
    put(client, stream, 9);
    turn();
    ck_assert_uint_eq(tcp_hand_over(&scene.tcp, ends[0]), 1);
    ck_assert_int_eq(take_connection(ends[1]), -1);
    put(client, stream + 9, length - 9);
    turn();
    ck_assert_int_eq(take_reply(client), 7);
    ck_assert_uint_eq(tcp_hand_over(&scene.tcp, ends[0]), 0);
    int other = take_connection(ends[1]);
    ck_assert_int_ge(other, 0);
    close(client), close(other), close(ends[0]), close(ends[1]);
}

TEST(a_connection_to_which_a_reply_is_due_is_not_handed_over)
{
    int ends[2];

    begin(4, 4);
    ck_assert(pass_pair(ends, SOCK_NONBLOCK));
    int client = enter();
    struct tcp_connection *connection = TAILQ_FIRST(&scene.tcp.places[TCP_OUTSIDERS].by_activity);
    connection->awaited = 1;
    ck_assert_uint_eq(tcp_hand_over(&scene.tcp, ends[0]), 1);
    connection->awaited = 0;
    ck_assert_uint_eq(tcp_hand_over(&scene.tcp, ends[0]), 0);
    close(client), close(ends[0]), close(ends[1]);
}

TEST(without_another_process_connections_stay)
{
    int ends[2];

    begin(4, 4);
    ck_assert(pass_pair(ends, SOCK_NONBLOCK));
    close(ends[1]);
    int client = enter();
    ck_assert_uint_eq(tcp_hand_over(&scene.tcp, ends[0]), 1);
    put_query(client, 3);
    turn();
    ck_assert_int_eq(take_reply(client), 3);
    close(client), close(ends[0]);
}

static void open_more_than_the_pool(void)
{
    scene.tcp.open_count = (uint32_t)scene.tcp.pool_count;
    scene.tcp.limits.connections[TCP_OUTSIDERS] = UINT32_MAX;
    enter();
}

static void close_more_than_are_open(void)
{
    scene.tcp.open_count = 0;
    tcp_drop(oldest(), COUNTER_TCP_CLOSED);
}

static void answer_more_than_a_batch(void)
{
    scene.tcp.lone_query_count = BATCH_MOST + 1;
    tcp_answer_lone_queries(&scene.tcp);
}

static void forget_the_query_of_another(void)
{
    oldest()->lone_query = BATCH_MOST;
    tcp_forget_lone_query(oldest());
}

static void (*const excesses[])(void) = {
    open_more_than_the_pool,
    close_more_than_are_open,
    answer_more_than_a_batch,
    forget_the_query_of_another,
};

TEST_OVER_SIGNAL(counters_that_disagree_end_the_process, excesses, SIGABRT)
{
    begin(4, 4);
    enter();
    excesses[_i]();
}

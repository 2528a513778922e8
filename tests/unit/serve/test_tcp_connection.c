#include "serve/tcp_connection.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/serving.h"
#include "support/suite.h"

enum { REPLY_OCTETS = 60000, STREAM_MOST = 1 << 20 };

/* One worker's TCP with one client, some of whose replies are late. */
struct scene {
    struct serving serving;
    struct tcp tcp;
    struct tcp_connection *connection;
    int client;
};

static int enter(struct scene *scene)
{
    struct endpoint client;
    int ends[2];

    ck_assert(endpoint_read("10.0.130.56", 40000, &client));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    ck_assert(tcp_adopt(&scene->tcp, ends[1], &client, 0x0a000002));
    scene->connection = TAILQ_LAST(&scene->tcp.places[TCP_OUTSIDERS].by_activity, tcp_connections);
    return ends[0];
}

static void begin(struct scene *scene)
{
    const struct tcp_limits limits = {.connections = {4, 4}, .per_client = 4, .idle_ms = 10000};
    struct err err;

    serving_init(&scene->serving);
    ck_assert(tcp_init(&scene->tcp, &scene->serving.loop, &scene->serving.batch, &limits, &err));
    scene->client = enter(scene);
}

static void end(struct scene *scene)
{
    close(scene->client);
    tcp_stop(&scene->tcp);
    serving_close(&scene->serving);
    tcp_close(&scene->tcp);
}

/* Announces a late reply to the connection. */
static struct late_client defer(struct tcp_connection *connection)
{
    struct late_client client;

    connection->carrier.keep(&connection->carrier, 0, &client);
    return client;
}

/* Delivers a reply of that many octets, all of one value. */
static bool deliver(struct tcp_connection *connection, const struct late_client *client,
                    uint8_t value, size_t length)
{
    static uint8_t reply[65535];

    memset(reply, value, length);
    return connection->carrier.deliver(&connection->carrier, client, reply, length);
}

/* Takes the next whole frame; returns its octets' value, -1: none yet, -2: the end. */
static int take(int client, size_t expected)
{
    static uint8_t frame[TCP_FRAME_OCTETS + 65535];
    ssize_t got = recv(client, frame, TCP_FRAME_OCTETS + expected, MSG_WAITALL);

    if (got <= 0)
        return got == 0 ? -2 : -1;
    ck_assert_int_eq(got, (ssize_t)(TCP_FRAME_OCTETS + expected));
    ck_assert_uint_eq(load16(frame), expected);
    ck_assert_int_eq(frame[TCP_FRAME_OCTETS], frame[got - 1]);
    return frame[TCP_FRAME_OCTETS];
}

TEST(a_reply_that_comes_later_is_framed_and_sent)
{
    struct scene scene;

    begin(&scene);
    struct late_client late = defer(scene.connection);
    serving_turn(&scene.serving);
    ck_assert_int_eq(take(scene.client, 40), -1);
    struct endpoint client = scene.connection->carrier.address(&late);
    ck_assert_mem_eq(&client, &scene.connection->client, sizeof client);
    ck_assert(deliver(scene.connection, &late, 7, 40));
    ck_assert_int_eq(take(scene.client, 40), 7);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_REPLIES), 1);
    end(&scene);
}

TEST(a_client_that_closes_its_side_still_gets_late_replies)
{
    struct scene scene;

    begin(&scene);
    struct late_client first = defer(scene.connection), second = defer(scene.connection);
    shutdown(scene.client, SHUT_WR);
    for (int i = 0; i < 3; i++)
        serving_turn(&scene.serving);
    ck_assert_uint_eq(scene.tcp.open_count, 1);
    ck_assert(deliver(scene.connection, &first, 1, 40));
    ck_assert_uint_eq(scene.tcp.open_count, 1);
    ck_assert(deliver(scene.connection, &second, 2, 40));
    ck_assert_uint_eq(scene.tcp.open_count, 0);
    ck_assert_int_eq(take(scene.client, 40), 1);
    ck_assert_int_eq(take(scene.client, 40), 2);
    ck_assert_int_eq(take(scene.client, 40), -2);
    end(&scene);
}

TEST(a_connection_that_awaits_replies_and_nothing_else_costs_no_turns)
{
    struct scene scene;

    begin(&scene);
    struct late_client late = defer(scene.connection);
    shutdown(scene.client, SHUT_WR);
    serving_turn(&scene.serving);
    ck_assert(!uv_is_active((const uv_handle_t *)&scene.connection->poll));
    ck_assert(deliver(scene.connection, &late, 1, 40));
    end(&scene);
}

TEST(a_reply_for_a_closed_connection_is_dropped)
{
    struct scene scene;

    begin(&scene);
    struct tcp_connection *place = scene.connection;
    struct late_client late = defer(place);
    tcp_drop(place, COUNTER_TCP_CLOSED);
    ck_assert(!deliver(place, &late, 1, 40));
    serving_turn(&scene.serving);
    close(scene.client);
    scene.client = enter(&scene); /* in the same slot */
    ck_assert_ptr_eq(scene.connection, place);
    ck_assert(!deliver(place, &late, 1, 40));
    ck_assert_int_eq(take(scene.client, 40), -1);
    ck_assert_uint_eq(place->awaited, 0);
    end(&scene);
}

/* Delivers as many replies as there is room for while the client takes none. Returns how many. */
static size_t deliver_all(struct scene *scene)
{
    const struct tcp_connection *connection = scene->connection;
    size_t count = 0;

    while (connection->unsent_end - connection->unsent + TCP_FRAME_OCTETS + REPLY_OCTETS <=
           TCP_OUTPUT_OCTETS) {
        struct late_client late = defer(scene->connection);
        ck_assert(deliver(scene->connection, &late, (uint8_t)(++count), REPLY_OCTETS));
        ck_assert_uint_lt(count, STREAM_MOST / REPLY_OCTETS);
    }
    return count;
}

/* Reads everything that has arrived; checks that it continues the frames in order. */
static size_t take_some(int client, size_t taken)
{
    static uint8_t octets[1 << 16];
    ssize_t got = recv(client, octets, sizeof octets, 0);

    for (ssize_t i = 0; i < got; i++, taken++) {
        size_t within = taken % (TCP_FRAME_OCTETS + REPLY_OCTETS);
        if (within >= TCP_FRAME_OCTETS &&
            octets[i] != taken / (TCP_FRAME_OCTETS + REPLY_OCTETS) + 1)
            ck_abort_msg("octet %zu is another reply's", taken);
    }
    return taken;
}

TEST(replies_wait_in_order_for_a_slow_client)
{
    struct scene scene;
    size_t taken = 0;

    begin(&scene);
    size_t count = deliver_all(&scene);
    ck_assert_uint_ge(count, 2); /* some in the socket, some in the connection's own buffer */
    for (int turns = 0; turns < 1000; turns++) {
        taken = take_some(scene.client, taken);
        serving_turn(&scene.serving);
    }
    ck_assert_uint_eq(taken, count * (TCP_FRAME_OCTETS + REPLY_OCTETS));
    ck_assert_uint_eq(scene.tcp.open_count, 1);
    end(&scene);
}

TEST(a_client_too_slow_for_its_replies_is_closed)
{
    struct scene scene;
    size_t taken = 0, before;

    begin(&scene);
    deliver_all(&scene);
    struct late_client late = defer(scene.connection), last = defer(scene.connection);
    ck_assert(!deliver(scene.connection, &late, 9, REPLY_OCTETS));
    ck_assert_uint_eq(scene.tcp.open_count, 0);
    ck_assert(!deliver(scene.connection, &last, 9, REPLY_OCTETS));
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_SLOW), 1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_CLOSED), 1);
    serving_turn(&scene.serving);
    do { /* what the socket has taken arrives, then the end */
        before = taken;
        taken = take_some(scene.client, taken);
    } while (taken > before);
    ck_assert_int_eq(take(scene.client, REPLY_OCTETS), -2);
    end(&scene);
}

TEST(a_query_waits_until_the_reply_before_it_is_taken)
{
    static uint8_t stream[2 * REPLY_OCTETS];
    struct scene scene;
    uint8_t query[TCP_FRAME_OCTETS + 512];
    int small = 4096;
    size_t taken = 0;

    begin(&scene);
    setsockopt(scene.connection->descriptor, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    struct late_client late = defer(scene.connection);
    size_t length = serving_query(77, query + TCP_FRAME_OCTETS);
    store16(query, (uint16_t)length);
    ck_assert_int_gt(send(scene.client, query, TCP_FRAME_OCTETS + length, 0), 0);
    tcp_connection_serve(scene.connection);
    ck_assert_uint_eq(scene.tcp.lone_query_count, 1);
    ck_assert(deliver(scene.connection, &late, 5, REPLY_OCTETS)); /* within the same turn */
    ck_assert_uint_lt(scene.connection->unsent, scene.connection->unsent_end);
    for (int turns = 0; turns < 1000; turns++) {
        serving_turn(&scene.serving);
        ssize_t got = recv(scene.client, stream + taken, sizeof stream - taken, 0);
        taken += got > 0 ? (size_t)got : 0;
    }
    ck_assert_uint_eq(load16(stream), REPLY_OCTETS);
    for (size_t i = TCP_FRAME_OCTETS; i < TCP_FRAME_OCTETS + REPLY_OCTETS; i++)
        if (stream[i] != 5)
            ck_abort_msg("octet %zu is another reply's", i);
    ck_assert_uint_gt(taken, TCP_FRAME_OCTETS + REPLY_OCTETS + TCP_FRAME_OCTETS + 2);
    const uint8_t *reply = stream + TCP_FRAME_OCTETS + REPLY_OCTETS;
    ck_assert_uint_eq(load16(reply + TCP_FRAME_OCTETS), 77);
    ck_assert_uint_eq(taken, TCP_FRAME_OCTETS + REPLY_OCTETS + TCP_FRAME_OCTETS + load16(reply));
    end(&scene);
}

#include "serve/listener.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/socket.h"
#include "support/request.h"
#include "support/serving.h"
#include "support/suite.h"

enum { TRIES_MOST = 8, TURNS_MOST = 2000, FRAME_OCTETS = 2, FLOOD = 200 };

/* A listener of each kind, at one port of loopback. */
struct scene {
    struct serving serving;
    struct settings settings;
    struct listener *listeners[LISTEN_SCHEMES];
    struct endpoint address;
};

static struct scene scene;

static struct listener *new_listener(enum listen_scheme scheme)
{
    const struct listener_options options = {
        .loop = &scene.serving.loop, .batch = &scene.serving.batch, .settings = &scene.settings};
    struct err err;
    struct listener *listener = listener_kinds[scheme].new(&options, &err);

    ck_assert_msg(listener != NULL, "%s", err.text);
    return listener;
}

/* A port that was free a moment ago. */
static struct endpoint find_port(void)
{
    struct endpoint any;
    struct err err;

    ck_assert(endpoint_read("127.0.0.1", 1, &any));
    any.v4.sin_port = 0;
    int descriptor = socket_open_udp(&any, 1 << 16, &err);
    struct endpoint address = serving_local(descriptor);
    close(descriptor);
    return address;
}

static bool start_one(enum listen_scheme scheme, struct err *err)
{
    struct listener *listener = scene.listeners[scheme];
    int descriptor = listener_kinds[scheme].open(&scene.address, &scene.settings, err);

    if (descriptor < 0 || !listener->start(listener, &scene.address, descriptor, err))
        return false;
    listener->begin(listener);
    return true;
}

static bool start_all(struct err *err)
{
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        if (!start_one(scheme, err))
            return false;
    return true;
}

static void stop_all(void)
{
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        scene.listeners[scheme]->stop(scene.listeners[scheme]);
    serving_close(&scene.serving);
}

static void free_all(void)
{
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        scene.listeners[scheme]->free(scene.listeners[scheme]);
}

static void close_all(void)
{
    stop_all();
    free_all();
}

static void prepare(uint32_t udp_buffer)
{
    memset(&scene, 0, sizeof scene);
    scene.settings = (struct settings){
        .udp_buffer = udp_buffer, .tcp_connections = 64, .tcp_per_client = 8, .tcp_idle_ms = 10000};
    serving_init(&scene.serving);
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        scene.listeners[scheme] = new_listener(scheme);
    scene.address = find_port();
}

static void begin(uint32_t udp_buffer)
{
    struct err err = {.code = ERR_NONE};
    bool has_begun = false;

    for (int tries = 0; !has_begun && tries < TRIES_MOST; tries++) {
        prepare(udp_buffer);
        has_begun = start_all(&err);
        if (!has_begun)
            close_all(); /* the port has been taken meanwhile */
    }
    ck_assert_msg(has_begun, "%s", err.text);
}

static int ask_udp(uint16_t id)
{
    uint8_t query[REQUEST_OCTETS_MOST];
    int client = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    ck_assert_int_eq(connect(client, &scene.address.any, sizeof scene.address.v4), 0);
    ck_assert_int_gt(send(client, query, serving_query(id, query), 0), 0);
    return client;
}

static int ask_tcp(uint16_t id)
{
    uint8_t query[FRAME_OCTETS + REQUEST_OCTETS_MOST];
    int client = socket(AF_INET, SOCK_STREAM, 0);
    size_t length = serving_query(id, query + FRAME_OCTETS);

    store16(query, (uint16_t)length);
    ck_assert_int_eq(connect(client, &scene.address.any, sizeof scene.address.v4), 0);
    ck_assert_int_gt(send(client, query, FRAME_OCTETS + length, 0), 0);
    return client;
}

/* The id of the next reply; -1: there is none. */
static int take_udp(int client)
{
    uint8_t reply[512];

    return recv(client, reply, sizeof reply, MSG_DONTWAIT) < 12 ? -1 : load16(reply);
}

static int take_tcp(int client)
{
    uint8_t reply[512];

    return recv(client, reply, sizeof reply, MSG_DONTWAIT) < FRAME_OCTETS + 12
               ? -1
               : load16(reply + FRAME_OCTETS);
}

static const struct {
    int (*ask)(uint16_t id);
    int (*take)(int client);
} ways[LISTEN_SCHEMES] = {[LISTEN_UDP] = {ask_udp, take_udp}, [LISTEN_TCP] = {ask_tcp, take_tcp}};

TEST_LOOP(a_listener_serves_while_the_loop_runs, 0, LISTEN_SCHEMES)
{
    int id = -1;

    begin(1 << 20);
    int client = ways[_i].ask(7);
    for (unsigned i = 0; id < 0 && i < TURNS_MOST; i++) {
        serving_turn(&scene.serving);
        id = ways[_i].take(client);
    }
    ck_assert_int_eq(id, 7);
    ck_assert_uint_eq(scene.listeners[_i]->dropped(scene.listeners[_i]), 0);
    close(client);
    close_all();
}

TEST(a_listener_that_drains_leaves_the_others_theirs)
{
    struct listener *udp, *tcp;

    begin(1 << 20);
    udp = scene.listeners[LISTEN_UDP], tcp = scene.listeners[LISTEN_TCP];
    int datagrams = ask_udp(1), stream = ask_tcp(2);
    tcp->drain(tcp);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_ACCEPTED), 1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REQUESTS), 0);
    udp->drain(udp);
    ck_assert_int_eq(take_udp(datagrams), 1);
    close(datagrams);
    datagrams = ask_udp(3);
    udp->drain(udp); /* it serves on */
    ck_assert_int_eq(take_udp(datagrams), 3);
    ck_assert_int_eq(take_tcp(stream), -1);
    tcp->stop(tcp);
    ck_assert_int_eq(take_tcp(stream), 2); /* the request of an accepted connection */
    udp->stop(udp);
    serving_close(&scene.serving);
    udp->free(udp), tcp->free(tcp);
    close(datagrams), close(stream);
}

TEST_LOOP(a_listener_serves_several_addresses, 0, LISTEN_SCHEMES)
{
    struct endpoint first;
    struct err err;

    begin(1 << 20);
    first = scene.address;
    scene.address.v4.sin_addr.s_addr = htonl(0x7f000002);
    ck_assert_msg(start_one((enum listen_scheme)_i, &err), "%s", err.text);
    int second_client = ways[_i].ask(2);
    scene.address = first;
    int client = ways[_i].ask(1), id = -1, second = -1;
    for (unsigned i = 0; (id < 0 || second < 0) && i < TURNS_MOST; i++) {
        serving_turn(&scene.serving);
        id = id < 0 ? ways[_i].take(client) : id;
        second = second < 0 ? ways[_i].take(second_client) : second;
    }
    ck_assert_int_eq(id, 1);
    ck_assert_int_eq(second, 2);
    close(client), close(second_client);
    close_all();
}

TEST_LOOP(an_address_that_cannot_be_bound_does_no_harm_to_the_others, 0, LISTEN_SCHEMES)
{
    struct endpoint elsewhere;
    struct err err;

    begin(1 << 20);
    ck_assert(endpoint_read("192.0.2.1:5300", 53, &elsewhere));
    ck_assert_int_eq(listener_kinds[_i].open(&elsewhere, &scene.settings, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "this host has no such address"));
    ck_assert(!listener_kinds[_i].probe(&elsewhere, &err));
    int client = ways[_i].ask(7);
    for (unsigned i = 0; i < 5; i++)
        serving_turn(&scene.serving);
    ck_assert_int_eq(ways[_i].take(client), 7);
    close(client);
    close_all();
}

TEST(a_listener_without_an_address_ends_too)
{
    prepare(1 << 20);
    close_all();
}

TEST(what_the_kernel_drops_is_counted)
{
    struct listener *udp;

    begin(1); /* the kernel's least */
    udp = scene.listeners[LISTEN_UDP];
    for (uint16_t id = 1; id <= FLOOD; id++)
        close(ask_udp(id));
    udp->drain(udp);
    uint64_t served = serving_count(&scene.serving, COUNTER_UDP_REQUESTS);
    ck_assert_uint_gt(served, 0);
    ck_assert_uint_eq(udp->dropped(udp), FLOOD - served);
    stop_all();
    ck_assert_uint_eq(udp->dropped(udp), FLOOD - served);
    free_all();
}

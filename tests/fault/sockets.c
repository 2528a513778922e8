// wrap: sendmmsg recvmmsg send recv accept4
/* System calls that fail on any packet at any time: the server counts the failure and continues. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/socket.h"
#include "serve/tcp_acceptor.h"
#include "serve/tcp_connection.h"
#include "serve/udp.h"
#include "serve/udp_late.h"
#include "support/request.h"
#include "support/serving.h"
#include "support/suite.h"

/*
 * How a wrapped call behaves: it fails so often with this error, and never takes more than `most`.
 */
struct plan {
    int error;
    unsigned times;
    unsigned most;   /* messages or octets; 0: no limit */
    unsigned spared; /* calls that succeed before */
};

static unsigned sendmmsg_calls;
static struct plan plan_sendmmsg, plan_recvmmsg, plan_send, plan_recv, plan_accept;

/* True, with errno set, when this call is to fail. */
static bool fails(struct plan *plan)
{
    if (plan->times == 0)
        return false;
    if (plan->spared > 0) {
        plan->spared--;
        return false;
    }
    plan->times--;
    errno = plan->error;
    return true;
}

static size_t limit(const struct plan *plan, size_t wanted)
{
    return plan->most == 0 || wanted < plan->most ? wanted : plan->most;
}

int __real_sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags)
{
    sendmmsg_calls++;
    if (fails(&plan_sendmmsg))
        return -1;
    return __real_sendmmsg(descriptor, messages, (unsigned)limit(&plan_sendmmsg, count), flags);
}

int __real_recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout);
int __wrap_recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout);
int __wrap_recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout)
{
    if (fails(&plan_recvmmsg))
        return -1;
    return __real_recvmmsg(descriptor, messages, (unsigned)limit(&plan_recvmmsg, count), flags,
                           timeout);
}

ssize_t __real_send(int descriptor, const void *octets, size_t length, int flags);
ssize_t __wrap_send(int descriptor, const void *octets, size_t length, int flags);
ssize_t __wrap_send(int descriptor, const void *octets, size_t length, int flags)
{
    /* The tests' own sends carry no flags. */
    if (flags == 0)
        return __real_send(descriptor, octets, length, flags);
    if (fails(&plan_send))
        return -1;
    return __real_send(descriptor, octets, limit(&plan_send, length), flags);
}

ssize_t __real_recv(int descriptor, void *octets, size_t length, int flags);
ssize_t __wrap_recv(int descriptor, void *octets, size_t length, int flags);
ssize_t __wrap_recv(int descriptor, void *octets, size_t length, int flags)
{
    if (flags == 0)
        return __real_recv(descriptor, octets, length, flags);
    if (fails(&plan_recv))
        return -1;
    return __real_recv(descriptor, octets, limit(&plan_recv, length), flags);
}

int __real_accept4(int descriptor, struct sockaddr *address, socklen_t *octets, int flags);
int __wrap_accept4(int descriptor, struct sockaddr *address, socklen_t *octets, int flags);
int __wrap_accept4(int descriptor, struct sockaddr *address, socklen_t *octets, int flags)
{
    if (fails(&plan_accept))
        return -1;
    return __real_accept4(descriptor, address, octets, flags);
}

/* ---- UDP ---- */

struct udp_scene {
    struct serving serving;
    struct udp udp;
    struct udp_socket socket;
    struct endpoint address;
    int client;
};

static void udp_begin(struct udp_scene *scene)
{
    struct endpoint endpoint;
    struct err err;

    serving_init(&scene->serving);
    ck_assert(udp_init(&scene->udp, &scene->serving.batch));
    ck_assert(endpoint_read("127.0.0.1", 1, &endpoint));
    endpoint.v4.sin_port = 0;
    int descriptor = socket_open_udp(&endpoint, 1 << 20, &err);
    scene->address = serving_local(descriptor);
    ck_assert_int_eq(
        udp_socket_start(&scene->socket, &scene->udp, &scene->serving.loop, descriptor, &endpoint),
        0);
    udp_socket_begin(&scene->socket);
    scene->client = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(connect(scene->client, &scene->address.any, sizeof scene->address.v4), 0);
}

static void udp_end(struct udp_scene *scene)
{
    close(scene->client);
    udp_socket_stop(&scene->socket);
    serving_close(&scene->serving);
    udp_close(&scene->udp);
}

static void udp_ask(struct udp_scene *scene, unsigned first, unsigned count)
{
    uint8_t query[REQUEST_OCTETS_MOST];

    for (unsigned id = first; id < first + count; id++) {
        size_t length = serving_query((uint16_t)id, query);
        ck_assert_int_eq(send(scene->client, query, length, 0), (ssize_t)length);
    }
}

static int udp_take(struct udp_scene *scene)
{
    uint8_t reply[1500];

    return recv(scene->client, reply, sizeof reply, 0) < 12 ? -1 : load16(reply);
}

/* Every reply of these ids in order, and nothing else. */
static void udp_expect(struct udp_scene *scene, unsigned first, unsigned count)
{
    for (unsigned id = first; id < first + count; id++)
        ck_assert_int_eq(udp_take(scene), (int)id);
    ck_assert_int_eq(udp_take(scene), -1);
}

static const unsigned pieces[] = {1, 2, 3, 31, 63, 64};

TEST_OVER(replies_taken_piece_by_piece_all_arrive_once, pieces)
{
    struct udp_scene scene;

    udp_begin(&scene);
    plan_sendmmsg = (struct plan){.most = pieces[_i]};
    udp_ask(&scene, 1, 100);
    serving_turn(&scene.serving);
    udp_expect(&scene, 1, 100);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 100);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_SEND_FAILURES), 0);
    udp_end(&scene);
}

/* Errors that pass, and how often they may come. */
static const struct plan passing[] = {
    {.error = EAGAIN, .times = 3},
    {.error = ENOBUFS, .times = 3},
    {.error = ENOMEM, .times = 1},
    {.error = EINTR, .times = 100},
    {.error = EAGAIN, .times = 2, .spared = 1, .most = 10},
};

TEST_OVER(a_send_queue_that_is_full_for_a_moment_costs_no_reply, passing)
{
    struct udp_scene scene;

    udp_begin(&scene);
    plan_sendmmsg = passing[_i];
    udp_ask(&scene, 1, 20);
    serving_turn(&scene.serving);
    udp_expect(&scene, 1, 20);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_SEND_FAILURES), 0);
    udp_end(&scene);
}

static const int full[] = {EAGAIN, ENOBUFS, ENOMEM};

TEST_OVER(a_send_queue_that_stays_full_costs_the_batch_and_no_more, full)
{
    struct udp_scene scene;

    udp_begin(&scene);
    plan_sendmmsg = (struct plan){.error = full[_i], .times = 4};
    udp_ask(&scene, 1, 20);
    serving_turn(&scene.serving);
    ck_assert_int_eq(udp_take(&scene), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_SEND_FAILURES), 20);
    udp_ask(&scene, 21, 5);
    serving_turn(&scene.serving);
    udp_expect(&scene, 21, 5);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 5);
    udp_end(&scene);
}

static const int fatal[] = {EPERM, EINVAL, EHOSTUNREACH, ENETUNREACH, ECONNREFUSED, EMSGSIZE};

TEST_OVER(a_reply_that_cannot_be_sent_costs_itself_alone, fatal)
{
    struct udp_scene scene;

    udp_begin(&scene);
    plan_sendmmsg = (struct plan){.error = fatal[_i], .times = 1};
    udp_ask(&scene, 1, 20);
    serving_turn(&scene.serving);
    udp_expect(&scene, 2, 19);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_SEND_FAILURES), 1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 19);
    udp_end(&scene);
}

/* ---- late replies ---- */

/* Takes one request in, as one that is forwarded. */
static void udp_defer(struct udp_scene *scene, struct late_client *client)
{
    struct carrier *carrier = &scene->socket.carrier;

    udp_ask(scene, 9999, 1);
    ck_assert_int_eq(udp_serve_batch(&scene->socket), 1);
    ck_assert_int_eq(udp_take(scene), 9999);
    carrier->keep(carrier, 0, client);
}

static void udp_deliver(struct udp_scene *scene, const struct late_client *client, unsigned first,
                        unsigned count)
{
    uint8_t reply[REQUEST_OCTETS_MOST];

    for (unsigned id = first; id < first + count; id++)
        ck_assert(scene->socket.carrier.deliver(&scene->socket.carrier, client, reply,
                                                serving_query((uint16_t)id, reply)));
}

static const unsigned late_counts[] = {
    1, 2, UDP_LATE_MOST - 1, UDP_LATE_MOST, UDP_LATE_MOST + 1, 3 * UDP_LATE_MOST + 5};

TEST_OVER(late_replies_of_one_turn_leave_together, late_counts)
{
    struct late_client client;
    struct udp_scene scene;

    udp_begin(&scene);
    udp_defer(&scene, &client);
    unsigned before = sendmmsg_calls;
    udp_deliver(&scene, &client, 1, late_counts[_i]);
    udp_late_send(&scene.udp);
    udp_late_send(&scene.udp); /* nothing is left */
    udp_expect(&scene, 1, late_counts[_i]);
    ck_assert_uint_eq(sendmmsg_calls - before,
                      (late_counts[_i] + UDP_LATE_MOST - 1) / UDP_LATE_MOST);
    udp_end(&scene);
}

TEST_OVER(late_replies_outlast_a_send_queue_that_is_full_for_a_moment, passing)
{
    struct late_client client;
    struct udp_scene scene;

    udp_begin(&scene);
    udp_defer(&scene, &client);
    plan_sendmmsg = passing[_i];
    udp_deliver(&scene, &client, 1, 20);
    udp_late_send(&scene.udp);
    udp_expect(&scene, 1, 20);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_SEND_FAILURES), 0);
    udp_end(&scene);
}

TEST_OVER(late_replies_taken_piece_by_piece_all_arrive_once, pieces)
{
    struct late_client client;
    struct udp_scene scene;

    udp_begin(&scene);
    udp_defer(&scene, &client);
    plan_sendmmsg = (struct plan){.most = pieces[_i]};
    udp_deliver(&scene, &client, 1, 30);
    udp_late_send(&scene.udp);
    udp_expect(&scene, 1, 30);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 31);
    udp_end(&scene);
}

TEST_OVER(a_send_queue_that_stays_full_costs_the_late_replies_of_a_turn_and_no_more, full)
{
    struct late_client client;
    struct udp_scene scene;

    udp_begin(&scene);
    udp_defer(&scene, &client);
    plan_sendmmsg = (struct plan){.error = full[_i], .times = 4};
    udp_deliver(&scene, &client, 1, 20);
    udp_late_send(&scene.udp);
    ck_assert_int_eq(udp_take(&scene), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_SEND_FAILURES), 20);
    udp_deliver(&scene, &client, 21, 5);
    udp_late_send(&scene.udp);
    udp_expect(&scene, 21, 5);
    udp_end(&scene);
}

TEST_OVER(a_late_reply_that_cannot_be_sent_costs_itself_alone, fatal)
{
    struct late_client client;
    struct udp_scene scene;

    udp_begin(&scene);
    udp_defer(&scene, &client);
    plan_sendmmsg = (struct plan){.error = fatal[_i], .times = 1};
    udp_deliver(&scene, &client, 1, 20);
    udp_late_send(&scene.udp);
    udp_expect(&scene, 2, 19);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_SEND_FAILURES), 1);
    udp_end(&scene);
}

TEST(late_replies_leave_before_their_socket_is_closed)
{
    struct late_client client;
    struct udp_scene scene;

    udp_begin(&scene);
    udp_defer(&scene, &client);
    udp_deliver(&scene, &client, 1, 3);
    udp_socket_stop(&scene.socket);
    udp_expect(&scene, 1, 3);
    close(scene.client);
    serving_close(&scene.serving);
    udp_close(&scene.udp);
}

static const int late[] = {ECONNREFUSED, EHOSTUNREACH, ENOMEM, EINTR};

TEST_OVER(a_read_that_fails_is_tried_again, late)
{
    struct udp_scene scene;

    udp_begin(&scene);
    plan_recvmmsg = (struct plan){.error = late[_i], .times = 1};
    udp_ask(&scene, 1, 3);
    serving_turn(&scene.serving);
    serving_turn(&scene.serving);
    udp_expect(&scene, 1, 3);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_RECEIVE_FAILURES),
                      late[_i] == EINTR ? 0 : 1);
    udp_end(&scene);
}

/* ---- TCP ---- */

struct tcp_scene {
    struct serving serving;
    struct tcp tcp;
};

static void tcp_begin(struct tcp_scene *scene)
{
    const struct tcp_limits limits = {.connections = {4, 4}, .per_client = 4, .idle_ms = 10000};
    struct err err;

    serving_init(&scene->serving);
    ck_assert(tcp_init(&scene->tcp, &scene->serving.loop, &scene->serving.batch, &limits, &err));
}

static void tcp_end(struct tcp_scene *scene)
{
    tcp_stop(&scene->tcp);
    serving_close(&scene->serving);
    tcp_close(&scene->tcp);
}

static int tcp_enter(struct tcp_scene *scene)
{
    struct endpoint client;
    int ends[2];

    ck_assert(endpoint_read("10.0.130.56", 40000, &client));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    ck_assert(tcp_adopt(&scene->tcp, ends[1], &client, 0));
    return ends[0];
}

static void tcp_ask(int client, unsigned count)
{
    uint8_t stream[64 * REQUEST_OCTETS_MOST];
    size_t length = 0;

    for (unsigned id = 1; id <= count; id++) {
        size_t octets = serving_query((uint16_t)id, stream + length + 2);
        store16(stream + length, (uint16_t)octets);
        length += octets + 2;
    }
    ck_assert_int_eq(send(client, stream, length, 0), (ssize_t)length);
}

static void tcp_expect(struct tcp_scene *scene, int client, unsigned count)
{
    uint8_t octets[65536];
    size_t length = 0, at = 0;

    for (unsigned turns = 0; turns < 20000; turns++) {
        serving_turn(&scene->serving);
        ssize_t got = recv(client, octets + length, sizeof octets - length, 0);
        length += got > 0 ? (size_t)got : 0;
    }
    for (unsigned id = 1; id <= count; id++) {
        ck_assert_uint_le(at + 4, length);
        ck_assert_uint_eq(load16(octets + at + 2), id);
        at += 2U + load16(octets + at);
    }
    ck_assert_uint_eq(at, length);
}

static const struct plan hesitant[] = {
    {.most = 1},
    {.most = 7},
    {.error = EAGAIN, .times = 5},
    {.error = ENOBUFS, .times = 2},
    {.error = EINTR, .times = 9},
    {.error = EAGAIN, .times = 50, .most = 100, .spared = 1},
};

TEST_OVER(a_connection_that_takes_little_gets_every_octet, hesitant)
{
    struct tcp_scene scene;

    tcp_begin(&scene);
    int client = tcp_enter(&scene);
    plan_send = hesitant[_i];
    tcp_ask(client, 40);
    tcp_expect(&scene, client, 40);
    close(client);
    tcp_end(&scene);
}

TEST(a_connection_read_octet_by_octet_is_understood)
{
    struct tcp_scene scene;

    tcp_begin(&scene);
    int client = tcp_enter(&scene);
    plan_recv = (struct plan){.most = 1, .error = EINTR, .times = 20};
    tcp_ask(client, 40);
    tcp_expect(&scene, client, 40);
    close(client);
    tcp_end(&scene);
}

static const int broken[] = {EPIPE, ECONNRESET, ETIMEDOUT};

TEST_LOOP(a_broken_connection_is_closed_and_the_others_go_on, 0,
          2 * sizeof broken / sizeof broken[0])
{
    struct tcp_scene scene;

    tcp_begin(&scene);
    int first = tcp_enter(&scene), second = tcp_enter(&scene);
    if (_i % 2 == 0)
        plan_send = (struct plan){.error = broken[_i / 2], .times = 1};
    else
        plan_recv = (struct plan){.error = broken[_i / 2], .times = 1};
    tcp_ask(first, 1);
    serving_turn(&scene.serving);
    ck_assert_uint_eq(scene.tcp.open_count, 1);
    tcp_ask(second, 2);
    tcp_expect(&scene, second, 2);
    close(first), close(second);
    tcp_end(&scene);
}

/* A listening socket on loopback and a client that waits to be accepted. */
static int tcp_listen(struct tcp_scene *scene, struct tcp_acceptor *acceptor)
{
    struct endpoint endpoint;
    struct err err;

    ck_assert(endpoint_read("127.0.0.1", 1, &endpoint));
    endpoint.v4.sin_port = 0;
    int descriptor = socket_open_tcp(&endpoint, &err);
    struct endpoint address = serving_local(descriptor);
    ck_assert_int_eq(tcp_acceptor_start(acceptor, &scene->tcp, descriptor, &endpoint), 0);
    tcp_acceptor_begin(acceptor);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, &address.any, sizeof address.v4), 0);
    return client;
}

TEST(without_descriptors_the_idlest_connection_makes_way)
{
    struct tcp_acceptor acceptor;
    struct tcp_scene scene;

    tcp_begin(&scene);
    int old = tcp_enter(&scene);
    plan_accept = (struct plan){.error = EMFILE, .times = 1};
    int client = tcp_listen(&scene, &acceptor);
    serving_turn(&scene.serving);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_EVICTED), 1);
    serving_turn(&scene.serving);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_ACCEPTED), 2);
    close(old), close(client);
    tcp_acceptor_stop(&acceptor);
    tcp_end(&scene);
}

TEST(without_descriptors_or_connections_the_listener_pauses_until_the_next_tick)
{
    struct tcp_acceptor acceptor;
    struct tcp_scene scene;

    tcp_begin(&scene);
    plan_accept = (struct plan){.error = ENFILE, .times = 1};
    int client = tcp_listen(&scene, &acceptor);
    for (unsigned i = 0; i < 5; i++)
        serving_turn(&scene.serving);
    ck_assert_uint_eq(scene.tcp.open_count, 0);
    ck_assert(!uv_is_active((const uv_handle_t *)&acceptor.poll));
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_TCP_REFUSED), 1);
    uv_timer_start(&scene.tcp.timer, scene.tcp.timer.timer_cb, 0, 1000); /* the tick, now */
    for (unsigned i = 0; i < 5; i++)
        serving_turn(&scene.serving);
    ck_assert_uint_eq(scene.tcp.open_count, 1);
    close(client);
    tcp_acceptor_stop(&acceptor);
    tcp_end(&scene);
}

TEST(a_connection_that_died_in_the_queue_is_passed_over)
{
    struct tcp_acceptor acceptor;
    struct tcp_scene scene;

    tcp_begin(&scene);
    plan_accept = (struct plan){.error = ECONNABORTED, .times = 1};
    int client = tcp_listen(&scene, &acceptor);
    serving_turn(&scene.serving);
    ck_assert_uint_eq(scene.tcp.open_count, 1);
    close(client);
    tcp_acceptor_stop(&acceptor);
    tcp_end(&scene);
}

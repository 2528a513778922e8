// forks: its tests leave something behind
#include "upstream/sockets.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "support/descriptors.h"
#include "support/serving.h"
#include "support/stream_peer.h"
#include "support/suite.h"
#include "upstream/server_streams.h"
#include "upstream/stream.h"

enum { ATTEMPTS = 4096, SERVERS = 4, TURNS_MOST = 100000 };
enum { IPV4, IPV6, TCP_ONLY, LOST }; /* servers, by number */

/* The events of a ticket. */
struct fate {
    unsigned responses;
    unsigned failures;
    enum link_failure failure;
    size_t length;
    uint8_t first; /* octet of the last response */
};

/* Sockets, their loop, and servers on loopback. */
struct scene {
    uv_loop_t loop;
    struct stats stats;
    struct sockets *sockets;
    struct link *link;
    struct upstream upstreams[SERVERS];
    const struct upstream *servers[SERVERS];
    int far_udp[2];          /* of IPV4 and IPV6 */
    struct stream_peer peer; /* of TCP_ONLY */
    unsigned notified;
    unsigned run, longest_run; /* of responses without on_rest */
    bool is_sending;
    bool keeps; /* attempts do not end when a response comes */
    bool asks_again;
    link_ticket also; /* forgotten and asked anew with the next response; ATTEMPTS: none */
    struct fate fates[ATTEMPTS];
};

/* Asks for a client. */
static bool ask_for(struct scene *scene, link_ticket ticket, uint8_t server, uint64_t client)
{
    uint8_t query[40] = {0x12, 0x34, 1};

    store32(query + 36, ticket);
    scene->is_sending = true;
    bool was_sent = scene->link->send(scene->link, &(struct link_query){
                                                       .ticket = ticket,
                                                       .server = server,
                                                       .over_stream = server == TCP_ONLY,
                                                       .client = client,
                                                       .octets = query,
                                                       .length = sizeof query,
                                                   });
    scene->is_sending = false;
    return was_sent;
}

/* Each question is another client's. */
static bool ask(struct scene *scene, link_ticket ticket, uint8_t server)
{
    return ask_for(scene, ticket, server, ticket);
}

static void forget(struct scene *scene, link_ticket ticket)
{
    scene->link->forget(scene->link, ticket);
}

static void on_response(void *context, link_ticket ticket, const uint8_t *octets, size_t length)
{
    struct scene *scene = context;
    struct fate *fate = &scene->fates[ticket];

    ck_assert(!scene->is_sending);
    fate->responses++;
    scene->run++;
    fate->length = length;
    fate->first = length > 0 ? octets[0] : 0;
    scene->notified++;
    if (!scene->keeps)
        forget(scene, ticket);
    if (scene->also < ATTEMPTS) {
        forget(scene, scene->also);
        ck_assert(ask(scene, scene->also, IPV4));
        scene->also = ATTEMPTS;
    }
}

static void on_rest(void *context, bool is_last)
{
    struct scene *scene = context;

    if (!is_last)
        ck_assert_uint_eq(scene->run, 8);
    if (scene->run > scene->longest_run)
        scene->longest_run = scene->run;
    scene->run = 0;
}

static void on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    struct scene *scene = context;
    struct fate *fate = &scene->fates[ticket];

    ck_assert(!scene->is_sending);
    fate->failures++;
    fate->failure = failure;
    scene->notified++;
    if (scene->asks_again)
        ck_assert(ask(scene, ticket, LOST));
    else
        forget(scene, ticket); /* allowed, and of no effect */
}

static int open_far(const char *address, struct upstream *upstream)
{
    struct endpoint endpoint;

    ck_assert(endpoint_read(address, 1, &endpoint));
    bool is_v6 = endpoint.any.sa_family == AF_INET6;
    if (is_v6)
        endpoint.v6.sin6_port = 0;
    else
        endpoint.v4.sin_port = 0;
    int descriptor = socket(endpoint.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(descriptor, &endpoint.any, is_v6 ? sizeof endpoint.v6 : sizeof endpoint.v4) == 0)
        upstream->endpoint = serving_local(descriptor);
    return descriptor;
}

static struct scene *begin_with(bool uses_any_port)
{
    struct scene *scene = calloc(1, sizeof *scene);
    struct err err;

    scene->also = ATTEMPTS;
    ck_assert_int_eq(uv_loop_init(&scene->loop), 0);
    scene->far_udp[IPV4] = open_far("127.0.0.1", &scene->upstreams[IPV4]);
    scene->far_udp[IPV6] = open_far("::1", &scene->upstreams[IPV6]);
    stream_peer_init(&scene->peer, NULL);
    scene->upstreams[TCP_ONLY].endpoint = scene->peer.address;
    ck_assert(endpoint_read("255.255.255.255", 53, &scene->upstreams[LOST].endpoint));
    for (size_t i = 0; i < SERVERS; i++)
        scene->servers[i] = &scene->upstreams[i];
    scene->sockets = sockets_new(&(struct sockets_options){.loop = &scene->loop,
                                                           .servers = scene->servers,
                                                           .server_count = SERVERS,
                                                           .attempts = ATTEMPTS,
                                                           .uses_any_port = uses_any_port,
                                                           .stats = &scene->stats},
                                 &err);
    ck_assert_ptr_nonnull(scene->sockets);
    scene->link = sockets_link(scene->sockets);
    scene->link->listener = (struct link_listener){
        .on_response = on_response, .on_failure = on_failure, .on_rest = on_rest, .context = scene};
    return scene;
}

static struct scene *begin(void)
{
    return begin_with(false);
}

static void end(struct scene *scene)
{
    sockets_free(scene->sockets);
    ck_assert_int_eq(uv_run(&scene->loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&scene->loop), 0);
    stream_peer_close(&scene->peer);
    close(scene->far_udp[IPV4]), close(scene->far_udp[IPV6]);
    free(scene);
}

static void turn(struct scene *scene)
{
    uv_run(&scene->loop, UV_RUN_NOWAIT);
    stream_peer_turn(&scene->peer);
}

static void turn_until_notified(struct scene *scene, unsigned notified)
{
    for (unsigned turns = 0; scene->notified < notified; turns++) {
        if (turns == TURNS_MOST)
            ck_abort_msg("it takes too long");
        turn(scene);
    }
}

/* The question that came last over UDP, and from where. False: there is none. */
static bool take(struct scene *scene, int family, uint8_t *octets, struct endpoint *from)
{
    socklen_t length = sizeof *from;
    struct pollfd watched = {.fd = scene->far_udp[family], .events = POLLIN};

    poll(&watched, 1, 1000);
    return recvfrom(scene->far_udp[family], octets, 512, 0, &from->any, &length) == 40;
}

static void send_reply(struct scene *scene, int family, const struct endpoint *to,
                       const void *octets, size_t length)
{
    ck_assert_int_eq(sendto(scene->far_udp[family], octets, length, 0, &to->any,
                            family == IPV6 ? sizeof to->v6 : sizeof to->v4),
                     (ssize_t)length);
}

static uint16_t port_of(const struct endpoint *endpoint)
{
    return ntohs(endpoint->any.sa_family == AF_INET6 ? endpoint->v6.sin6_port
                                                     : endpoint->v4.sin_port);
}

/* Raises the limit of descriptors to the maximum, and returns it. */
static size_t raise_limit(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur;
}

/* ---- UDP ---- */

TEST_LOOP(a_datagram_goes_out_and_its_response_comes_back, IPV4, IPV6 + 1)
{
    struct scene *scene = begin();
    struct endpoint from;
    uint8_t octets[512];

    if (_i == IPV6 && !serving_has_ipv6()) {
        end(scene);
        return;
    }
    ck_assert(ask(scene, 7, (uint8_t)_i));
    ck_assert(take(scene, _i, octets, &from));
    ck_assert_uint_eq(load32(octets + 36), 7);
    ck_assert_uint_eq(load16(octets), 0x1234); /* the attempt's own id */
    send_reply(scene, _i, &from, octets, 40);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[7].responses, 1);
    ck_assert_uint_eq(scene->fates[7].length, 40);
    end(scene);
}

/* First and number of the ports that are drawn from. */
static void find_ports(bool uses_any_port, unsigned *first, unsigned *count)
{
    unsigned last = 65535;

    *first = 1024;
    if (!uses_any_port) {
        FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%u %u", first, &last), 2);
        fclose(file);
    }
    *count = last - *first + 1;
}

TEST_LOOP(every_attempt_has_an_unpredictable_port, 0, 2)
{
    /* Of 1,000 ports drawn, each of 16 stretches gets 62 on average, and none by chance with
     * 16 x e^-64; ports in use are skipped, and few are. */
    enum { DRAWS = 1000, STRETCHES = 16 };
    unsigned per_stretch[STRETCHES] = {0}, rises = 0, first_port, port_count;
    struct scene *scene = begin_with(_i == 1);
    static bool seen[65536];
    struct endpoint from;
    uint8_t octets[512];
    uint16_t last = 0;

    find_ports(_i == 1, &first_port, &port_count);
    raise_limit();
    for (link_ticket ticket = 0; ticket < DRAWS; ticket++) {
        ck_assert(ask(scene, ticket, IPV4));
        ck_assert(take(scene, IPV4, octets, &from));
        uint16_t port = port_of(&from);
        ck_assert_uint_ge(port, first_port);
        ck_assert_uint_lt(port, first_port + port_count);
        ck_assert(!seen[port]); /* all are open at once */
        seen[port] = true;
        per_stretch[(port - first_port) * STRETCHES / port_count]++;
        rises += port > last;
        last = port;
    }
    for (size_t i = 0; i < STRETCHES; i++)
        ck_assert_uint_gt(per_stretch[i], 0);
    ck_assert_uint_gt(rises, 300); /* 500 with a deviation of 9: they do not go up or down */
    ck_assert_uint_lt(rises, 700);
    end(scene);
}

/* Asks, and answers with this first octet. Returns the question's port. */
static uint16_t ask_and_answer(struct scene *scene, link_ticket ticket, int family, uint8_t first)
{
    unsigned notified = scene->notified;
    struct endpoint from;
    uint8_t octets[512];

    ck_assert(ask(scene, ticket, (uint8_t)family));
    do
        ck_assert(take(scene, family, octets, &from));
    while (load32(octets + 36) != ticket);
    octets[0] = first;
    send_reply(scene, family, &from, octets, 40);
    turn_until_notified(scene, notified + 1);
    ck_assert_uint_eq(scene->fates[ticket].first, first);
    return port_of(&from);
}

TEST_LOOP(a_socket_used_again_has_another_port, 0, 2)
{
    enum { DRAWS = 1000 };
    struct scene *scene = begin_with(_i == 1);
    unsigned same = 0, rises = 0;
    uint16_t last = 0;

    for (unsigned i = 1; i <= DRAWS; i++) {
        uint16_t port = ask_and_answer(scene, i, IPV4, 0x11);
        same += port == last;
        rises += port > last;
        last = port;
    }
    ck_assert_uint_le(same, 5);    /* 0.04 on average */
    ck_assert_uint_gt(rises, 400); /* 500 with a deviation of 9 */
    ck_assert_uint_lt(rises, 600);
    end(scene);
}

/* Sends to a port that the next question no longer has, from the server's own address. */
static void send_strays(struct scene *scene, int family, uint16_t port, unsigned count)
{
    uint8_t stray[40] = {0x66};
    struct endpoint to = scene->upstreams[family].endpoint;

    endpoint_set_port(&to, port);
    for (unsigned i = 0; i < count; i++)
        send_reply(scene, family, &to, stray, sizeof stray);
}

TEST_LOOP(a_datagram_to_the_former_port_is_never_an_answer, IPV4, IPV6 + 1)
{
    enum { QUESTIONS = 300 };
    struct scene *scene = begin();
    struct endpoint from;
    uint8_t octets[512];
    uint16_t former;

    if (_i == IPV6 && !serving_has_ipv6()) {
        end(scene);
        return;
    }
    former = ask_and_answer(scene, 0, _i, 0x11);
    for (link_ticket ticket = 1; ticket < QUESTIONS; ticket++) {
        send_strays(scene, _i, former, 1); /* while it is spare */
        if (ticket % 3 == 0)
            turn(scene);
        ck_assert(ask(scene, ticket, (uint8_t)_i));
        ck_assert(take(scene, _i, octets, &from));
        former = port_of(&from) == former ? 9 : former; /* drawn again: once in 28,232 times */
        send_strays(scene, _i, former, 1);              /* while it is used again */
        turn(scene);
        ck_assert_uint_eq(scene->fates[ticket].responses, 0);
        octets[0] = 0x22;
        send_reply(scene, _i, &from, octets, 40);
        former = port_of(&from);
        send_strays(scene, _i, former,
                    ticket % 20); /* beside the answer: unread when it is taken */
        turn_until_notified(scene, ticket + 1);
        ck_assert_uint_eq(scene->fates[ticket].responses, 1);
        ck_assert_uint_eq(scene->fates[ticket].first, 0x22);
    }
    end(scene);
}

TEST(datagrams_from_other_addresses_are_not_received)
{
    struct scene *scene = begin();
    struct endpoint from, other = {.v4 = {.sin_family = AF_INET}};
    uint8_t octets[512];

    ck_assert(ask(scene, 0, IPV4));
    ck_assert(take(scene, IPV4, octets, &from));
    int stranger = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert(endpoint_read("127.0.0.2", 1, &other));
    other.v4.sin_port = scene->upstreams[IPV4].endpoint.v4.sin_port;
    ck_assert_int_eq(bind(stranger, &other.any, sizeof other.v4), 0);
    from.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (unsigned i = 0; i < 100; i++)
        sendto(stranger, octets, 40, 0, &from.any, sizeof from.v4);
    octets[0] = 0x99;
    send_reply(scene, IPV4, &from, octets, 40);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert_uint_eq(scene->fates[0].first, 0x99);
    close(stranger);
    end(scene);
}

TEST(an_attempt_stays_open_until_forget)
{
    struct scene *scene = begin();
    struct endpoint from;
    uint8_t octets[512];

    scene->keeps = true;
    ck_assert(ask(scene, 3, IPV4));
    ck_assert(take(scene, IPV4, octets, &from));
    for (unsigned i = 0; i < 30; i++)
        send_reply(scene, IPV4, &from, octets, i); /* of no octets, too */
    turn_until_notified(scene, 30);
    ck_assert_uint_eq(scene->fates[3].responses, 30);
    send_reply(scene, IPV4, &from, octets, 40);
    forget(scene, 3);
    for (unsigned i = 0; i < 5; i++)
        turn(scene);
    ck_assert_uint_eq(scene->notified, 30);
    end(scene);
}

TEST(the_longest_datagram_is_received)
{
    static uint8_t octets[65507];
    struct scene *scene = begin();
    struct endpoint from;

    ck_assert(ask(scene, 0, IPV4));
    ck_assert(take(scene, IPV4, octets, &from));
    send_reply(scene, IPV4, &from, octets, sizeof octets);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[0].length, sizeof octets);
    end(scene);
}

TEST(a_forgotten_attempt_is_not_mistaken_for_its_successor)
{
    struct scene *scene = begin();
    struct endpoint first, second, third;
    uint8_t octets[512];

    /* Both have something to read when epoll is asked; the first response has the second attempt
     * forgotten, and its ticket used again. */
    ck_assert(ask(scene, 0, IPV4));
    ck_assert(take(scene, IPV4, octets, &first));
    ck_assert(ask(scene, 1, IPV4));
    ck_assert(take(scene, IPV4, octets, &second));
    send_reply(scene, IPV4, &first, octets, 40);
    send_reply(scene, IPV4, &second, octets, 40);
    scene->also = 1;
    turn_until_notified(scene, 1);
    for (unsigned i = 0; i < 5; i++)
        turn(scene);
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
    ck_assert(take(scene, IPV4, octets, &third));
    octets[0] = 0x33;
    send_reply(scene, IPV4, &third, octets, 40);
    turn_until_notified(scene, 2);
    ck_assert_uint_eq(scene->fates[1].first, 0x33);
    end(scene);
}

TEST(a_closed_port_and_an_unreachable_host_are_different_failures)
{
    struct scene *scene = begin();

    close(scene->far_udp[IPV4]);
    scene->far_udp[IPV4] = dup(0);
    ck_assert(ask(scene, 0, IPV4));
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[0].failures, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_REFUSED);
    /* Its ticket is free again. */
    ck_assert(ask(scene, 0, IPV4));
    turn_until_notified(scene, 2);
    end(scene);
}

TEST(an_attempt_that_cannot_be_sent_is_notified_in_the_next_turn)
{
    struct scene *scene = begin();

    ck_assert(ask(scene, 0, LOST));
    ck_assert(ask(scene, 1, LOST));
    ck_assert(ask(scene, 2, LOST));
    ck_assert_uint_eq(scene->notified, 0);
    forget(scene, 1);
    turn_until_notified(scene, 2);
    ck_assert_uint_eq(scene->fates[0].failures, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    ck_assert_uint_eq(scene->fates[1].failures, 0);
    ck_assert_uint_eq(scene->fates[2].failures, 1);
    end(scene);
}

TEST(asking_again_at_once_does_not_block_the_loop)
{
    struct scene *scene = begin();

    scene->asks_again = true;
    for (link_ticket ticket = 0; ticket < 100; ticket++)
        ck_assert(ask(scene, ticket, LOST));
    for (unsigned turns = 1; turns < 5; turns++) {
        turn(scene);
        ck_assert_uint_eq(scene->notified, 100 * turns);
    }
    end(scene);
}

TEST(a_ticket_that_failed_and_was_reused_fails_once_more_only)
{
    struct scene *scene = begin();

    ck_assert(ask(scene, 100, LOST)); /* is not pushed out by all that follows */
    for (unsigned i = 0; i < 3 * ATTEMPTS; i++) {
        ck_assert(ask(scene, i % 7, LOST));
        forget(scene, i % 7);
    }
    ck_assert(ask(scene, 3, LOST));
    for (unsigned i = 0; i < 5; i++)
        turn(scene);
    ck_assert_uint_eq(scene->notified, 2);
    ck_assert_uint_eq(scene->fates[3].failures, 1);
    ck_assert_uint_eq(scene->fates[100].failures, 1);
    end(scene);
}

TEST(a_failed_ticket_may_be_forgotten_before_it_is_notified)
{
    struct scene *scene = begin();
    struct endpoint from;
    uint8_t octets[512];

    ck_assert(ask(scene, 0, LOST));
    forget(scene, 0);
    ck_assert(ask(scene, 0, IPV4));
    turn(scene);
    ck_assert_uint_eq(scene->notified, 0);
    ck_assert(take(scene, IPV4, octets, &from));
    send_reply(scene, IPV4, &from, octets, 40);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
    end(scene);
}

TEST(without_descriptors_nothing_is_sent_and_nothing_is_lost)
{
    struct rlimit limit, low;
    struct scene *scene = begin();
    struct endpoint from;
    uint8_t octets[512];
    link_ticket sent = 0;

    unsigned before = descriptors_open();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = (struct rlimit){.rlim_cur = 200, .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (link_ticket ticket = 0; ticket < 2000; ticket++)
        sent += ask(scene, ticket, ticket % 50 == 49 ? TCP_ONLY : IPV4);
    ck_assert_uint_gt(sent, 100);
    ck_assert_uint_lt(sent, 250);
    ck_assert(!ask(scene, 2001, IPV4));
    for (link_ticket ticket = 0; ticket < 2002; ticket++)
        forget(scene, ticket);
    ck_assert(ask(scene, 2001, IPV4));
    do
        ck_assert(take(scene, IPV4, octets, &from));
    while (load32(octets + 36) != 2001);
    send_reply(scene, IPV4, &from, octets, 40);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[2001].responses, 1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_le(descriptors_open(), before + 3); /* a stream's, its server's, a spare one */
    end(scene);
}

TEST(many_answers_at_once_are_all_received)
{
    static struct endpoint from[2000];
    struct scene *scene = begin();
    uint8_t octets[512];
    size_t count = sizeof from / sizeof *from, most = raise_limit() - 100;

    if (count > most)
        count = most;
    for (link_ticket ticket = 0; ticket < count; ticket++) {
        ck_assert(ask(scene, ticket, IPV4));
        ck_assert(take(scene, IPV4, octets, &from[ticket]));
    }
    for (link_ticket ticket = 0; ticket < count; ticket++)
        send_reply(scene, IPV4, &from[ticket], octets, 40);
    turn(scene);
    ck_assert_uint_gt(scene->notified, 0);
    ck_assert_uint_le(scene->notified, 8 * 8); /* other handles of the loop are served */
    turn_until_notified(scene, (unsigned)count);
    ck_assert_uint_le(scene->longest_run, 8); /* and others in between */
    ck_assert_uint_eq(scene->run, 0);
    for (link_ticket ticket = 0; ticket < count; ticket++)
        ck_assert_uint_eq(scene->fates[ticket].responses, 1);
    end(scene);
}

TEST(no_descriptor_is_left_behind)
{
    struct scene *scene = begin();
    struct endpoint from;
    uint8_t octets[512];

    unsigned before = descriptors_open();
    for (unsigned i = 1; i <= 10000; i++) {
        ck_assert(ask(scene, i % ATTEMPTS, IPV4));
        ck_assert(take(scene, IPV4, octets, &from));
        send_reply(scene, IPV4, &from, octets, 40);
        turn_until_notified(scene, i);
    }
    ck_assert_uint_le(descriptors_open(), before + 1); /* one is spare */
    end(scene);
}

/* ---- streams ---- */

TEST(questions_over_a_stream_share_one_connection)
{
    struct scene *scene = begin();

    for (link_ticket ticket = 0; ticket < 100; ticket++)
        ck_assert(ask(scene, ticket, TCP_ONLY));
    while (scene->peer.count == 0 || stream_peer_count(stream_peer_last(&scene->peer)) < 100)
        turn(scene);
    for (size_t number = 100; number-- > 0;)
        stream_peer_answer(stream_peer_last(&scene->peer), number);
    turn_until_notified(scene, 100);
    for (link_ticket ticket = 0; ticket < 100; ticket++)
        ck_assert_uint_eq(scene->fates[ticket].responses, 1);
    ck_assert_uint_eq(scene->peer.count, 1);
    end(scene);
}

TEST(a_tls_server_is_never_asked_in_plain_dns)
{
    struct scene *scene = begin();
    struct upstream secure = scene->upstreams[TCP_ONLY];
    const struct upstream *servers[] = {&secure};
    struct err err;

    sockets_free(scene->sockets);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    secure.is_tls = true;
    secure.text = "tls://127.0.0.1";
    scene->sockets = sockets_new(&(struct sockets_options){.loop = &scene->loop,
                                                           .servers = servers,
                                                           .server_count = 1,
                                                           .attempts = 10,
                                                           .stats = &scene->stats},
                                 &err);
    scene->link = sockets_link(scene->sockets);
    ck_assert(ask(scene, 0, 0));
    while (scene->peer.count == 0 || stream_peer_last(&scene->peer)->length == 0)
        turn(scene);
    ck_assert_uint_eq(stream_peer_last(&scene->peer)->received[0], 22); /* a TLS handshake */
    end(scene);
}

TEST(no_more_sockets_are_open_than_sockets_most)
{
    enum { SHARE = 3 };
    struct scene *scene = begin();
    struct err err;

    sockets_free(scene->sockets);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    scene->sockets = sockets_new(&(struct sockets_options){.loop = &scene->loop,
                                                           .servers = scene->servers,
                                                           .server_count = SERVERS,
                                                           .attempts = 10,
                                                           .sockets_most = SHARE,
                                                           .stats = &scene->stats},
                                 &err);
    struct link *link = scene->link = sockets_link(scene->sockets);
    for (link_ticket ticket = 0; ticket < SHARE; ticket++)
        ck_assert(ask(scene, ticket, IPV4));
    ck_assert(!ask(scene, SHARE, IPV4));
    ck_assert(!ask(scene, SHARE, LOST));
    link->forget(link, 1);
    ck_assert(ask(scene, 1, IPV4));
    ck_assert(!ask(scene, SHARE, IPV4));
    end(scene);
}

TEST(a_broken_stream_fails_its_questions)
{
    struct scene *scene = begin();

    ck_assert(ask(scene, 0, TCP_ONLY));
    while (scene->peer.count == 0 || stream_peer_count(stream_peer_last(&scene->peer)) < 1)
        turn(scene);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_notified(scene, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    ck_assert(ask(scene, 0, TCP_ONLY));
    while (scene->peer.count < 2 || stream_peer_count(stream_peer_last(&scene->peer)) < 1)
        turn(scene);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(scene, 2);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
    end(scene);
}

/* Waits until a connection of its own has so many questions. */
static void turn_until_asked(struct scene *scene, size_t connections, size_t questions)
{
    while (scene->peer.count < connections ||
           stream_peer_count(stream_peer_last(&scene->peer)) < questions)
        turn(scene);
}

TEST(a_question_does_not_wait_for_a_silent_connection)
{
    struct scene *scene = begin();

    ck_assert(ask(scene, 0, TCP_ONLY));
    turn_until_asked(scene, 1, 1);
    ck_assert(ask(scene, 1, TCP_ONLY));
    turn_until_asked(scene, 1, 2);
    scene->loop.time += STREAM_DOUBT_MS;
    ck_assert(ask(scene, 2, TCP_ONLY));
    turn_until_asked(scene, 2, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[2].responses, 1);
    /* A late answer is accepted, and the next question stays where answers come. */
    stream_peer_answer(&scene->peer.ends[0], 0);
    turn_until_notified(scene, 2);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
    scene->link->forget(scene->link, 2);
    ck_assert(ask(scene, 3, TCP_ONLY));
    turn_until_asked(scene, 2, 2);
    ck_assert_uint_eq(scene->peer.count, 2);
    end(scene);
}

TEST(after_a_slow_question_each_is_sent_alone)
{
    struct scene *scene = begin();

    for (link_ticket ticket = 0; ticket < 4; ticket++) {
        ck_assert(ask(scene, ticket, TCP_ONLY));
        turn_until_asked(scene, ticket + 1, 1);
        scene->loop.time += STREAM_DOUBT_MS; /* until the next turn */
    }
    /* A connection without questions takes the next. */
    stream_peer_answer(&scene->peer.ends[2], 0);
    turn_until_notified(scene, 1);
    scene->link->forget(scene->link, 2);
    scene->loop.time += STREAM_DOUBT_MS;
    ck_assert(ask(scene, 4, TCP_ONLY));
    while (stream_peer_count(&scene->peer.ends[2]) < 2)
        turn(scene);
    ck_assert_uint_eq(scene->peer.count, 4);
    end(scene);
}

TEST(once_no_question_is_slow_any_more_they_share_a_connection_again)
{
    struct scene *scene = begin();

    for (link_ticket ticket = 0; ticket < 2; ticket++) {
        ck_assert(ask(scene, ticket, TCP_ONLY));
        turn_until_asked(scene, ticket + 1, 1);
        scene->loop.time += STREAM_DOUBT_MS;
    }
    stream_peer_answer(&scene->peer.ends[0], 0);
    stream_peer_answer(&scene->peer.ends[1], 0);
    turn_until_notified(scene, 2);
    scene->link->forget(scene->link, 0);
    scene->link->forget(scene->link, 1);
    scene->loop.time += 11000;
    ck_assert(ask(scene, 2, TCP_ONLY));
    ck_assert(ask(scene, 3, TCP_ONLY));
    turn_until_asked(scene, 2, 3);
    ck_assert_uint_eq(scene->peer.count, 2);
    end(scene);
}

TEST(without_room_the_oldest_silent_connection_is_replaced)
{
    struct scene *scene = begin();

    for (link_ticket ticket = 0; ticket < SERVER_STREAMS_MOST; ticket++) {
        ck_assert(ask(scene, ticket, TCP_ONLY));
        turn_until_asked(scene, ticket + 1, 1);
        scene->loop.time += ticket + 1 < SERVER_STREAMS_MOST ? STREAM_DOUBT_MS : STREAM_OPENING_MS;
    }
    ck_assert(ask(scene, SERVER_STREAMS_MOST, TCP_ONLY));
    turn_until_asked(scene, SERVER_STREAMS_MOST + 1, 1);
    turn_until_notified(scene, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    for (link_ticket ticket = 1; ticket <= SERVER_STREAMS_MOST; ticket++)
        ck_assert_uint_eq(scene->fates[ticket].failures, 0);
    end(scene);
}

TEST(open_attempts_are_dropped_at_the_end)
{
    struct scene *scene = begin();

    for (link_ticket ticket = 0; ticket < 30; ticket++)
        ck_assert(ask(scene, ticket, (uint8_t)(ticket % 3 == 0 ? IPV4 : ticket % 3 + 1)));
    turn(scene);
    unsigned notified = scene->notified;
    for (link_ticket ticket = 30; ticket < 60; ticket++)
        ck_assert(ask(scene, ticket, (uint8_t)(ticket % 3 == 0 ? IPV4 : ticket % 3 + 1)));
    sockets_free(scene->sockets);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(scene->notified, notified);
    ck_assert_int_eq(uv_loop_close(&scene->loop), 0);
    stream_peer_close(&scene->peer);
    close(scene->far_udp[IPV4]), close(scene->far_udp[IPV6]);
    free(scene);
}

TEST(an_idle_stream_does_not_wake_the_loop)
{
    struct scene *scene = begin();

    ck_assert(ask(scene, 0, TCP_ONLY));
    while (scene->peer.count == 0 || stream_peer_count(stream_peer_last(&scene->peer)) < 1)
        turn(scene);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(scene, 1);
    turn(scene);
    /* Until the next tick the loop may sleep; once closed, for ever. */
    ck_assert_int_gt(uv_backend_timeout(&scene->loop), 0);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    uv_run(&scene->loop, UV_RUN_ONCE);
    uv_run(&scene->loop, UV_RUN_ONCE);
    ck_assert_int_eq(uv_backend_timeout(&scene->loop), -1);
    end(scene);
}

static const struct {
    link_ticket ticket;
    uint8_t server;
    bool is_forgotten;
} beyond[] = {{ATTEMPTS, IPV4, false}, {0, SERVERS, false}, {1, IPV4, false}, {ATTEMPTS, 0, true}};

TEST_OVER_SIGNAL(a_ticket_or_server_that_there_is_not_ends_the_process, beyond, SIGABRT)
{
    struct scene *scene = begin();

    ck_assert(ask(scene, 1, IPV4)); /* a ticket in use is not sent again */
    if (beyond[_i].is_forgotten)
        forget(scene, beyond[_i].ticket);
    else
        ask(scene, beyond[_i].ticket, beyond[_i].server);
}

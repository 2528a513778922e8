// wrap: socket_last_age_ms tap_takes_next tapping_send
#include "serve/udp.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/socket.h"
#include "serve/tapping.h"
#include "serve/udp_batch.h"
#include "serve/udp_late.h"
#include "support/request.h"
#include "support/serving.h"
#include "support/suite.h"
#include "support/world.h"

/* However slow a test is. */
static const uint64_t JUST_NOW = UINT64_MAX - BACKLOG_QUIET_MS;

/* How old the newest request of each batch is after a standstill; none: the kernel knows. */
static const uint64_t *ages_ms;
static size_t age_count;

uint64_t __wrap_socket_last_age_ms(int descriptor);
uint64_t __real_socket_last_age_ms(int descriptor);

uint64_t __wrap_socket_last_age_ms(int descriptor)
{
    if (age_count == 0)
        return __real_socket_last_age_ms(descriptor);
    age_count--;
    return *ages_ms++;
}

/* Of what dnstap got: how many had the request that was asked and the reply to it. */
static unsigned taps;

bool __wrap_tap_takes_next(struct tap_feed *feed);
bool __wrap_tap_takes_next(struct tap_feed *feed)
{
    (void)feed;
    return true;
}

bool __wrap_tapping_send(struct tap_feed *feed, const struct dnstap_origin *origin,
                         const struct exchange *exchange, const struct tapped *tapped);
bool __wrap_tapping_send(struct tap_feed *feed, const struct dnstap_origin *origin,
                         const struct exchange *exchange, const struct tapped *tapped)
{
    uint8_t query[REQUEST_OCTETS_MOST];
    size_t length = serving_query(exchange->query.id, query);

    (void)feed;
    (void)origin;
    (void)tapped;
    taps += exchange->request_length == length && memcmp(exchange->request, query, length) == 0 &&
            load16(exchange->reply) == exchange->query.id && (exchange->reply[2] & 0x80) != 0;
    return true;
}

/* One served socket on loopback and a client. */
struct scene {
    struct serving serving;
    struct udp udp;
    struct udp_socket socket;
    struct endpoint address; /* the destination of requests */
    int client;
};

/* Opens on `listen` with a port of the kernel's choice; asks at `ask`. */
static void begin(struct scene *scene, const char *listen, const char *ask)
{
    struct endpoint endpoint;
    struct err err;

    serving_init(&scene->serving);
    ck_assert(udp_init(&scene->udp, &scene->serving.batch));
    ck_assert(endpoint_read(listen, 1, &endpoint));
    endpoint.v4.sin_port = 0; /* at the same offset in both families */
    int descriptor = socket_open_udp(&endpoint, 1 << 20, &err);
    ck_assert_msg(descriptor >= 0, "%s", err.text);
    struct endpoint local = serving_local(descriptor);
    ck_assert(endpoint_read(ask, ntohs(local.v4.sin_port), &scene->address));
    ck_assert_int_eq(
        udp_socket_start(&scene->socket, &scene->udp, &scene->serving.loop, descriptor, &endpoint),
        0);
    udp_socket_begin(&scene->socket);
    scene->client = socket(scene->address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

static void end(struct scene *scene)
{
    close(scene->client);
    udp_socket_stop(&scene->socket);
    serving_close(&scene->serving);
    udp_close(&scene->udp);
}

static void put(struct scene *scene, const void *octets, size_t length)
{
    ck_assert_int_eq(sendto(scene->client, octets, length, 0, &scene->address.any,
                            endpoint_octets(&scene->address)),
                     (ssize_t)length);
}

static void ask(struct scene *scene, uint16_t id)
{
    uint8_t query[REQUEST_OCTETS_MOST];

    put(scene, query, serving_query(id, query));
}

/* Takes a reply and returns its id, -1 when there is none. */
static int take_reply(struct scene *scene)
{
    uint8_t reply[1500];
    struct endpoint from;
    socklen_t octets = sizeof from;
    ssize_t got = recvfrom(scene->client, reply, sizeof reply, 0, &from.any, &octets);

    if (got < 0)
        return -1;
    ck_assert_int_ge(got, 12);
    ck_assert_mem_eq(&from, &scene->address, endpoint_octets(&scene->address));
    return load16(reply);
}

TEST(a_query_is_answered_by_the_loop)
{
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    ask(&scene, 7);
    serving_turn(&scene.serving);
    ck_assert_int_eq(take_reply(&scene), 7);
    ck_assert_int_eq(take_reply(&scene), -1);
    ck_assert_uint_eq(scene.serving.batch.exchanges[0].path.destination, 0x7f000001);
    ck_assert_uint_eq(scene.serving.batch.exchanges[0].path.source, 0x7f000001);
    end(&scene);
}

/* Around one group, one batch and two. */
static const unsigned counts[] = {1, 15, 16, 17, 63, 64, 65, 128, 129};

TEST_OVER(any_number_of_queries_is_answered_in_one_turn, counts)
{
    struct scene scene;
    unsigned count = counts[_i];

    begin(&scene, "127.0.0.1", "127.0.0.1");
    scene.socket.backlog.read_ms = JUST_NOW;
    for (unsigned id = 1; id <= count; id++)
        ask(&scene, (uint16_t)id);
    serving_turn(&scene.serving);
    for (unsigned id = 1; id <= count; id++)
        ck_assert_int_eq(take_reply(&scene), (int)id);
    ck_assert_int_eq(take_reply(&scene), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REQUESTS), count);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), count);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_BATCHES), (count + 63) / 64);
    end(&scene);
}

TEST(what_gets_no_reply_leaves_no_gap)
{
    static const uint8_t runt[11] = {0};
    uint8_t response[REQUEST_OCTETS_MOST];
    size_t length = serving_query(3, response);
    struct scene scene;

    response[2] |= 0x80;
    begin(&scene, "127.0.0.1", "127.0.0.1");
    put(&scene, runt, sizeof runt);
    ask(&scene, 1);
    put(&scene, response, length);
    put(&scene, runt, 0);
    ask(&scene, 2);
    ck_assert_int_eq(udp_serve_batch(&scene.socket), 5);
    ck_assert_int_eq(take_reply(&scene), 1);
    ck_assert_int_eq(take_reply(&scene), 2);
    ck_assert_int_eq(take_reply(&scene), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_DROPPED), 3);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 2);
    end(&scene);
}

/* A reply is written where its request was; one that is dropped lies between others. */
TEST(gaps_in_any_group_leave_the_others_their_replies)
{
    static const uint8_t runt[11] = {0};
    struct scene scene;

    begin(&scene, "0.0.0.0", "127.0.0.9");
    for (uint16_t id = 1; id <= 60; id++)
        if (id % 3 == 0)
            put(&scene, runt, sizeof runt);
        else
            ask(&scene, id);
    ck_assert_int_eq(udp_serve_batch(&scene.socket), 60);
    for (uint16_t id = 1; id <= 60; id++)
        if (id % 3 != 0)
            ck_assert_int_eq(take_reply(&scene), id); /* which compares the address */
    ck_assert_int_eq(take_reply(&scene), -1);
    for (uint16_t id = 1; id <= 64; id++)
        ask(&scene, id);
    ck_assert_int_eq(udp_serve_batch(&scene.socket), 64);
    for (uint16_t id = 1; id <= 64; id++)
        ck_assert_int_eq(take_reply(&scene), id);
    end(&scene);
}

TEST(dnstap_has_the_octets_of_both_request_and_reply)
{
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    scene.serving.batch.tap = (struct tap_feed *)&scene;
    taps = 0;
    for (uint16_t id = 1; id <= 40; id++)
        ask(&scene, id);
    ck_assert_int_eq(udp_serve_batch(&scene.socket), 40);
    for (uint16_t id = 1; id <= 40; id++)
        ck_assert_int_eq(take_reply(&scene), id);
    ck_assert_uint_eq(taps, 40);
    scene.serving.batch.tap = NULL;
    end(&scene);
}

TEST(a_request_of_4096_octets_is_read_and_a_longer_one_dropped)
{
    uint8_t octets[4097] = {0, 9};
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    put(&scene, octets, 4096);
    put(&scene, octets, 4097);
    ask(&scene, 2);
    ck_assert_int_eq(udp_serve_batch(&scene.socket), 3);
    ck_assert_int_eq(take_reply(&scene), 9);
    ck_assert_int_eq(take_reply(&scene), 2);
    ck_assert_int_eq(take_reply(&scene), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_OVERSIZED), 1);
    end(&scene);
}

/* Listen address, destination address, and the exchange's destination. */
static const struct {
    const char *listen;
    const char *ask;
    uint32_t destination;
} wildcards[] = {
    {"0.0.0.0", "127.0.0.1", 0x7f000001},
    {"0.0.0.0", "127.0.0.77", 0x7f00004d},
    {"::", "::1", 0},
    {"::1", "::1", 0},
};

TEST_OVER(a_reply_leaves_from_the_asked_address, wildcards)
{
    struct scene scene;

    if (wildcards[_i].listen[0] == ':' && !serving_has_ipv6())
        return;
    begin(&scene, wildcards[_i].listen, wildcards[_i].ask);
    for (uint16_t id = 1; id <= 70; id++)
        ask(&scene, id);
    serving_turn(&scene.serving);
    for (uint16_t id = 1; id <= 70; id++)
        ck_assert_int_eq(take_reply(&scene), id); /* which compares the address */
    const struct path *path = &scene.serving.batch.exchanges[0].path;
    ck_assert_uint_eq(path->destination, wildcards[_i].destination);
    ck_assert_uint_eq(path->source, 0x7f000001);
    ck_assert(!path->is_ipv6);
    end(&scene);
}

/* Wildcard sockets have it from the start, others once it is requested, also within a batch. */
static const struct {
    const char *listen;
    bool is_requested;
    bool has_it;
} interfaces[] = {
    {"0.0.0.0", false, true},
    {"127.0.0.1", false, false},
    {"127.0.0.1", true, true},
};

TEST_OVER(a_request_has_the_interface_that_it_came_by, interfaces)
{
    struct scene scene;

    begin(&scene, interfaces[_i].listen, "127.0.0.1");
    ask(&scene, 1);
    ck_assert_int_eq(udp_serve_batch(&scene.socket), 1);
    ck_assert_int_eq(take_reply(&scene), 1);
    if (interfaces[_i].is_requested)
        udp_socket_request_interfaces(&scene.socket);
    for (uint16_t id = 2; id <= 71; id++)
        ask(&scene, id);
    serving_turn(&scene.serving);
    for (uint16_t id = 2; id <= 71; id++)
        ck_assert_int_eq(take_reply(&scene), id); /* which compares the address */
    for (unsigned i = 0; i < UDP_GROUP_MOST; i++) {
        const struct path *path = &scene.serving.batch.exchanges[i].path;
        ck_assert_uint_eq(path->interface, interfaces[_i].has_it ? if_nametoindex("lo") : 0);
        ck_assert_uint_eq(path->destination, 0x7f000001);
    }
    end(&scene);
}

/* Or a stranger would have the interface of whoever asked before, and its connection's device. */
TEST(a_request_has_no_interface_of_one_before)
{
    struct scene first, second;
    const struct path *path = &first.serving.batch.exchanges[0].path;

    begin(&first, "0.0.0.0", "127.0.0.1");
    begin(&second, "127.0.0.1", "127.0.0.1");
    second.socket.udp = &first.udp;
    ask(&first, 1);
    ck_assert_int_eq(udp_serve_batch(&first.socket), 1);
    ck_assert_uint_eq(path->interface, if_nametoindex("lo"));
    ask(&second, 2);
    ck_assert_int_eq(udp_serve_batch(&second.socket), 1);
    ck_assert_uint_eq(path->interface, 0);
    ck_assert_int_eq(take_reply(&first), 1);
    ck_assert_int_eq(take_reply(&second), 2);
    end(&second);
    end(&first);
}

TEST(sockets_of_both_families_share_the_buffers)
{
    struct scene first, second;

    if (!serving_has_ipv6())
        return;
    begin(&first, "127.0.0.1", "127.0.0.1");
    begin(&second, "::", "::1");
    second.socket.udp = &first.udp;
    for (uint16_t id = 1; id <= 3; id++) {
        ask(&first, id);
        ask(&second, id);
        ck_assert_int_eq(udp_serve_batch(&first.socket), 1);
        ck_assert_int_eq(udp_serve_batch(&second.socket), 1);
        ck_assert_int_eq(take_reply(&first), id);
        ck_assert_int_eq(take_reply(&second), id);
    }
    end(&second);
    end(&first);
}

TEST(a_client_that_is_gone_does_no_harm)
{
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    ask(&scene, 1);
    close(scene.client); /* the reply will come back as an ICMP error */
    serving_turn(&scene.serving);
    scene.client = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ask(&scene, 2);
    serving_turn(&scene.serving);
    ck_assert_int_eq(take_reply(&scene), 2);
    end(&scene);
}

TEST(what_has_come_before_a_stop_is_answered)
{
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    for (uint16_t id = 1; id <= 200; id++)
        ask(&scene, id);
    udp_serve_all(&scene.socket);
    for (uint16_t id = 1; id <= 200; id++)
        ck_assert_int_eq(take_reply(&scene), id);
    end(&scene);
}

/* A socket that is far behind is emptied, and its newest requests are answered. */
static const struct {
    uint64_t behind_ms;
    bool has_dropped; /* a moment ago */
} overloads[] = {{BACKLOG_PATIENCE_MS, false}, {BACKLOG_LONG_MS, true}};

TEST_OVER(past_saturation_the_newest_are_answered_and_the_others_dropped, overloads)
{
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    uint64_t now_ms = uv_now(&scene.serving.loop);
    scene.socket.backlog.is_there = true;
    scene.socket.backlog.read_ms = JUST_NOW;
    scene.socket.backlog.since_ms = now_ms - overloads[_i].behind_ms;
    scene.socket.backlog.dropped_ms = overloads[_i].has_dropped ? now_ms : 0;
    scene.socket.backlog.served = 3 * overloads[_i].behind_ms; /* a pace of three a millisecond */
    for (uint16_t id = 1; id <= 200; id++)
        ask(&scene, id);
    serving_turn(&scene.serving);
    for (uint16_t id = 193; id <= 200; id++)
        ck_assert_int_eq(take_reply(&scene), id);
    ck_assert_int_eq(take_reply(&scene), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_OUTDATED), 192);
    ck_assert(!scene.socket.backlog.is_there);
    ask(&scene, 201);
    serving_turn(&scene.serving);
    ck_assert_int_eq(take_reply(&scene), 201);
    end(&scene);
}

/* Lets the socket be far behind, at a pace of three requests a millisecond. */
static void fall_behind(struct scene *scene)
{
    struct backlog *backlog = &scene->socket.backlog;

    backlog->is_there = true;
    backlog->read_ms = JUST_NOW;
    backlog->since_ms = uv_now(&scene->serving.loop) - BACKLOG_PATIENCE_MS;
    backlog->served = 3 * BACKLOG_PATIENCE_MS;
}

/* With a control message for each request and without. */
static const char *const shared_by[] = {"127.0.0.1", "0.0.0.0"};

TEST_OVER(past_saturation_every_client_of_a_space_has_a_share, shared_by)
{
    const struct sockaddr_in other = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
    struct scene scene;
    struct world world;

    world_init(&world);
    scratch_copy(&world.folder, "zones/test-space.yaml");
    world.local[0] = "test-space";
    world.policy.local.space_count = 1;
    world_must_load(&world);
    begin(&scene, shared_by[_i], "127.0.0.1");
    mailbox_post(&scene.serving.mailbox, world.snapshot);
    int client = scene.client, few = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(few, (const struct sockaddr *)&other, sizeof other), 0);
    fall_behind(&scene);
    for (uint16_t id = 1; id <= 200; id++) {
        scene.client = id % 50 == 0 && id < 192 ? few : client;
        ask(&scene, id);
    }
    serving_turn(&scene.serving);
    scene.client = few;
    for (uint16_t id = 50; id <= 150; id += 50)
        ck_assert_int_eq(take_reply(&scene), id);
    scene.client = client;
    for (uint16_t id = 1; id <= SHARE_OF_CLIENT; id++)
        ck_assert_int_eq(take_reply(&scene), id);
    for (uint16_t id = 193; id <= 200; id++)
        ck_assert_int_eq(take_reply(&scene), id);
    ck_assert_int_eq(take_reply(&scene), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_OUTDATED),
                      192 - 3 - SHARE_OF_CLIENT);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_DROPPED), 0);
    close(few);
    end(&scene);
    world_close(&world);
}

/* Not far behind: for a short time only, or with few unread for its pace. */
static const struct {
    bool is_behind;
    uint64_t behind_ms;
    uint64_t served;
} paces[] = {
    {false, BACKLOG_PATIENCE_MS, 1},
    {true, BACKLOG_PATIENCE_MS, 1 << 20},
    {true, BACKLOG_LONG_MS, 1}, /* such as one that waited for a server to begin */
};

TEST_OVER(a_burst_that_can_be_answered_in_time_is_answered, paces)
{
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    scene.socket.backlog.is_there = paces[_i].is_behind;
    scene.socket.backlog.read_ms = JUST_NOW;
    scene.socket.backlog.since_ms = uv_now(&scene.serving.loop) - paces[_i].behind_ms;
    scene.socket.backlog.served = paces[_i].served;
    for (uint16_t id = 1; id <= 200; id++)
        ask(&scene, id);
    serving_turn(&scene.serving);
    uint64_t behind_ms = uv_now(&scene.serving.loop) - scene.socket.backlog.since_ms;
    bool is_too_late =
        paces[_i].behind_ms < BACKLOG_PATIENCE_MS && behind_ms >= BACKLOG_PATIENCE_MS;
    for (uint16_t id = 1; id <= 200 && !is_too_late; id++)
        ck_assert_int_eq(take_reply(&scene), id);
    ck_assert(is_too_late || serving_count(&scene.serving, COUNTER_UDP_OUTDATED) == 0);
    end(&scene);
}

/* One by one, for the kernel knows the age of the one that was read last. */
TEST(after_a_standstill_requests_older_than_a_second_are_dropped)
{
    static const uint64_t ages[] = {3000, 2000, BACKLOG_OUTDATED_MS + 1, BACKLOG_OUTDATED_MS};
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    scene.socket.backlog.read_ms = 1; /* long ago */
    ages_ms = ages;
    age_count = 4;
    for (uint16_t id = 1; id <= 200; id++)
        ask(&scene, id);
    serving_turn(&scene.serving);
    for (uint16_t id = 4; id <= 200; id++)
        ck_assert_int_eq(take_reply(&scene), id);
    ck_assert_int_eq(take_reply(&scene), -1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_OUTDATED), 3);
    ck_assert_uint_eq(age_count, 0);
    end(&scene);
}

TEST(after_a_standstill_a_few_that_are_all_old_are_dropped)
{
    static const uint64_t ages[] = {1500};
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    scene.socket.backlog.read_ms = 1; /* long ago */
    ages_ms = ages;
    age_count = 1;
    ask(&scene, 1);
    serving_turn(&scene.serving);
    ck_assert_int_eq(take_reply(&scene), -1);
    ask(&scene, 2);
    serving_turn(&scene.serving);
    ck_assert_int_eq(take_reply(&scene), 2);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_OUTDATED), 1);
    end(&scene);
}

/* Without a standstill the kernel is not asked, whatever it would say. */
TEST(a_socket_that_is_read_all_the_time_drops_nothing_as_old)
{
    static const uint64_t ages[] = {3000};
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    ages_ms = ages;
    age_count = 1;
    ask(&scene, 1);
    scene.socket.backlog.read_ms = JUST_NOW;
    serving_turn(&scene.serving);
    ck_assert_int_eq(take_reply(&scene), 1);
    ck_assert_uint_eq(age_count, 1);
    end(&scene);
}

TEST(a_look_answers_one_batch_of_what_has_come)
{
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    udp_socket_look(&scene.socket); /* nothing */
    for (uint16_t id = 1; id <= 100; id++)
        ask(&scene, id);
    udp_socket_look(&scene.socket);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 64);
    udp_socket_pause(&scene.socket); /* another process reads now */
    udp_socket_look(&scene.socket);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 64);
    udp_socket_begin(&scene.socket);
    udp_socket_look(&scene.socket);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 100);
    for (int id = 1; id <= 100; id++)
        ck_assert_int_eq(take_reply(&scene), id);
    end(&scene);
}

TEST(a_look_leaves_an_overload_to_the_loop)
{
    struct scene scene;

    begin(&scene, "127.0.0.1", "127.0.0.1");
    ask(&scene, 1);
    scene.socket.backlog.is_there = true;
    scene.socket.backlog.since_ms = uv_now(&scene.serving.loop) - BACKLOG_PATIENCE_MS;
    udp_socket_look(&scene.socket);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 0);
    scene.socket.backlog.is_there = false;
    scene.socket.backlog.read_ms = uv_now(&scene.serving.loop) - BACKLOG_QUIET_MS - 1;
    udp_socket_look(&scene.socket);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 0);
    serving_turn(&scene.serving);
    ck_assert_int_eq(take_reply(&scene), 1);
    end(&scene);
}

/* Answers a query with a reply after the batch, as for a forwarded query. */
static void answer_later(struct scene *scene, uint16_t id)
{
    struct late_client client;
    uint8_t reply[REQUEST_OCTETS_MOST];
    struct carrier *carrier = &scene->socket.carrier;

    ask(scene, 1);
    ck_assert_int_eq(udp_serve_batch(&scene->socket), 1);
    ck_assert_int_eq(take_reply(scene), 1);
    carrier->keep(carrier, 0, &client);
    ask(scene, 2); /* the batch's buffers have other contents meanwhile */
    ck_assert_int_eq(udp_serve_batch(&scene->socket), 1);
    ck_assert_int_eq(take_reply(scene), 2);
    struct endpoint asker = carrier->address(&client), own = serving_local(scene->client);
    ck_assert_uint_eq(asker.v4.sin_port, own.v4.sin_port);
    ck_assert(carrier->deliver(carrier, &client, reply, serving_query(id, reply)));
    udp_late_send(&scene->udp);
}

static const struct {
    const char *listen;
    const char *ask;
} later[] = {{"127.0.0.1", "127.0.0.1"}, {"0.0.0.0", "127.0.0.9"}, {"0.0.0.0", "127.0.0.1"}};

TEST_OVER(a_reply_that_comes_later_leaves_from_the_asked_address_too, later)
{
    struct scene scene;

    begin(&scene, later[_i].listen, later[_i].ask);
    answer_later(&scene, 99);
    ck_assert_int_eq(take_reply(&scene), 99); /* and compares the address it came from */
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_UDP_REPLIES), 3);
    end(&scene);
}

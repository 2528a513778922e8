// forks: its tests leave something behind
#include "respond/limits.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/world.h"
#include "wire/types.h"

enum { HEADER = 12, SECOND_MS = 1000 };

static const char app[] = "frozen-oasis-70544.herokuapp.com.";
static const char insider[] = "10.0.130.56", outsider[] = "203.0.113.9";

static struct world world;
static struct limits limits;
static struct stats stats;
static unsigned reports;

static void count_report(void *context)
{
    (void)context;
    reports++;
}

/* The rates of the settings' defaults; a test may set others. */
static void set_rates(uint32_t external, uint32_t slip, uint32_t client)
{
    struct policy *policy = &world.snapshot->policy;

    policy->external_rate = external;
    policy->external_interval_us = external == 0 ? 0 : rate_interval_us(external);
    policy->external_slip = slip;
    policy->client_rate = client;
    policy->client_interval_us = client == 0 ? 0 : rate_interval_us(client);
}

static void set_up(void)
{
    struct limit_tables *tables = limit_tables_new();

    ck_assert(tables != NULL);
    world_init_fixture(&world);
    limits_init(&limits, tables, &stats);
    limits.on_reported = count_report;
    limits.now_us = 9 * (uint64_t)RATE_SECOND_US;
    world.limits = &limits;
    set_rates(20, 2, 0);
}

static void tear_down(void)
{
    world_close(&world);
    limit_tables_free(limits.tables);
}

static void pass_ms(unsigned ms)
{
    limits.now_us += 1000 * (uint64_t)ms;
}

static uint64_t counted(enum counter counter)
{
    return atomic_load(&stats.counters[counter]);
}

/* Replies by kind, and octets in both directions. */
struct tally {
    unsigned full, terse, truncated, refused, none;
    size_t request_octets, reply_octets;
};

/* A truncated reply is the request's header and question. */
static void check_truncated(const uint8_t *request, size_t question_end, size_t length)
{
    const uint8_t *reply = world.reply;

    ck_assert_uint_eq(length, question_end);
    ck_assert_mem_eq(reply, request, 2);
    ck_assert_uint_eq(reply[2], 0x82 | (request[2] & 1)); /* QR, TC, RD as asked */
    ck_assert_uint_eq(reply[3] & 0x8f, 0);                /* RA, rcode */
    ck_assert_mem_eq(reply + 4, "\0\1\0\0\0\0\0", 8);
    ck_assert_mem_eq(reply + HEADER, request + HEADER, question_end - HEADER);
}

static void send_one(const struct ask *ask, struct tally *tally)
{
    uint8_t request[REQUEST_OCTETS_MOST];
    size_t octets = request_write(ask, request);
    size_t length = world_send(&world, request, octets, ask);
    size_t question_end = octets - (ask->no_edns ? 0 : 11) - (ask->nsid ? 4 : 0);

    tally->request_octets += octets;
    tally->reply_octets += length;
    if (length == 0) {
        tally->none++;
    } else if ((world.reply[2] & 2) != 0) {
        check_truncated(request, question_end, length);
        tally->truncated++;
    } else if (world.exchange.verdict.reason == REASON_RATE_LIMITED) {
        tally->refused++;
    } else if (length <= octets) {
        tally->terse++;
    } else {
        tally->full++;
    }
}

static struct tally send_often(const struct ask *ask, unsigned times)
{
    struct tally tally = {0};

    for (unsigned i = 0; i < times; i++)
        send_one(ask, &tally);
    return tally;
}

FIXTURE(set_up, tear_down)

static const struct {
    uint32_t slip;
    bool nxdomain;
    unsigned truncated; /* of a hundred above the rate */
} slips[] = {{2, false, 50}, {1, false, 100}, {0, false, 0}, {3, false, 33},
             {2, true, 50},  {1, true, 100},  {0, true, 0}};

TEST_OVER(an_outsider_gets_its_rate_and_then_every_slip_th_reply_truncated, slips)
{
    const struct ask ask = {.name = app, .from = outsider};

    world.snapshot->policy.external_nxdomain = slips[_i].nxdomain;
    set_rates(20, slips[_i].slip, 0);
    struct tally tally = send_often(&ask, 120);
    ck_assert_uint_eq(tally.full + tally.terse, 20);
    ck_assert_uint_eq(tally.terse, slips[_i].nxdomain ? 20 : 0);
    ck_assert_uint_eq(tally.truncated, slips[_i].truncated);
    ck_assert_uint_eq(tally.none, 100 - slips[_i].truncated);
    ck_assert_uint_eq(counted(COUNTER_EXTERNAL_SLIPPED), tally.truncated);
    ck_assert_uint_eq(counted(COUNTER_EXTERNAL_DROPPED), tally.none);
    pass_ms(2 * SECOND_MS);
    tally = send_often(&ask, 20);
    ck_assert_uint_eq(tally.full + tally.terse, 20);
    ck_assert_uint_eq(tally.terse, slips[_i].nxdomain ? 20 : 0);
}

/* Requests come in bursts and at an even pace, with and without EDNS, to both modes. */
static const struct {
    unsigned every_ms;
    unsigned burst;
    bool no_edns;
    bool nxdomain;
    uint32_t slip;
} floods[] = {
    {1, 1, false, false, 1},    {1, 1, false, false, 2},    {45, 1, false, false, 1},
    {950, 25, false, false, 1}, {999, 25, false, false, 1}, {500, 11, false, false, 2},
    {1, 1, true, false, 1},     {999, 25, true, true, 1},   {1, 1, false, true, 1},
    {1, 200, false, false, 1},
};

/* Sends a burst, of which no reply may be longer than its request. */
static void send_burst(const struct ask *ask, unsigned times, struct tally *tally)
{
    for (unsigned i = 0; i < times; i++) {
        size_t requests = tally->request_octets, replies = tally->reply_octets;
        send_one(ask, tally);
        ck_assert_uint_le(tally->reply_octets - replies, tally->request_octets - requests);
    }
}

TEST_OVER(after_the_first_limited_request_nobody_gets_more_than_was_sent, floods)
{
    struct ask ask = {.name = app, .from = outsider, .no_edns = floods[_i].no_edns};
    struct tally before = {0}, after = {0};

    world.snapshot->policy.external_nxdomain = floods[_i].nxdomain;
    set_rates(20, floods[_i].slip, 0);
    while (before.truncated + before.none == 0)
        send_one(&ask, &before);
    for (unsigned ms = 0; ms < 5 * SECOND_MS; ms += floods[_i].every_ms) {
        pass_ms(floods[_i].every_ms);
        send_burst(&ask, floods[_i].burst, &after);
    }
    ck_assert_uint_eq(after.full, 0);
    ck_assert_uint_gt(after.terse, 0);
    ck_assert_uint_le(after.terse, 5 * 20 + 20);
}

TEST(a_network_is_limited_as_one_and_its_neighbour_is_not)
{
    static const char *const same[] = {"203.0.113.0", "203.0.113.77", "203.0.113.255"};
    struct tally tally = {0};

    for (unsigned i = 0; i < 60; i++)
        send_one(&(struct ask){.name = app, .from = same[i % 3]}, &tally);
    ck_assert_uint_eq(tally.full, 20);
    tally = send_often(&(struct ask){.name = app, .from = "203.0.112.77"}, 20);
    ck_assert_uint_eq(tally.full, 20);
}

/* Over IPv6 the path is made by hand: the world's clients have IPv4 addresses. */
static bool is_limited_from(uint8_t seventh, uint8_t eighth)
{
    uint8_t request[REQUEST_OCTETS_MOST], reply[UDP_OCTETS_MOST];
    struct exchange exchange = {
        .request = request,
        .request_length = request_write(&(struct ask){.name = app}, request),
        .path = {.is_ipv6 = true,
                 .source_ipv6 = {0x20, 1, 0xd, 0xb8, 0, 7, seventh, eighth, 9, [15] = 1}},
        .reply = reply,
        .limits = &limits,
    };

    respond(world.snapshot, &exchange);
    return exchange.is_limited;
}

TEST(an_ipv6_site_is_limited_as_one_and_its_neighbour_is_not)
{
    unsigned limited = 0;

    for (unsigned i = 0; i < 60; i++)
        limited += is_limited_from(3, (uint8_t)i);
    ck_assert_uint_eq(limited, 40);
    ck_assert(!is_limited_from(4, 0));
}

TEST(outsiders_are_not_limited_over_tcp)
{
    struct tally tally =
        send_often(&(struct ask){.name = app, .from = outsider, .transport = ASK_TCP}, 1000);

    ck_assert_uint_eq(tally.full, 1000);
}

TEST(an_outsider_with_a_right_cookie_is_not_limited)
{
    uint8_t request[REQUEST_OCTETS_MOST], reply[UDP_OCTETS_MOST];
    struct exchange exchange = {
        .request = request,
        .request_length = request_write(&(struct ask){.name = app}, request),
        .path = {.source = 0xcb007109, .destination = 0x0a000002},
        .reply = reply,
        .limits = &limits,
    };

    send_often(&(struct ask){.name = app, .from = outsider}, 50);
    respond_prepare(world.snapshot, &exchange);
    respond_decide(world.snapshot, &exchange);
    ck_assert(exchange.is_limited);
    respond_prepare(world.snapshot, &exchange);
    exchange.cookie = COOKIE_RIGHT;
    respond_decide(world.snapshot, &exchange);
    ck_assert(!exchange.is_limited && !exchange.is_terse);
    ck_assert_uint_gt(respond_write(world.snapshot, &exchange), exchange.request_length);
}

TEST(a_rate_of_zero_limits_nobody)
{
    set_rates(0, 2, 0);
    struct tally tally = send_often(&(struct ask){.name = app, .from = outsider}, 1000);
    ck_assert_uint_eq(tally.full, 1000);
}

/* What cannot be read is never answered with a truncated reply, which has a question. */
TEST(an_outsiders_malformed_requests_are_dropped_above_the_rate)
{
    static const uint8_t octets[HEADER] = {1, 2, 0, 0, 0, 7};
    struct ask how = {.from = outsider};
    unsigned replies = 0;

    set_rates(20, 1, 0);
    for (unsigned i = 0; i < 100; i++)
        replies += world_send(&world, octets, sizeof octets, &how) > 0;
    ck_assert_uint_eq(replies, 20);
    ck_assert_uint_eq(counted(COUNTER_EXTERNAL_DROPPED), 80);
}

TEST(responses_of_outsiders_are_not_counted)
{
    uint8_t response[HEADER] = {1, 2, 0x80};

    for (unsigned i = 0; i < 100; i++)
        ck_assert_uint_eq(world_send(&world, response, HEADER, &(struct ask){.from = outsider}), 0);
    ck_assert_uint_eq(counted(COUNTER_EXTERNAL_DROPPED), 0);
    ck_assert_uint_eq(send_often(&(struct ask){.name = app, .from = outsider}, 20).full, 20);
}

TEST(clients_of_spaces_are_not_limited_by_default)
{
    struct tally tally = send_often(&(struct ask){.name = app, .from = insider}, 100000);

    ck_assert_uint_eq(tally.full, 100000);
}

TEST(a_flood_of_outsiders_limits_no_client)
{
    set_rates(20, 2, 100);
    for (uint32_t i = 0; i < 300000; i++) {
        char from[32];
        snprintf(from, sizeof from, "%u.%u.%u.1", 11 + (i >> 16), i >> 8 & 255, i & 255);
        struct tally tally = {0};
        send_one(&(struct ask){.name = app, .from = from}, &tally);
    }
    ck_assert_uint_eq(send_often(&(struct ask){.name = app, .from = insider}, 100).full, 100);
}

TEST(a_client_above_its_rate_is_refused_a_few_times_and_else_dropped)
{
    const struct ask ask = {.name = app, .from = insider};
    struct decoded reply;

    set_rates(20, 2, 1000);
    struct tally tally = send_often(&ask, 5000);
    ck_assert_uint_eq(tally.full, 1000);
    ck_assert_uint_eq(tally.refused, 10);
    ck_assert_uint_eq(tally.none, 3990);
    ck_assert_uint_eq(counted(COUNTER_CLIENT_REFUSED), 10);
    ck_assert_uint_eq(counted(COUNTER_CLIENT_DROPPED), 3990);
    ck_assert_uint_eq(send_often(&(struct ask){.name = app, .from = "10.0.130.57"}, 9).full, 9);
    pass_ms(SECOND_MS / 2);
    ck_assert_uint_eq(send_often(&ask, 5000).full, 500);
    pass_ms(SECOND_MS);
    send_often(&ask, 1000);
    world_ask(&world, &ask, &reply);
    ck_assert_uint_eq(reply.rcode, RCODE_REFUSED);
    ck_assert_int_eq(reply.ede_code, 18);
    ck_assert_str_eq(reply.ede_text, "Q60 this client asks more than 1000 times a second; "
                                     "ask less often (client_rate)");
    decoded_close(&reply);
}

TEST(a_client_above_its_rate_gets_every_refusal_over_tcp)
{
    const struct ask ask = {.name = app, .from = insider, .transport = ASK_TCP};

    set_rates(20, 2, 100);
    struct tally tally = send_often(&ask, 500);
    ck_assert_uint_eq(tally.full, 100);
    ck_assert_uint_eq(tally.refused, 400);
}

TEST(a_limited_client_is_reported_once_a_second)
{
    const struct ask ask = {.name = app, .from = insider};
    uint32_t clients[LIMITS_REPORTED_MOST];

    set_rates(20, 2, 5);
    send_often(&ask, 5);
    ck_assert_uint_eq(limits_take_over(&limits, clients), 0);
    send_often(&ask, 500);
    send_often(&(struct ask){.name = app, .from = "10.0.144.9"}, 500);
    ck_assert_uint_eq(reports, 2);
    ck_assert_uint_eq(limits_take_over(&limits, clients), 2);
    ck_assert_uint_eq(clients[0], 0x0a008238);
    ck_assert_uint_eq(clients[1], 0x0a009009);
    ck_assert_uint_eq(limits_take_over(&limits, clients), 0);
    pass_ms(SECOND_MS);
    send_often(&ask, 50);
    ck_assert_uint_eq(limits_take_over(&limits, clients), 1);
}

/* The control thread may be busy: what has no room is not reported, and nothing else changes. */
TEST(more_limited_clients_than_there_is_room_for_do_no_harm)
{
    uint32_t clients[LIMITS_REPORTED_MOST];

    set_rates(20, 2, 1);
    for (unsigned i = 0; i < 200; i++) {
        char from[32];
        snprintf(from, sizeof from, "10.0.130.%u", i);
        ck_assert_uint_eq(send_often(&(struct ask){.name = app, .from = from}, 3).refused, 2);
    }
    ck_assert_uint_eq(limits_take_over(&limits, clients), LIMITS_REPORTED_MOST);
    ck_assert_uint_eq(reports, LIMITS_REPORTED_MOST);
}

/* ---- who ---- */

/* What a table has of one client or network. */
static struct limited_one only(const struct limited *limited)
{
    struct limited_list list;

    limited_list(limited, (uint32_t)(limits.now_us / RATE_SECOND_US), &list);
    ck_assert_uint_eq(list.count, 1);
    return list.items[0];
}

static void expect_who(uint64_t who, const struct path *path, const char *text)
{
    char octets[LIMITS_WHO_OCTETS];
    struct client client;

    client_classify(world.snapshot, path, &client);
    ck_assert_uint_eq(who, limits_who(path, &client));
    limits_who_write(who, octets);
    ck_assert_str_eq(octets, text);
}

TEST(requests_above_a_rate_are_counted_by_who_sent_them)
{
    set_rates(20, 2, 100);
    send_often(&(struct ask){.name = app, .from = insider}, 150);
    struct limited_one one = only(&limits.clients);
    ck_assert_uint_eq(one.requests, 50);
    expect_who(one.who, &(struct path){.source = 0x0a008238}, "10.0.130.56");
    send_often(&(struct ask){.name = app, .from = outsider}, 50);
    one = only(&limits.networks);
    ck_assert_uint_eq(one.requests, 30);
    expect_who(one.who, &(struct path){.source = 0xcb0071fe}, "203.0.113.0/24");
}

TEST(an_ipv6_network_is_written_as_its_prefix)
{
    const struct path path = {.is_ipv6 = true,
                              .source_ipv6 = {0x20, 1, 0xd, 0xb8, 0, 7, 3, 8, 9, [15] = 1}};

    for (unsigned i = 0; i < 60; i++)
        is_limited_from(3, (uint8_t)i);
    struct limited_one one = only(&limits.networks);
    ck_assert_uint_eq(one.requests, 40);
    expect_who(one.who, &path, "2001:db8:7:300::/56");
}

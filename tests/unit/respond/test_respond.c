#include "respond/respond.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/world.h"
#include "support/zones.h"

static struct world world;

static void set_up(void)
{
    world_init_two_spaces(&world);
}

static void tear_down(void)
{
    world_close(&world);
}

/* No zones are loaded yet. */
FIXTURE(set_up, tear_down)

TEST(before_the_first_zones_every_query_gets_servfail)
{
    struct world empty;
    struct decoded reply;

    world_init(&empty);
    world_ask(&empty, &(struct ask){.name = "api.example.com."}, &reply);
    ck_assert_uint_eq(reply.rcode, LDNS_RCODE_SERVFAIL);
    ck_assert_int_eq(reply.ede_code, 14);
    ck_assert_int_eq(strncmp(reply.ede_text, "Q30 ", 4), 0);
    ck_assert(!reply.aa && !reply.ra);
    ck_assert_uint_eq(reply.answer_count + reply.authority_count, 0);
    decoded_close(&reply);
    world_ask(&empty, &(struct ask){.name = "id.server.", .class = 3, .nsid = true}, &reply);
    ck_assert_uint_eq(reply.rcode, LDNS_RCODE_SERVFAIL);
    ck_assert_str_eq(reply.nsid, "");
    decoded_close(&reply);
    world_ask(&empty, &(struct ask){.name = "x.", .edns_version = 1}, &reply);
    ck_assert_uint_eq(reply.rcode, 16);
    decoded_close(&reply);
    world_close(&empty);
}

/* The fields that a caller reads for log and counters. */
static const struct {
    struct ask ask;
    uint16_t rcode, answer_count;
    uint32_t ttl_seconds;
    enum reason reason;
} outcomes[] = {
    {{.name = "frozen-oasis-70544.herokuapp.com."}, 0, 2, 30, REASON_NONE},
    {{.name = "api.example.com."}, 0, 3, 30, REASON_NONE},
    {{.name = "api.example.com.", .type = LDNS_RR_TYPE_AAAA}, 0, 1, 5, REASON_NONE},
    {{.name = "api.example.com.", .type = LDNS_RR_TYPE_SOA}, 0, 2, 5, REASON_NONE},
    {{.name = "sleepy.example.com."}, 0, 0, 5, REASON_CRASHED},
    {{.name = "sleepy-river-2739.herokuapp.com."}, 0, 0, 5, REASON_CRASHED},
    {{.name = "web.frozen-oasis-70544.app.localspace."}, 0, 2, 10, REASON_NONE},
    {{.name = "wbe.frozen-oasis-70544.app.localspace."}, 3, 0, 5, REASON_NOT_DECLARED},
    {{.name = "www.debian.org."}, 5, 0, 0, REASON_NOT_OURS},
    {{.name = "api.example.com.", .from = "203.0.113.9"}, 5, 0, 0, REASON_OUTSIDE},
    {{.name = "api.example.com.", .from = "10.1.130.4"}, 5, 0, 0, REASON_NOT_OURS},
    {{.name = "api.example.com.", .opcode = 5}, 4, 0, 0, REASON_NOT_SUPPORTED},
    {{.name = "api.example.com.", .edns_version = 9}, 16, 0, 0, REASON_NONE},
    {{.name = "upcheck.localspace."}, 0, 1, 0, REASON_NONE},
};
enum { OUTCOME_COUNT = sizeof outcomes / sizeof outcomes[0] };

TEST_LOOP(the_exchange_has_the_facts_of_the_reply, 0, OUTCOME_COUNT)
{
    const struct exchange *exchange = &world.exchange;
    struct decoded reply;

    world_ask(&world, &outcomes[_i].ask, &reply);
    ck_assert_uint_eq(exchange->rcode, outcomes[_i].rcode);
    ck_assert_uint_eq(reply.rcode, outcomes[_i].rcode);
    ck_assert_uint_eq(exchange->answer_count, outcomes[_i].answer_count);
    ck_assert_uint_eq(reply.answer_count, outcomes[_i].answer_count);
    ck_assert_uint_eq(exchange->ttl_seconds, outcomes[_i].ttl_seconds);
    ck_assert_int_eq(exchange->verdict.reason, outcomes[_i].reason);
    ck_assert_uint_eq(exchange->reply_length, world.reply_length);
    decoded_close(&reply);
}

/* A batch prepares all, prefetches all, finishes all: the replies are those of respond. */
TEST(two_halves_make_the_whole)
{
    uint8_t requests[OUTCOME_COUNT][REQUEST_OCTETS_MOST], replies[OUTCOME_COUNT][UDP_OCTETS_MOST];
    struct exchange batch[OUTCOME_COUNT];

    for (int i = 0; i < OUTCOME_COUNT; i++) {
        batch[i] = (struct exchange){.request = requests[i],
                                     .request_length = request_write(&outcomes[i].ask, requests[i]),
                                     .path = {.source = 0x0a008238, .destination = 0x0a000002},
                                     .reply = replies[i]};
        respond_prepare(world.snapshot, &batch[i]);
    }
    for (int i = 0; i < OUTCOME_COUNT; i++)
        respond_prefetch(world.snapshot, &batch[i]);
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        struct ask how = {.name = NULL};
        size_t length = respond_finish(world.snapshot, &batch[i]);
        world.rotation = 0;
        ck_assert_uint_eq(world_send(&world, requests[i], batch[i].request_length, &how), length);
        ck_assert_mem_eq(replies[i], world.reply, length);
    }
}

TEST(nothing_is_written_for_what_is_dropped)
{
    static const uint8_t response[12] = "\1\2\x80\0\0\1";
    struct ask how = {.name = NULL};

    memset(world.reply, 0xee, 64);
    ck_assert_uint_eq(world_send(&world, response, sizeof response, &how), 0);
    ck_assert_uint_eq(world_send(&world, response, 11, &how), 0);
    ck_assert_uint_eq(world_send(&world, response, 0, &how), 0);
    for (int i = 0; i < 64; i++)
        ck_assert_uint_eq(world.reply[i], 0xee);
}

TEST(an_ipv6_client_is_outside)
{
    uint8_t request[REQUEST_OCTETS_MOST];
    struct exchange exchange = {
        .request = request,
        .request_length = request_write(&(struct ask){.name = "api.example.com."}, request),
        .path = {.source = 0x0a008238, .is_ipv6 = true},
        .reply = world.reply,
    };

    respond(world.snapshot, &exchange);
    ck_assert_uint_eq(exchange.rcode, LDNS_RCODE_REFUSED);
    ck_assert_int_eq(exchange.verdict.reason, REASON_OUTSIDE);
}

/* RFC 7828 section 3.2.1: only over TCP, only when asked, and only when the caller has one. */
TEST(keepalive_is_offered_over_tcp_when_asked)
{
    static const struct {
        struct ask ask;
        int expected;
    } cases[] = {{{.keepalive = true, .transport = ASK_TCP}, 100},
                 {{.keepalive = true, .transport = ASK_UDP}, -1},
                 {{.transport = ASK_TCP}, -1}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ask ask = cases[i].ask;
        struct decoded reply;
        ask.name = "api.example.com.";
        world_ask(&world, &ask, &reply);
        ck_assert_int_eq(reply.keepalive_100ms, cases[i].expected);
        decoded_close(&reply);
    }
}

TEST(nsid_is_sent_to_insiders_that_ask)
{
    static const struct {
        struct ask ask;
        const char *expected;
    } cases[] = {{{.nsid = true}, "ns1.test"},
                 {{.nsid = true, .from = "10.20.3.4"}, "ns1.test"},
                 {{.nsid = false}, ""},
                 {{.nsid = true, .from = "203.0.113.9"}, ""}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ask ask = cases[i].ask;
        struct decoded reply;
        ask.name = "api.example.com.";
        world_ask(&world, &ask, &reply);
        ck_assert_str_eq(reply.nsid, cases[i].expected);
        decoded_close(&reply);
    }
}

/* BADVERS names the supported version (RFC 6891 section 6.1.3), and nothing else. */
TEST(an_edns_version_from_the_future_gets_badvers)
{
    static const char *const from[] = {"10.0.130.56", "10.1.130.4", "203.0.113.9"};

    for (size_t i = 0; i < 3; i++) {
        struct decoded reply;
        world_ask(&world,
                  &(struct ask){.name = "api.example.com.", .edns_version = 1, .from = from[i]},
                  &reply);
        ck_assert_uint_eq(reply.rcode, 16);
        ck_assert_uint_eq(ldns_pkt_edns_version(reply.packet), 0);
        ck_assert_uint_eq(reply.answer_count + reply.authority_count, 0);
        ck_assert(!reply.aa && !reply.ra);
        decoded_close(&reply);
    }
}

TEST(ra_is_set_for_clients_that_may_recurse)
{
    struct decoded reply;

    world.snapshot->policy.routes = routes_usual();
    world_ask(&world, &(struct ask){.name = "api.example.com."}, &reply);
    ck_assert(reply.ra && reply.aa);
    decoded_close(&reply);
    world_ask(&world, &(struct ask){.name = "api.example.com.", .from = "10.20.3.4"}, &reply);
    ck_assert(!reply.ra);
    decoded_close(&reply);
    world_ask(&world, &(struct ask){.name = "api.example.com.", .from = "203.0.113.9"}, &reply);
    ck_assert(!reply.ra);
    decoded_close(&reply);
}

/* ---- cookies ---- */

static const struct {
    const char *what;
    struct ask ask;
    unsigned rcode;
    enum cookie_state state;
} cookies[] = {
    {"an answer", {.name = "api.example.com.", .cookie_octets = 8}, 0, COOKIE_NEW},
    {"none", {.name = "api.example.com."}, 0, COOKIE_NONE},
    {"an outsider's",
     {.name = "api.example.com.", .from = "203.0.113.9", .cookie_octets = 8},
     5,
     COOKIE_NEW},
    {"a wrong one", {.name = "api.example.com.", .cookie_octets = 24}, 0, COOKIE_WRONG},
    {"another length", {.name = "api.example.com.", .cookie_octets = 16}, 0, COOKIE_WRONG},
    {"another opcode",
     {.name = "api.example.com.", .cookie_octets = 8, .opcode = 5},
     4,
     COOKIE_NEW},
    {"another version", {.name = "x.", .cookie_octets = 8, .edns_version = 1}, 16, COOKIE_NEW},
    {"alone", {.no_question = true, .cookie_octets = 8}, 0, COOKIE_NEW},
    {"alone and wrong", {.no_question = true, .cookie_octets = 24}, 23, COOKIE_WRONG},
    {"alone, an outsider's",
     {.no_question = true, .from = "203.0.113.9", .cookie_octets = 8},
     0,
     COOKIE_NEW},
    {"no question, no cookie", {.no_question = true}, 1, COOKIE_NONE},
    {"malformed", {.name = "api.example.com.", .cookie_octets = 9}, 1, COOKIE_NONE},
};

/* A reply has a cookie if the request has one, and that cookie is right for this client alone. */
TEST_OVER(a_request_with_a_cookie_gets_one, cookies)
{
    struct ask ask = cookies[_i].ask;
    struct decoded reply;

    world_ask(&world, &ask, &reply);
    ck_assert_msg(reply.rcode == cookies[_i].rcode, "%s: %u", cookies[_i].what, reply.rcode);
    ck_assert_int_eq(world.exchange.cookie, cookies[_i].state);
    ck_assert_uint_eq(reply.cookie_octets, cookies[_i].state == COOKIE_NONE ? 0 : 24);
    ck_assert_mem_eq(reply.cookie, ask.cookie, reply.cookie_octets == 0 ? 0 : 8);
    decoded_close(&reply);
    if (reply.cookie_octets == 0)
        return;
    memcpy(ask.cookie, reply.cookie, sizeof reply.cookie);
    ask.cookie_octets = 24;
    world_ask(&world, &ask, &reply);
    ck_assert_int_eq(world.exchange.cookie, COOKIE_RIGHT);
    ck_assert_mem_eq(reply.cookie, ask.cookie, 24);
    ck_assert_uint_eq(reply.rcode, cookies[_i].rcode == 23 ? 0 : cookies[_i].rcode);
    decoded_close(&reply);
    ask.from = "10.0.130.57";
    world_ask(&world, &ask, &reply);
    ck_assert_int_eq(world.exchange.cookie, COOKIE_WRONG);
    decoded_close(&reply);
}

/* RFC 7873 section 5.2: without cookies the option is unknown, and no question is an error. */
TEST(while_cookies_are_off_the_option_is_ignored)
{
    struct decoded reply;

    world.cookies.secrets.count = 0;
    world_ask(&world, &(struct ask){.name = "api.example.com.", .cookie_octets = 8}, &reply);
    ck_assert_uint_eq(reply.rcode, 0);
    ck_assert_uint_eq(reply.cookie_octets, 0);
    decoded_close(&reply);
    world_ask(&world, &(struct ask){.no_question = true, .cookie_octets = 8}, &reply);
    ck_assert_uint_eq(reply.rcode, 1);
    ck_assert_uint_eq(reply.cookie_octets, 0);
    decoded_close(&reply);
}

/* The address of IPv6 is all of it. */
TEST(an_ipv6_clients_cookie_is_for_its_address)
{
    uint8_t request[REQUEST_OCTETS_MOST];
    struct ask ask = {.name = "x.", .cookie_octets = 8};
    struct exchange exchange = {.request = request,
                                .path = {.is_ipv6 = true, .source_ipv6 = {0x20, 1, [15] = 1}},
                                .cookies = &world.cookies,
                                .reply = world.reply};

    exchange.request_length = request_write(&ask, request);
    respond(world.snapshot, &exchange);
    memcpy(ask.cookie, exchange.reply_cookie, ask.cookie_octets = 24);
    exchange.request_length = request_write(&ask, request);
    respond(world.snapshot, &exchange);
    ck_assert_int_eq(exchange.cookie, COOKIE_RIGHT);
    exchange.path.source_ipv6[15] = 2;
    respond(world.snapshot, &exchange);
    ck_assert_int_eq(exchange.cookie, COOKIE_WRONG);
}

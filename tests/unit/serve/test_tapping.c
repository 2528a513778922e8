// wrap: tap_send tap_has_receiver
#include "serve/tapping.h"

#include <string.h>

#include "support/suite.h"
#include "support/world.h"
#include "wire/types.h"

static struct world world;
static struct dnstap_message sent;
static struct dnstap_origin origin;
static unsigned sends;
static bool has_receiver, has_room;

bool __wrap_tap_send(struct tap_feed *feed, const struct dnstap_message *message);
bool __wrap_tap_has_receiver(const struct tap_feed *feed);

bool __wrap_tap_send(struct tap_feed *feed, const struct dnstap_message *message)
{
    (void)feed;
    sent = *message;
    sends++;
    return has_room;
}

bool __wrap_tap_has_receiver(const struct tap_feed *feed)
{
    (void)feed;
    return has_receiver;
}

static void set_up(void)
{
    world_init_fixture(&world);
    sends = 0;
    has_receiver = has_room = true;
}

static void tear_down(void)
{
    world_close(&world);
}

/* Sends the message of the exchange, with a reply of so many octets. */
static bool send_message(const struct endpoint *client, size_t length)
{
    return tapping_send(
        NULL, &origin, &world.exchange,
        &(struct tapped){
            .client = client, .begun_us = 1000, .answered_us = 2000, .length = length});
}

/* Asks, and sends the message of the exchange. */
static bool send_after(const char *name, const char *from)
{
    struct endpoint client;
    uint8_t request[REQUEST_OCTETS_MOST];
    const struct ask ask = {.name = name, .from = from};

    ck_assert(endpoint_read(from, 5353, &client));
    size_t length = world_send(&world, request, request_write(&ask, request), &ask);
    return send_message(&client, length);
}

FIXTURE(set_up, tear_down)

static const struct {
    const char *name, *from;
    enum dnstap_kind kind;
    const char *rule; /* NULL: no policy */
    enum dnstap_action action;
    enum dnstap_match match;
} replies[] = {
    {"frozen-oasis-70544.herokuapp.com.", "10.0.130.56", DNSTAP_AUTH_RESPONSE, NULL, 0, 0},
    {"sleepy-river-2739.herokuapp.com.", "10.0.130.56", DNSTAP_AUTH_RESPONSE, "Q10", DNSTAP_NODATA,
     DNSTAP_QNAME},
    {"frozen-oasis-70544.herokuapp.com.", "203.0.113.9", DNSTAP_AUTH_RESPONSE, "Q18",
     DNSTAP_NO_ACTION, DNSTAP_CLIENT_IP},
    {"wbe.frozen-oasis-70544.app.localspace.", "10.0.130.56", DNSTAP_AUTH_RESPONSE, "Q25",
     DNSTAP_NXDOMAIN, DNSTAP_QNAME},
};

TEST_OVER(a_reply_is_a_response_with_the_code_of_its_reason, replies)
{
    ck_assert(send_after(replies[_i].name, replies[_i].from));
    ck_assert_uint_eq(sends, 1);
    ck_assert_int_eq(sent.kind, replies[_i].kind);
    ck_assert_int_eq(sent.protocol, DNSTAP_UDP);
    ck_assert_uint_eq(sent.port, 5353);
    ck_assert_int_eq(sent.query_us, 1000);
    ck_assert_int_eq(sent.response_us, 2000);
    ck_assert_ptr_eq(sent.origin, &origin);
    ck_assert_uint_eq(sent.query_length, world.exchange.request_length);
    ck_assert_uint_eq(sent.response_length, world.exchange.reply_length);
    ck_assert_pstr_eq(sent.policy.rule, replies[_i].rule);
    if (replies[_i].rule == NULL)
        return;
    ck_assert_int_eq(sent.policy.action, replies[_i].action);
    ck_assert_int_eq(sent.policy.match, replies[_i].match);
}

TEST(addresses_are_those_of_the_path)
{
    ck_assert(send_after("frozen-oasis-70544.herokuapp.com.", "10.0.130.56"));
    ck_assert(!sent.is_ipv6);
    ck_assert_mem_eq(sent.client, "\x0a\0\x82\x38", 4);
    ck_assert_uint_eq(sent.server, world.exchange.path.destination);
    world.exchange.path.is_ipv6 = true;
    memcpy(world.exchange.path.source_ipv6, "0123456789abcdef", 16);
    const struct endpoint client = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(7)}};
    world.exchange.transport = TRANSPORT_TCP;
    ck_assert(send_message(&client, 9));
    ck_assert(sent.is_ipv6);
    ck_assert_mem_eq(sent.client, "0123456789abcdef", 16);
    ck_assert_uint_eq(sent.server, 0);
    ck_assert_uint_eq(sent.port, 7);
    ck_assert_int_eq(sent.protocol, DNSTAP_TCP);
}

/* Before the first snapshot there is no name. */
TEST(the_sender_is_named_as_in_nsid)
{
    static const uint8_t nameless[] = "\x12\x0espacedns " SPACEDNS_VERSION "\x78\x01";
    static const uint8_t named[] = "\x0a\x06ns-one\x12";

    tapping_write_origin(NULL, &origin);
    ck_assert_uint_eq(origin.length, sizeof nameless - 1);
    ck_assert_mem_eq(origin.octets, nameless, sizeof nameless - 1);
    world.snapshot->policy.server_id = "ns-one";
    tapping_write_origin(world.snapshot, &origin);
    ck_assert_mem_eq(origin.octets, named, sizeof named - 1);
}

TEST(an_answer_of_an_upstream_is_a_clients_response)
{
    send_after("frozen-oasis-70544.herokuapp.com.", "10.0.130.56");
    world.exchange.verdict.situation = SITUATION_FORWARD;
    const struct endpoint client = {.v4 = {.sin_family = AF_INET}};
    ck_assert(send_message(&client, 99));
    ck_assert_int_eq(sent.kind, DNSTAP_CLIENT_RESPONSE);
}

/* Above a rate: a client of a space, and an outsider. */
static const struct {
    const char *from, *rule;
} dropped[] = {{"10.0.130.56", "Q60"}, {"203.0.113.9", "external_rate"}};

TEST_OVER(a_request_without_reply_is_a_query, dropped)
{
    const struct endpoint client = {.v4 = {.sin_family = AF_INET}};

    send_after("frozen-oasis-70544.herokuapp.com.", dropped[_i].from);
    ck_assert(send_message(&client, 0));
    ck_assert_int_eq(sent.kind, DNSTAP_AUTH_QUERY);
    ck_assert_uint_eq(sent.response_length, 0);
    ck_assert_str_eq(sent.policy.rule, dropped[_i].rule);
    ck_assert_int_eq(sent.policy.action, DNSTAP_DROP);
    ck_assert_int_eq(sent.policy.match, DNSTAP_CLIENT_IP);
}

TEST(a_truncated_reply_to_an_outsider_is_the_rates)
{
    const struct endpoint client = {.v4 = {.sin_family = AF_INET}};

    send_after("frozen-oasis-70544.herokuapp.com.", "203.0.113.9");
    decide_slip(&world.exchange.verdict);
    ck_assert(send_message(&client, 50));
    ck_assert_str_eq(sent.policy.rule, "external_rate");
    ck_assert_int_eq(sent.policy.action, DNSTAP_TRUNCATE);
}

TEST(without_a_receiver_no_message_is_made)
{
    has_receiver = false;
    ck_assert(!send_after("frozen-oasis-70544.herokuapp.com.", "10.0.130.56"));
    ck_assert_uint_eq(sends, 0);
    has_receiver = true;
    has_room = false;
    ck_assert(!send_after("frozen-oasis-70544.herokuapp.com.", "10.0.130.56"));
    ck_assert_uint_eq(sends, 1);
}

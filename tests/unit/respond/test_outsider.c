#include "respond/outsider.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"
#include "support/world.h"
#include "wire/types.h"

enum { HEADER = 12, FLAGS = 2, OPT = 11 };

#define OUTSIDER .from = "203.0.113.9"

/* The text is as long as the lengths before it claim: 68 - 6, 66 - 4, 64 - 2 octets. */
static const char text[] = "Q18 client is outside every space, peering and VPN served here";
static const uint8_t with_text[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 68, 0, 15, 0, 64, 0, 18};
static const uint8_t with_do_and_text[] = {0, 0,  41, 4,  208, 0,  0, 128, 0,
                                           0, 68, 0,  15, 0,   64, 0, 18};
static const uint8_t without_text[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};

static struct world world;

static void set_up(void)
{
    world_init_fixture(&world);
}

static void tear_down(void)
{
    world_close(&world);
}

FIXTURE(set_up, tear_down)

static const struct {
    struct ask ask;
    bool is_nxdomain;
    uint16_t flags;     /* QR, RD, CD, the code */
    const uint8_t *opt; /* NULL: none */
} replies[] = {
    {{.name = "api.example.com.", OUTSIDER}, false, 0x8105, with_text},
    {{.name = "API.eXample.com.", OUTSIDER, .cd = true}, false, 0x8115, with_text},
    {{.name = ".", OUTSIDER, .no_rd = true, .type = TYPE_ANY}, false, 0x8005, with_text},
    {{.name = "id.server.", OUTSIDER, .class = 3}, false, 0x8105, with_text},
    {{.name = "a.example.com.", OUTSIDER, .dnssec_ok = true}, false, 0x8105, with_do_and_text},
    {{.name = "a.example.com.", OUTSIDER, .edns_octets = 512}, false, 0x8105, with_text},
    {{.name = "a.example.com.", OUTSIDER, .transport = ASK_TCP}, false, 0x8105, with_text},
    {{.name = "a.example.com.", OUTSIDER, .no_edns = true}, false, 0x8105, NULL},
    {{.name = "a.example.com.", OUTSIDER}, true, 0x8103, without_text},
    {{.name = "a.example.com.", OUTSIDER, .no_edns = true}, true, 0x8103, NULL},
};

/* Appends OPT, with the text if its options have room for it. Returns the reply's length. */
static size_t append_opt(uint8_t *reply, size_t length, const uint8_t *opt)
{
    size_t head = opt == without_text ? sizeof without_text : sizeof with_text;

    if (opt == NULL)
        return length;
    memcpy(reply + length, opt, head);
    if (opt == without_text)
        return length + head;
    memcpy(reply + length + head, text, strlen(text));
    return length + head + strlen(text);
}

TEST_OVER(an_outsider_gets_header_question_and_reason, replies)
{
    const struct ask *ask = &replies[_i].ask;
    uint8_t request[REQUEST_OCTETS_MOST], expected[UDP_OCTETS_MOST];
    size_t length = request_write(ask, request);
    size_t question_end = length - (ask->no_edns ? 0 : OPT);

    world.snapshot->policy.external_nxdomain = replies[_i].is_nxdomain;
    memcpy(expected, request, question_end);
    store16(expected + FLAGS, replies[_i].flags);
    store16(expected + HEADER - 2, replies[_i].opt != NULL);
    size_t expected_length = append_opt(expected, question_end, replies[_i].opt);
    memset(world.reply, 0xee, UDP_OCTETS_MOST);
    ck_assert_uint_eq(world_send(&world, request, length, ask), expected_length);
    ck_assert_mem_eq(world.reply, expected, expected_length);
    ck_assert_uint_eq(world.reply[expected_length], 0xee);
    ck_assert_uint_eq(world.exchange.rcode, replies[_i].flags & 15);
    ck_assert_uint_eq(world.exchange.answer_count, 0);
    ck_assert_uint_eq(world.exchange.ttl_seconds, 0);
    ck_assert(outsider_fits(&world.exchange));
}

/* The facts of a reply before this one in the same exchange are gone. */
TEST(an_outsider_after_an_insider_has_no_answers)
{
    const struct ask insider = {.name = "api.example.com."};
    const struct ask outsider = {.name = "api.example.com.", OUTSIDER};
    uint8_t request[REQUEST_OCTETS_MOST];
    struct exchange exchange = {.request = request, .reply = world.reply};

    exchange.request_length = request_write(&insider, request);
    exchange.path = (struct path){.source = 0x0a008238, .destination = 0x0a000002};
    respond(world.snapshot, &exchange);
    ck_assert_uint_gt(exchange.answer_count, 0);
    ck_assert_uint_ne(exchange.hash, 0);
    exchange.request_length = request_write(&outsider, request);
    exchange.path.source = 0xcb007109;
    respond(world.snapshot, &exchange);
    ck_assert_uint_eq(exchange.answer_count, 0);
    ck_assert_uint_eq(exchange.ttl_seconds, 0);
    ck_assert_uint_eq(exchange.hash, 0); /* nothing of theirs is looked up ahead */
}

/* Of 255 octets: three labels of 63 octets and one of 61. */
TEST(the_longest_name_fits_in_the_smallest_reply)
{
    static const char label[] = "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-123456789";
    struct ask ask = {OUTSIDER, .edns_octets = 512};
    char name[260];
    uint8_t request[REQUEST_OCTETS_MOST];

    snprintf(name, sizeof name, "%s.%s.%s.%.61s.", label, label, label, label);
    ask.name = name;
    size_t length = request_write(&ask, request);
    ck_assert_uint_eq(length, HEADER + 255 + 4 + OPT);
    ck_assert_uint_eq(world_send(&world, request, length, &ask),
                      length - OPT + sizeof with_text + strlen(text));
    ck_assert_mem_eq(world.reply + HEADER, request + HEADER, 255 + 4);
}

/* Options of the reply other than the reason, and what is no readable query, take the long way. */
TEST(what_is_not_the_usual_refusal_does_not_fit)
{
    static const struct ask asks[] = {
        {.name = "api.example.com.", OUTSIDER, .nsid = true},
        {.name = "api.example.com.", OUTSIDER, .edns_version = 1},
        {.name = "api.example.com.", OUTSIDER, .opcode = 5},
        {.name = "api.example.com."},
        {.name = "www.debian.org."},
    };

    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        uint8_t request[REQUEST_OCTETS_MOST];
        ck_assert_uint_gt(world_send(&world, request, request_write(&asks[i], request), &asks[i]),
                          0);
        ck_assert(!outsider_fits(&world.exchange));
    }
}

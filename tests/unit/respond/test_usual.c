#include "respond/usual.h"

#include <stdio.h>
#include <string.h>

#include "respond/render.h"
#include "support/suite.h"
#include "support/world.h"
#include "wire/types.h"

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

/* What render.h and wire/reply.h write of the same verdict. */
static size_t write_long(const struct exchange *exchange, uint8_t *out)
{
    const struct verdict *verdict = &exchange->verdict;
    const struct reply_options options = {.nsid = NULL};
    struct exchange other = *exchange;
    struct reply reply;

    other.reply = out;
    reply_start(&reply, other.request, &other.query, &options, out, respond_octets_most(&other));
    render(world.snapshot, &other, &reply, 12);
    ck_assert_uint_eq(other.ttl_seconds, exchange->ttl_seconds);
    ck_assert_uint_eq(reply.counts[SECTION_ANSWER], exchange->answer_count);
    return reply_finish(&reply, (uint16_t)(FLAG_AA | (verdict->may_recurse ? FLAG_RA : 0)),
                        verdict->rcode);
}

static void expect_same(const struct ask *ask)
{
    uint8_t request[REQUEST_OCTETS_MOST];
    static uint8_t expected[TCP_OCTETS_MOST];
    size_t length = request_write(ask, request);

    memset(world.reply, 0xee, UDP_OCTETS_MOST);
    length = world_send(&world, request, length, ask);
    world.exchange.request = request;
    ck_assert(usual_fits(&world.exchange));
    ck_assert_uint_gt(length, 0);
    ck_assert_uint_eq(write_long(&world.exchange, expected), length);
    ck_assert_mem_eq(world.reply, expected, length);
    ck_assert_uint_eq(world.reply[length], 0xee);
    ck_assert_uint_eq(world.exchange.rcode, 0);
}

static const struct ask asks[] = {
    {.name = "frozen-oasis-70544.herokuapp.com."},
    {.name = "Frozen-Oasis-70544.HEROKUAPP.com.", .cd = true},
    {.name = "frozen-oasis-70544.herokuapp.com.", .no_edns = true},
    {.name = "frozen-oasis-70544.herokuapp.com.", .no_rd = true, .dnssec_ok = true},
    {.name = "frozen-oasis-70544.herokuapp.com.", .edns_octets = 512},
    {.name = "frozen-oasis-70544.herokuapp.com.", .type = TYPE_ANY},
    {.name = "frozen-oasis-70544.herokuapp.com.", .transport = ASK_TCP},
    {.name = "api.example.com."}, /* a custom domain: CNAME and the routers of its target */
    {.name = "API.example.com.", .no_edns = true, .dnssec_ok = false},
    {.name = "a.b.apps.example.com."},
    {.name = "example.net."}, /* an apex has no CNAME */
    {.name = "random-haiku-5196.also-random-3847.herokuspace.com."},
};

TEST_OVER(the_usual_reply_is_what_the_long_way_writes, asks)
{
    for (int turn = 0; turn < 3; turn++)
        expect_same(&asks[_i]);
}

static const struct ask others[] = {
    {.name = "frozen-oasis-70544.herokuapp.com.", .nsid = true},
    {.name = "frozen-oasis-70544.herokuapp.com.", .cookie_octets = 8},
    {.name = "frozen-oasis-70544.herokuapp.com.", .type = TYPE_AAAA},
    {.name = "api.example.com.", .type = TYPE_CNAME},
    {.name = "sleepy-river-2739.herokuapp.com."},
    {.name = "frozen-oasis-70544.herokuapp.com.", .from = "203.0.113.9"},
    {.name = "web.frozen-oasis-70544.app.localspace."},
    {.name = "www.debian.org."},
};

TEST_OVER(what_is_not_the_usual_answer_does_not_fit, others)
{
    uint8_t request[REQUEST_OCTETS_MOST];

    world_send(&world, request, request_write(&others[_i], request), &others[_i]);
    ck_assert(!usual_fits(&world.exchange));
}

/* A space of so many routers. */
static void load_routers(int count)
{
    char text[2048];
    int length = snprintf(text, sizeof text, "space: test-space\ncidr: 10.0.0.0/16\nrouters: [");

    for (int i = 1; i <= count; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%s10.0.0.%d",
                           i > 1 ? ", " : "", i);
    snprintf(text + length, sizeof text - (size_t)length,
             "]\napps:\n  - name: app\n    internal_routing: true\n"
             "    domains: [{hostname: www.example.com, cname: a-1.b-2.herokuspace.com}]\n"
             "    formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.56}]}}\n");
    world_close(&world);
    world_init(&world);
    scratch_write(&world.folder, "test-space.yaml", text, strlen(text));
    world_must_load(&world);
}

/* Both ways, the octets are the same; what may not have room in 512 octets goes the long way. */
TEST_LOOP(as_many_routers_as_fit_are_usual, 1, 40)
{
    static const struct ask of_app = {.name = "app.herokuapp.com."},
                            of_domain = {.name = "www.example.com.", .no_edns = true};

    load_routers(_i);
    expect_same(&of_app);
    expect_same(&of_domain);
}

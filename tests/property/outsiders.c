// timeout: 240
/**
 * Over all names, outsiders and types: every reply to an outsider is the same, octet for octet,
 * except for its id and question; with both settings of `external`, over UDP and TCP. And no such
 * reply is longer than its request by more than the constant text and, if the request has a cookie,
 * a server's cookie, which depends on the client alone.
 */
#include <stdlib.h>
#include <string.h>

#include "support/four_spaces.h"
#include "support/recursion.h"
#include "support/suite.h"
#include "support/zones.h"

enum { HEADER = 12, OPT = 11, EDE = 6, OPTION_HEAD = 4, COOKIE = 24, REASON_TEXT = 62 };

static struct four_spaces four;

/*
 * The reply that all others must equal: the header after the id, and the octets after the question.
 */
struct mould {
    uint8_t head[HEADER - 2];
    uint8_t tail[128];
    size_t tail_length;
    bool is_made;
};

static const struct {
    bool nxdomain;
    struct ask ask;
    unsigned rcode;
    bool has_reason;
} manners[] = {
    {false, {.transport = ASK_UDP}, 5, true},
    {false, {.transport = ASK_UDP, .no_edns = true}, 5, false},
    {false, {.transport = ASK_UDP, .nsid = true}, 5, true},
    {false, {.transport = ASK_TCP}, 5, true},
    {false, {.transport = ASK_TCP, .no_edns = true, .no_rd = true}, 5, false},
    {false, {.transport = ASK_UDP, .class = 3}, 5, true},
    {false, {.transport = ASK_UDP, .class = 255}, 5, true},
    {true, {.transport = ASK_UDP}, 3, false},
    {true, {.transport = ASK_UDP, .no_edns = true}, 3, false},
    {true, {.transport = ASK_TCP}, 3, false},
    {true, {.transport = ASK_UDP, .class = 3}, 3, false},
};
enum { MANNER_COUNT = sizeof manners / sizeof manners[0] };

static void fill_mould(struct mould *mould, const uint8_t *reply, size_t length, size_t question)
{
    memcpy(mould->head, reply + 2, HEADER - 2);
    mould->tail_length = length - HEADER - question;
    ck_assert_uint_le(mould->tail_length, sizeof mould->tail);
    memcpy(mould->tail, reply + HEADER + question, mould->tail_length);
    mould->is_made = true;
}

/* The mould itself: only a response code, and a constant reason where there is room. */
static void check_mould(const struct decoded *reply, int manner)
{
    static const char reason[] = "Q18 client is outside every space, peering and VPN served here";

    ck_assert_uint_eq(reply->rcode, manners[manner].rcode);
    ck_assert(!reply->aa && !reply->ra && !reply->ad && !reply->tc);
    ck_assert_uint_eq(reply->answer_count + reply->authority_count + reply->additional_count, 0);
    ck_assert_str_eq(reply->nsid, "");
    ck_assert_int_eq(reply->ede_code, manners[manner].has_reason ? 18 : NO_EDE);
    ck_assert_str_eq(reply->ede_text, manners[manner].has_reason ? reason : "");
    size_t tail = (manners[manner].ask.no_edns ? 0 : OPT) +
                  (manners[manner].has_reason ? EDE + sizeof reason - 1 : 0);
    ck_assert_uint_le(reply->length, HEADER + 260 + tail);
}

static void ask_once(const struct ask *ask, struct mould *mould, int manner)
{
    uint8_t request[REQUEST_OCTETS_MOST];
    size_t request_length = request_write(ask, request);
    size_t question = request_length - HEADER - (ask->no_edns ? 0 : OPT) - (ask->nsid ? 4 : 0);
    size_t length = world_send(&four.world, request, request_length, ask);
    const uint8_t *reply = four.world.reply;

    ck_assert_uint_gt(length, HEADER + question - 1);
    ck_assert_int_eq(memcmp(reply, request, 2), 0);
    ck_assert_int_eq(memcmp(reply + HEADER, request + HEADER, question), 0);
    if (!mould->is_made) {
        struct decoded decoded;
        decode(reply, length, &decoded);
        check_mould(&decoded, manner);
        decoded_close(&decoded);
        fill_mould(mould, reply, length, question);
    }
    ck_assert_msg(length - HEADER - question == mould->tail_length &&
                      memcmp(reply + 2, mould->head, HEADER - 2) == 0 &&
                      memcmp(reply + HEADER + question, mould->tail, mould->tail_length) == 0,
                  "%s TYPE%u from %s differs", ask->name, ask->type, ask->from);
}

static void set_up(void)
{
    four_spaces_init(&four);
}

static void tear_down(void)
{
    four_spaces_close(&four);
}

FIXTURE(set_up, tear_down)

/* With suffixes for each class, and without upstreams: an outsider sees nothing of either. */
static void set_policy(int run)
{
    struct policy *policy = &four.world.snapshot->policy;

    policy->external_nxdomain = manners[run % MANNER_COUNT].nxdomain;
    if (run < MANNER_COUNT)
        return;
    policy->routes = routes_usual();
    policy->recursion_for =
        recursion_of("{space: [herokuapp.com, com], peered: [herokuapp.com], vpn: [example.com]}");
}

TEST_LOOP(outsiders_cannot_tell_names_apart, 0, 2 * MANNER_COUNT)
{
    struct mould mould = {.is_made = false};
    struct ask ask = manners[_i % MANNER_COUNT].ask;

    set_policy(_i);
    for (size_t i = 0; i < four_spaces_outsider_count; i++) {
        ask.from = four_spaces_outsiders[i];
        for (size_t j = 0; j < four.names.count; j++) {
            ask.name = four.names.items[j];
            /* Types are walked in full for the first outsider only. */
            size_t stride = i == 0 ? four_spaces_stride() : 15;
            for (size_t k = j % stride; k < four_spaces_type_count; k += stride) {
                ask.type = four_spaces_types[k];
                ask.id = (uint16_t)(j + k + 1);
                ask_once(&ask, &mould, _i % MANNER_COUNT);
            }
        }
    }
}

/*
 * Nor by the cookie in the reply, whatever cookie the request has.
 */
TEST_LOOP(outsiders_learn_nothing_about_names_by_cookies, 0, 6)
{
    static const uint8_t octets[] = {8, 24, 40};
    struct ask ask = {.cookie_octets = octets[_i % 3], .cookie = {1, 2, 3, 4, 5, 6, 7, 8}};
    struct mould mould = {.is_made = false};

    ask.from = "203.0.113.9";
    four.world.snapshot->policy.external_nxdomain = _i >= 3;
    for (size_t i = 0; i < four.names.count; i++) {
        uint8_t request[REQUEST_OCTETS_MOST];
        ask.name = four.names.items[i];
        ask.type = four_spaces_types[i % four_spaces_type_count];
        size_t length = request_write(&ask, request);
        size_t question = length - HEADER - OPT - OPTION_HEAD - ask.cookie_octets;
        length = world_send(&four.world, request, length, &ask);
        if (!mould.is_made)
            fill_mould(&mould, four.world.reply, length, question);
        ck_assert_uint_eq(length, HEADER + question + mould.tail_length);
        ck_assert_mem_eq(four.world.reply + 2, mould.head, HEADER - 2);
        ck_assert_mem_eq(four.world.reply + HEADER + question, mould.tail, mould.tail_length);
    }
    ck_assert_uint_eq(mould.tail_length,
                      OPT + OPTION_HEAD + COOKIE + (_i >= 3 ? 0 : EDE + REASON_TEXT));
}

/* Nor by requests that are not plain queries. */
TEST_LOOP(outsiders_cannot_tell_names_apart_by_odd_queries, 0, 3)
{
    static const struct ask odd[] = {{.opcode = 2}, {.opcode = 5}, {.edns_version = 1}};
    struct mould mould = {.is_made = false};
    struct ask ask = odd[_i];

    ask.from = "203.0.113.9";
    for (size_t i = 0; i < four.names.count; i++) {
        uint8_t request[REQUEST_OCTETS_MOST];
        ask.name = four.names.items[i];
        size_t length = request_write(&ask, request);
        size_t question = length - HEADER - OPT;
        length = world_send(&four.world, request, length, &ask);
        if (!mould.is_made)
            fill_mould(&mould, four.world.reply, length, question);
        ck_assert_uint_eq(length, HEADER + question + mould.tail_length);
        ck_assert_mem_eq(four.world.reply + 2, mould.head, HEADER - 2);
        ck_assert_mem_eq(four.world.reply + HEADER + question, mould.tail, mould.tail_length);
    }
}

/* Nor does a reload that removes all names make a difference. */
TEST(outsiders_get_the_same_from_another_server)
{
    struct mould mould = {.is_made = false};
    struct ask ask = {.name = "frozen-oasis-70544.herokuapp.com.", .from = "203.0.113.9"};

    ask_once(&ask, &mould, 0);
    world_must_load_text(&four.world, "space: lone-space\ncidr: 10.99.0.0/16\n");
    ask_once(&ask, &mould, 0);
}

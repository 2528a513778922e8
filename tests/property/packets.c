// timeout: 240
/**
 * 100,000 random and mutated packets: no crash, no reply to a response, no reply above the limit,
 * every reply read by ldns with the request's id, and the right answer right after.
 */
#include <stdlib.h>
#include <string.h>

#include "support/four_spaces.h"
#include "support/packets.h"
#include "support/suite.h"

enum { HEADER = 12, PACKETS = 100000, ROUND = 1000, SEEDS = 4 };

static struct four_spaces four;

static size_t make_query(struct dice *dice, uint8_t *out)
{
    struct ask ask = {
        .name = four.names.items[dice_roll(dice, (uint32_t)four.names.count)],
        .type = four_spaces_types[dice_roll(dice, (uint32_t)four_spaces_type_count)],
        .no_edns = dice_roll(dice, 3) == 0,
        .nsid = dice_roll(dice, 2) == 0,
        .keepalive = dice_roll(dice, 2) == 0,
        .edns_octets = (uint16_t)dice_roll(dice, 2000),
        .no_question = dice_roll(dice, 16) == 0,
    };

    if (dice_roll(dice, 2) == 0)
        ask.cookie_octets = (uint8_t)(8 * (1 + dice_roll(dice, 5)));
    for (unsigned i = 0; i < ask.cookie_octets; i++)
        ask.cookie[i] = (uint8_t)dice_roll(dice, 256);
    return request_write(&ask, out);
}

static void check_reply(const uint8_t *packet, size_t length, size_t reply_length,
                        const struct ask *how)
{
    struct decoded reply;
    bool is_response = length >= HEADER && (packet[2] & 0x80) != 0;

    ck_assert((reply_length == 0) == (length < HEADER || is_response));
    ck_assert_uint_le(reply_length, how->transport == ASK_TCP ? 65535 : 1232);
    if (reply_length == 0)
        return;
    decode(four.world.reply, reply_length, &reply);
    ck_assert_int_eq(memcmp(four.world.reply, packet, 2), 0);
    ck_assert(reply.qr && !reply.ad);
    ck_assert_uint_le(reply.question_count, 1);
    if (!reply.has_opt && how->transport == ASK_UDP)
        ck_assert_uint_le(reply_length, 512);
    decoded_close(&reply);
}

/*
 * The octets are on the heap in exactly their size, so that a sanitizer finds reads past the end.
 */
static void throw_packet(struct dice *dice, const char *from)
{
    uint8_t made[PACKET_OCTETS_MOST];
    struct ask how = {.from = from, .transport = dice_roll(dice, 4) == 0 ? ASK_TCP : ASK_UDP};
    size_t length = dice_roll(dice, 4) == 0 ? packet_make_random(dice, made)
                                            : packet_mutate(dice, made, make_query(dice, made));
    uint8_t *packet = malloc(length + 1);

    memcpy(packet, made, length);
    check_reply(packet, length, world_send(&four.world, packet, length, &how), &how);
    free(packet);
}

static void check_right_answer(void)
{
    struct decoded reply;

    world_ask(&four.world, &(struct ask){.name = "api.example.com."}, &reply);
    ck_assert_uint_eq(reply.rcode, 0);
    ck_assert_uint_eq(reply.answer_count, 3);
    ck_assert(decoded_has(&reply, LDNS_SECTION_ANSWER, "* 30 IN A 10.0.0.37"));
    ck_assert(decoded_has(&reply, LDNS_SECTION_ANSWER, "* 30 IN A 10.0.16.21"));
    decoded_close(&reply);
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

TEST_LOOP(no_packet_harms_the_server, 0, SEEDS)
{
    struct dice dice = {.state = 0x9e3779b97f4a7c15 ^ (uint64_t)_i};
    static const char *const from[SEEDS] = {"10.0.130.56", "10.2.130.1", "172.16.9.9",
                                            "203.0.113.9"};

    for (int i = 0; i < PACKETS / SEEDS; i++) {
        throw_packet(&dice, from[_i]);
        if (i % ROUND == 0)
            check_right_answer();
    }
    check_right_answer();
}

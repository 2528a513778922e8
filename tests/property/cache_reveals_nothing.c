// timeout: 240
/**
 * Over random sequences of questions from clients of all kinds, while the cache fills, becomes
 * stale and fails: clients that may not recurse get the same octets as from a server without cache
 * and upstreams; so outsiders always get the same reply.
 */
#include <stdio.h>
#include <string.h>

#include "support/four_spaces.h"
#include "support/packets.h"
#include "support/suite.h"
#include "wire/types.h"

enum { HEADER = 12, QUESTIONS = 100000, SEEDS = 4, FOREIGN_NAMES = 20, SPACE_ONLY = 1 };

static struct four_spaces warm; /* with upstreams and a cache */
static struct four_spaces cold; /* without */
static struct responders responders;

static void set_up(void)
{
    const struct clocked_options options = {
        .responders = &responders,
        .zones = {{.zone = ".", .addresses = "10.9.0.1 10.9.0.2"}},
        .zone_count = 1,
    };

    responders = (struct responders){.count = 0};
    responders_add(&responders, "10.9.0.1");
    responders_add(&responders, "10.9.0.2");
    facts_learn(&responders.facts, "* A 60 192.0.2.66");
    facts_learn(&responders.facts, "* TXT 300 \"of an upstream\"");
    four_spaces_init_forwarding(&warm, &options, SPACE_ONLY);
    four_spaces_init(&cold);
}

static void tear_down(void)
{
    four_spaces_close(&warm);
    four_spaces_close(&cold);
    responders_close(&responders);
}

static void make_name(struct dice *dice, char name[NAME_TEXT_MOST])
{
    if (dice_roll(dice, 3) == 0)
        snprintf(name, NAME_TEXT_MOST, "n%u.foreign.example.", dice_roll(dice, FOREIGN_NAMES));
    else
        snprintf(name, NAME_TEXT_MOST, "%s",
                 warm.names.items[dice_roll(dice, (uint32_t)warm.names.count)]);
}

static void make_ask(struct dice *dice, char name[NAME_TEXT_MOST], struct ask *ask)
{
    static const uint16_t types[] = {TYPE_A, TYPE_A, TYPE_TXT, TYPE_AAAA, TYPE_ANY, 4711};
    static const char *const members[] = {"10.20.3.4", "172.16.9.9", "10.21.255.255", "172.25.3.4"};
    uint32_t who = dice_roll(dice, 8);

    make_name(dice, name);
    *ask = (struct ask){
        .name = name,
        .type = types[dice_roll(dice, sizeof types / sizeof types[0])],
        .from = who < 4 ? "10.0.130.56"
                : who < 6
                    ? members[dice_roll(dice, 4)]
                    : four_spaces_outsiders[dice_roll(dice, (uint32_t)four_spaces_outsider_count)],
        .transport = dice_roll(dice, 4) == 0 ? ASK_TCP : ASK_UDP,
        .no_edns = dice_roll(dice, 4) == 0,
        .no_rd = dice_roll(dice, 8) == 0,
        .dnssec_ok = dice_roll(dice, 8) == 0,
    };
}

/* _why names files: the cold one's folder becomes the warm one's, which has as many letters. */
static void rename_folder(size_t length)
{
    const char *from = cold.world.folder.path, *to = warm.world.folder.path;
    uint8_t *at = cold.world.reply, *end = at + length;

    while ((at = memmem(at, (size_t)(end - at), from, strlen(from))) != NULL)
        memcpy(at, to, strlen(to));
}

/* The order of routers rotates; everything else is the same octet for octet. */
static void check_same(const struct ask *ask)
{
    uint8_t request[REQUEST_OCTETS_MOST];
    size_t length = request_write(ask, request);
    size_t from_warm = world_send(&warm.world, request, length, ask);
    size_t from_cold = world_send(&cold.world, request, length, ask);
    bool is_turned = warm.world.reply[7] > 1 && (warm.world.reply[2] & 4) != 0;

    ck_assert_msg(from_warm == from_cold, "%s TYPE%u from %s: %zu octets and %zu", ask->name,
                  ask->type, ask->from, from_warm, from_cold);
    rename_folder(from_cold);
    size_t compared = is_turned ? HEADER : from_warm;
    ck_assert_msg(memcmp(warm.world.reply, cold.world.reply, compared) == 0,
                  "%s TYPE%u from %s shows what is kept", ask->name, ask->type, ask->from);
}

/* Upstreams come and go, and time passes, so that every state of the cache occurs. */
static void move_on(struct dice *dice)
{
    static const char *const manners[] = {"well", "silent", "servfail", "20ms well", "garbage"};
    const char *address = dice_roll(dice, 2) == 0 ? "10.9.0.1" : "10.9.0.2";

    responders_behave(&responders, address, manners[dice_roll(dice, 5)]);
    clocked_pass(warm.world.clocked, dice_roll(dice, 20000));
}

FIXTURE(set_up, tear_down)

TEST_LOOP(a_client_that_may_not_recurse_sees_nothing_of_the_cache, 0, SEEDS)
{
    struct dice dice = {.state = 0x9e3779b97f4a7c15 ^ (uint64_t)_i};
    char name[NAME_TEXT_MOST];
    unsigned forwarded = 0;

    for (int i = 0; i < QUESTIONS / SEEDS; i++) {
        struct ask ask;
        struct decoded reply;
        make_ask(&dice, name, &ask);
        if (strcmp(ask.from, "10.0.130.56") != 0) {
            check_same(&ask);
        } else {
            world_ask(&warm.world, &ask, &reply);
            ck_assert(!ask.no_rd || !decoded_has(&reply, LDNS_SECTION_ANSWER, "*192.0.2.66"));
            forwarded += decoded_has(&reply, LDNS_SECTION_ANSWER, "*192.0.2.66");
            decoded_close(&reply);
        }
        if (dice_roll(&dice, 200) == 0)
            move_on(&dice);
    }
    ck_assert_uint_gt(forwarded, 100);
    ck_assert_uint_gt(clocked_count(warm.world.clocked, COUNTER_FORWARD_HITS), 100);
    ck_assert_uint_gt(clocked_count(warm.world.clocked, COUNTER_FORWARD_STALE), 0);
}

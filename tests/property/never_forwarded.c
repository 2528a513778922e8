// timeout: 240
/**
 * Over all names, insiders, types and classes, and over 100,000 random and mutated packets: no name
 * of ours is ever forwarded, and every query to an upstream is one that a forwarder should send.
 * Upstreams answer everything; every client may recurse, or each class below its suffixes only.
 */
#include <stdio.h>
#include <string.h>

#include "support/four_spaces.h"
#include "support/packets.h"
#include "support/recursion.h"
#include "support/suite.h"
#include "wire/types.h"

enum { PACKETS = 100000, SEEDS = 4, EVERYBODY = 7, TYPE_SHARE = 5 };

static struct four_spaces four;
static struct responders responders;
static unsigned long asked;
static bool is_limited;

/* Together they hold more names of ours than not. */
static const char limited[] =
    "{space: [herokuapp.com, net], peered: [herokuapp.com, com], vpn: [example.com, org]}";

/* Called for each query that an upstream gets. */
static void check_asked(void *context, const ldns_pkt *query)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    char *name = ldns_rdf2str(ldns_rr_owner(question));
    uint16_t type = (uint16_t)ldns_rr_get_type(question);
    struct owner owner;

    (void)context;
    asked++;
    ck_assert_msg(!oracle_is_special(four.spaces, FOUR_SPACES, name),
                  "an upstream was asked for %s TYPE%u", name, type);
    bool is_ours = oracle_find_owner(four.spaces, FOUR_SPACES, name, &owner) &&
                   owner.app->internal_routing && oracle_owns_type(&owner, type);
    ck_assert_msg(!is_ours, "an upstream was asked for %s TYPE%u", name, type);
    ck_assert_int_eq(ldns_rr_get_class(question), LDNS_RR_CLASS_IN);
    ck_assert_msg(!is_limited || oracle_may_recurse(&four.world.snapshot->policy.recursion_for,
                                                    EVERYBODY, name),
                  "an upstream was asked for %s, below no suffix", name);
    free(name);
}

static void set_up(void)
{
    const struct clocked_options options = {
        .responders = &responders,
        .zones = {{.zone = ".", .addresses = "10.9.0.1"},
                  {.zone = "example.com", .addresses = "10.9.0.2"},
                  {.zone = "localspace", .addresses = "10.9.0.2"},
                  {.zone = "10.in-addr.arpa", .addresses = "10.9.0.2"}},
        .zone_count = 4,
    };

    responders = (struct responders){.on_asked = check_asked};
    asked = 0;
    is_limited = false;
    responders_add(&responders, "10.9.0.1");
    responders_add(&responders, "10.9.0.2");
    facts_learn(&responders.facts, "* A 60 192.0.2.66");
    four_spaces_init_forwarding(&four, &options, EVERYBODY);
}

static void tear_down(void)
{
    ck_assert_str_eq(responders.complaint, "");
    ck_assert_uint_gt(asked, 0);
    four_spaces_close(&four);
    responders_close(&responders);
}

static void ask(const struct ask *ask)
{
    struct decoded reply;

    world_ask(&four.world, ask, &reply);
    ck_assert(reply.qr && !reply.ad);
    decoded_close(&reply);
}

/* Each client asks for a share of the types; together they cover all. */
static void ask_for_all_names(int client)
{
    struct ask how = {.from = four_spaces_insiders[client]};

    for (size_t i = 0; i < four.names.count; i++) {
        how.name = four.names.items[i];
        size_t first = (i + (size_t)client) % (TYPE_SHARE * four_spaces_stride());
        for (size_t j = first; j < four_spaces_type_count; j += TYPE_SHARE * four_spaces_stride()) {
            how.type = four_spaces_types[j];
            how.transport = j % 2 == 0 ? ASK_TCP : ASK_UDP;
            how.cd = i % 3 == 0;
            how.dnssec_ok = i % 5 == 0;
            ask(&how);
        }
        how.type = TYPE_A;
        ask(&how);
    }
}

FIXTURE(set_up, tear_down)

TEST_LOOP(no_name_of_ours_is_asked_of_an_upstream, 0, (int)four_spaces_insider_count)
{
    ask_for_all_names(_i);
}

TEST_LOOP(no_name_below_no_suffix_is_asked_of_an_upstream, 0, (int)four_spaces_insider_count)
{
    is_limited = true;
    four.world.snapshot->policy.recursion_for = recursion_of(limited);
    ask_for_all_names(_i);
}

TEST_LOOP(no_name_of_ours_is_asked_in_any_class, 0, 3)
{
    static const uint16_t classes[] = {1, 3, 4, 254, 255, 4711};
    struct ask how = {.from = four_spaces_insiders[_i]};

    for (size_t i = 0; i < four.names.count; i++) {
        how.name = four.names.items[i];
        how.class = classes[i % (sizeof classes / sizeof classes[0])];
        ask(&how);
    }
}

static size_t make_query(struct dice *dice, uint8_t *out)
{
    const struct ask made = {
        .name = four.names.items[dice_roll(dice, (uint32_t)four.names.count)],
        .type = four_spaces_types[dice_roll(dice, (uint32_t)four_spaces_type_count)],
        .no_edns = dice_roll(dice, 3) == 0,
        .cd = dice_roll(dice, 4) == 0,
        .dnssec_ok = dice_roll(dice, 4) == 0,
    };
    return request_write(&made, out);
}

TEST_LOOP(no_packet_has_a_name_of_ours_asked, 0, SEEDS)
{
    struct dice dice = {.state = 0x9e3779b97f4a7c15 ^ (uint64_t)_i};
    uint8_t packet[PACKET_OCTETS_MOST];

    for (int i = 0; i < PACKETS / SEEDS; i++) {
        struct ask how = {.from = four_spaces_insiders[i % (int)four_spaces_insider_count],
                          .transport = i % 7 == 0 ? ASK_TCP : ASK_UDP};
        size_t length = dice_roll(&dice, 8) == 0
                            ? packet_make_random(&dice, packet)
                            : packet_mutate(&dice, packet, make_query(&dice, packet));
        world_send(&four.world, packet, length, &how);
    }
}

// timeout: 240
/**
 * Random aliases over names of every kind, static and in upstreams' answers, asked for by every
 * kind of client: upstreams know another address for each name of ours and answer with it, and yet
 *
 * - no upstream is asked for a name of ours,
 * - no client gets an upstream's address for one, nor an address of a space it is not in,
 * - every reply is one chain from the question: each owner the alias before it leads to, no record
 *   twice, and no more links than are allowed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "support/packets.h"
#include "support/suite.h"
#include "support/world.h"
#include "wire/types.h"

enum {
    WORLDS = 200,
    SEEDS = 4,
    ALIASES = 8,
    ADDRESSES_MOST = 64,
    LINKS_MOST = 8 + 2 * ALIASES + 2
};

#define POISON "6.6.6.6"

/* Names that are no alias of ours or of upstreams. */
static const struct {
    const char *name;
    const char *fact; /* what upstreams know; NULL: the poison */
} ends[] = {
    {"warm-oasis-1.herokuapp.com.", NULL},
    {"cold-river-2.herokuapp.com.", NULL},
    {"shop.example.com.", NULL},
    {"web.warm-oasis-1.app.localspace.", NULL},
    {"nobody.app.localspace.", NULL},
    {"frozen-oasis-70544.herokuapp.com.", NULL}, /* another space's name */
    {"db.corp.example.", NULL},
    {"www.debian.org.", "www.debian.org. A 60 192.0.2.1"},
    {"gone.example.org.", "gone.example.org. NXDOMAIN 60"},
    {"none.example.org.", "none.example.org. NODATA 60"},
    {"printer.local.", "printer.local. A 60 192.0.2.2"}, /* never forwarded, and nobody has it */
};
enum { ENDS = sizeof ends / sizeof ends[0], NAMES = 2 * ALIASES + ENDS, NAME_OCTETS = 64 };

static const char head[] =
    "space: alias-space\n"
    "cidr: 10.5.0.0/16\n"
    "routers: [10.5.0.37, 10.5.16.21]\n"
    "peerings:\n"
    "  - {pcx_id: pcx-555eee555, status: active, cidr_blocks: [10.25.0.0/16]}\n"
    "apps:\n"
    "  - name: warm-oasis-1\n"
    "    internal_routing: true\n"
    "    domains:\n"
    "      - hostname: shop.example.com\n"
    "        cname: warm-haiku-1.also-random-1.herokuspace.com\n"
    "    formation: {web: {dynos: [{number: 1, private_ip: 10.5.130.1}]}}\n"
    "  - name: cold-river-2\n"
    "    internal_routing: true\n"
    "    formation:\n"
    "      web: {dynos: [{number: 1, private_ip: 10.5.131.7, state: crashed}]}\n"
    "records:\n"
    "  - db.corp.example. 60 IN A 172.24.1.5\n";

static const struct {
    const char *address;
    uint32_t inside[2]; /* first 16 bits of the networks whose addresses it may get */
} clients[] = {
    {"10.5.130.1", {0x0a05, 0xac18}},
    {"10.25.1.1", {0x0a05, 0xac18}},
    {"10.0.130.56", {0x0a00, 0x0a00}},
};
enum { CLIENTS = sizeof clients / sizeof clients[0] };

static const uint16_t types[] = {TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_MX};

static struct world world;
static struct responders responders;
static unsigned long asked, addresses_seen, endless_seen;

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), tail = strlen(suffix);

    return length >= tail && strcasecmp(name + length - tail, suffix) == 0;
}

static bool is_ours(const char *name)
{
    static const char *const suffixes[] = {
        "corp.example.",
        "shop.example.com.",
        "localspace.",
        "warm-oasis-1.herokuapp.com.",
        "cold-river-2.herokuapp.com.",
        "frozen-oasis-70544.herokuapp.com.",
        "herokuspace.com.",
    };

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (ends_with(name, suffixes[i]))
            return true;
    return false;
}

static void check_asked(void *context, const ldns_pkt *query)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    char *name = ldns_rdf2str(ldns_rr_owner(question));

    (void)context;
    asked++;
    ck_assert_msg(!is_ours(name), "an upstream was asked for %s", name);
    free(name);
}

/* The aliases of ours first, then those of upstreams, then the ends. */
static void write_name(unsigned number, char *out)
{
    if (number < ALIASES)
        snprintf(out, NAME_OCTETS, "a%u.corp.example.", number);
    else if (number < 2 * ALIASES)
        snprintf(out, NAME_OCTETS, "f%u.example.org.", number - ALIASES);
    else
        snprintf(out, NAME_OCTETS, "%s", ends[number - 2 * ALIASES].name);
}

static void learn(const char *name, const char *rest)
{
    char fact[2 * NAME_OCTETS + 64];

    snprintf(fact, sizeof fact, "%s %s", name, rest);
    ck_assert(facts_learn(&responders.facts, fact));
}

/* Upstreams follow their aliases by themselves, through the poison that they know for ours. */
static void learn_all(struct dice *dice)
{
    char name[NAME_OCTETS], target[NAME_OCTETS], rest[NAME_OCTETS + 32];

    for (unsigned i = 0; i < NAMES; i++) {
        write_name(i, name);
        if (i < ALIASES) {
            learn(name, "A 60 " POISON);
        } else if (i >= 2 * ALIASES) {
            const char *fact = ends[i - 2 * ALIASES].fact;
            ck_assert(fact == NULL || facts_learn(&responders.facts, fact));
            if (fact == NULL)
                learn(name, "A 60 " POISON);
        } else {
            write_name(dice_roll(dice, NAMES), target);
            snprintf(rest, sizeof rest, "CNAME %u %s", dice_roll(dice, 2) * 60, target);
            learn(name, dice_roll(dice, 6) == 0 ? "A 60 192.0.2.80" : rest);
        }
    }
}

static void load_all(struct dice *dice)
{
    char text[sizeof head + ALIASES * 160], name[NAME_OCTETS], target[NAME_OCTETS];
    size_t length = sizeof head - 1;

    memcpy(text, head, length);
    for (unsigned i = 0; i < ALIASES; i++) {
        write_name(i, name);
        /* Among ours they lead onwards only: a loop in one file is refused. */
        write_name(i + 1 + dice_roll(dice, NAMES - i - 1), target);
        length += (size_t)snprintf(text + length, sizeof text - length, "  - %s %u IN CNAME %s\n",
                                   name, 30 + i, target);
    }
    scratch_write(&world.folder, "alias-space.yaml", text, length);
    scratch_copy(&world.folder, "zones/test-space.yaml");
    world_must_load(&world);
}

static void open_world(struct dice *dice)
{
    responders = (struct responders){.on_asked = check_asked};
    responders_add(&responders, "10.9.0.1");
    learn_all(dice);
    world_init(&world);
    world_forward(&world, (struct clocked_options){
                              .responders = &responders,
                              .zones = {{.zone = ".", .addresses = "10.9.0.1"}},
                              .zone_count = 1,
                          });
    load_all(dice);
}

static void close_world(void)
{
    ck_assert_str_eq(responders.complaint, "");
    world_close(&world);
    responders_close(&responders);
}

static void check_addresses(const struct decoded *reply, const struct ask *ask, unsigned client)
{
    uint32_t addresses[ADDRESSES_MOST];
    size_t count = decoded_addresses(reply, addresses, ADDRESSES_MOST);

    for (size_t i = 0; i < count; i++) {
        uint32_t network = addresses[i] >> 16;
        ck_assert_msg(network == 0xc000 || network == clients[client].inside[0] ||
                          network == clients[client].inside[1],
                      "%s asks for %s and gets %08x", clients[client].address, ask->name,
                      addresses[i]);
        addresses_seen++;
    }
}

static void check_chain(const struct decoded *reply, const struct ask *ask)
{
    const ldns_rdf *here = ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(reply->packet), 0));
    unsigned links = 0;

    for (unsigned i = 0; i < reply->answer_count; i++) {
        const ldns_rr *record = decoded_record(reply, LDNS_SECTION_ANSWER, i);
        ck_assert_msg(ldns_dname_compare(ldns_rr_owner(record), here) == 0,
                      "record %u of %s TYPE%u stands at another name", i, ask->name, ask->type);
        for (unsigned j = 0; j < i; j++)
            ck_assert_int_ne(ldns_rr_compare(record, decoded_record(reply, LDNS_SECTION_ANSWER, j)),
                             0);
        if (ldns_rr_get_type(record) != LDNS_RR_TYPE_CNAME)
            continue;
        here = ldns_rr_rdf(record, 0);
        links++;
    }
    ck_assert_uint_le(links, LINKS_MOST);
}

static void check_reply(const struct decoded *reply, const struct ask *ask, unsigned client)
{
    bool is_endless = strncmp(reply->ede_text, "Q28", 3) == 0;

    ck_assert(reply->qr && !reply->tc && !reply->ad);
    check_addresses(reply, ask, client);
    check_chain(reply, ask);
    endless_seen += is_endless;
    if (is_endless)
        ck_assert(reply->rcode == LDNS_RCODE_SERVFAIL && reply->answer_count == 0);
}

static void ask_everything(void)
{
    char name[NAME_OCTETS];
    struct decoded reply;

    for (unsigned client = 0; client < CLIENTS; client++)
        for (unsigned i = 0; i < NAMES; i++)
            for (size_t j = 0; j < sizeof types / sizeof types[0]; j++) {
                write_name(i, name);
                struct ask ask = {.from = clients[client].address,
                                  .name = name,
                                  .type = types[j],
                                  .transport = ASK_TCP};
                world_ask(&world, &ask, &reply);
                check_reply(&reply, &ask, client);
                decoded_close(&reply);
            }
}

TEST_LOOP(wherever_aliases_lead_nothing_of_ours_is_an_upstreams, 0, SEEDS)
{
    struct dice dice = {.state = UINT64_C(0x5851f42d4c957f2d) ^ (uint64_t)(_i + 1)};

    asked = addresses_seen = endless_seen = 0;
    for (int i = 0; i < WORLDS / SEEDS; i++) {
        open_world(&dice);
        ask_everything();
        close_world();
    }
    ck_assert_uint_gt(asked, 0);
    ck_assert_uint_gt(addresses_seen, 0);
    ck_assert_uint_gt(endless_seen, 0);
}

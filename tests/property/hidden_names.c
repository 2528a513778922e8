/**
 * What is kept of a name of others is enough: two snapshots decide on its stand-in as they do on
 * the name itself, and differ on it as they differ on the name, for every kind of client.
 */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "support/suite.h"
#include "support/zones.h"
#include "traffic/hidden_name.h"
#include "traffic/replay_answer.h"
#include "wire/types.h"

enum { NAMES = 20000, LABELS_MOST = 5, SPACES = 2 };

/* Words that make names which meet in many ways. */
static const char *const words[] = {"www", "a", "_x", "_tcp", "shop", "eu", "db", "corp", "xn--a"};
static const char *const tops[] = {"org", "net", "example", "com"};

/* What one side declares and the other does not. */
static const char *const before_texts[SPACES] = {
    "space: one\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
    "peerings: [{pcx_id: pcx-1, status: active, cidr_blocks: [10.20.0.0/16]}]\n"
    "records:\n  - \"db.eu.shop.org. 60 IN A 172.23.1.5\"\n  - \"www.corp.net. 60 IN TXT "
    "\\\"x\\\"\"\n"
    "apps:\n  - name: oasis-one\n    internal_routing: true\n    domains:\n"
    "      - {hostname: www.shop.net, cname: a-haiku-1.b-haiku-2.herokuspace.com}\n"
    "      - {hostname: \"*.eu.shop.net\", cname: c-haiku-1.b-haiku-2.herokuspace.com}\n"
    "    formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.1, state: up}]}}\n",
    "space: two\ncidr: 10.1.0.0/16\nrouters: [10.1.0.37]\napps:\n  - name: oasis-two\n"
    "    domains: [{hostname: \"*.corp.com\", cname: d-haiku-1.b-haiku-2.herokuspace.com}]\n",
};
static const char *const after_texts[SPACES] = {
    "space: one\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
    "peerings: [{pcx_id: pcx-1, status: active, cidr_blocks: [10.20.0.0/16]}]\n"
    "records:\n  - \"a.www.eu.shop.org. 60 IN A 172.23.1.5\"\n"
    "  - \"a.shop.com. 60 IN CNAME www.shop.net.\"\n"
    "apps:\n  - name: oasis-one\n    internal_routing: true\n    domains:\n"
    "      - {hostname: www.shop.net, cname: a-haiku-1.b-haiku-2.herokuspace.com}\n"
    "      - {hostname: shop.example, cname: e-haiku-1.b-haiku-2.herokuspace.com}\n"
    "      - {hostname: \"*.shop.net\", cname: c-haiku-1.b-haiku-2.herokuspace.com}\n"
    "      - {hostname: \"*.a.shop.net\", cname: f-haiku-1.b-haiku-2.herokuspace.com, status: "
    "pending}\n"
    "    formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.1, state: up}]}}\n",
    "space: two\ncidr: 10.1.0.0/16\nrouters: [10.1.0.37]\napps:\n  - name: oasis-two\n"
    "    internal_routing: true\n"
    "    domains: [{hostname: \"*.eu.org\", cname: d-haiku-1.b-haiku-2.herokuspace.com}]\n",
};
static const char *const clients[] = {"10.0.130.1", "10.20.3.4", "10.1.130.1", "203.0.113.9"};
static const uint16_t types[] = {TYPE_A, TYPE_TXT, TYPE_SOA};

static struct policy policies[2];
static struct snapshot *sides[2];
static struct known_names known;
static struct replay_ask ask;
static struct route routes[2][3];
static struct recursion_suffix suffix = {.text = "shop.com", .class = CLIENT_PEERED};
static uint64_t state = 0x9e3779b97f4a7c15;

static void set_up(void)
{
    static const char *const zones[2][3] = {{"corp.example", "eu.com", "."},
                                            {"eu.com", "db.eu.com", "."}};
    static const char *const upstreams[2][3] = {{"192.0.2.1", "192.0.2.2", "192.0.2.3"},
                                                {"192.0.2.2", "192.0.2.4", "192.0.2.3"}};

    for (size_t i = 0; i < 2; i++) {
        policies[i] = policy_usual();
        for (size_t j = 0; j < 3; j++) {
            routes[i][j].upstreams = upstreams[i][j];
            ck_assert(name_from_text(zones[i][j], &routes[i][j].zone));
        }
        policies[i].routes = (struct routes){.items = routes[i], .count = 3};
    }
    /* The longest zone comes first. */
    struct route longest = routes[1][1];
    routes[1][1] = routes[1][0];
    routes[1][0] = longest;
    ck_assert(name_from_text(suffix.text, &suffix.name));
    policies[1].recursion_for.suffixes = &suffix;
    policies[1].recursion_for.count = 1;
    sides[0] = snapshot_of_texts(&policies[0], before_texts, SPACES);
    sides[1] = snapshot_of_texts(&policies[1], after_texts, SPACES);
    ck_assert(known_names_open(&known, sides[0], sides[1]));
}

static void tear_down(void)
{
    known_names_close(&known);
    snapshot_free(sides[0]);
    snapshot_free(sides[1]);
}

FIXTURE(set_up, tear_down)

static unsigned draw(unsigned end)
{
    state = hash_mix(state, 0xd6e8feb86659fd93) + 0x2545f4914f6cdd1d;
    return (unsigned)((state >> 17) % end);
}

static void make_name(char text[256])
{
    unsigned labels = draw(LABELS_MOST);
    size_t used = 0;

    for (unsigned i = 0; i < labels; i++)
        used += (size_t)sprintf(text + used, "%s.", words[draw(sizeof words / sizeof words[0])]);
    sprintf(text + used, "%s", tops[draw(sizeof tops / sizeof tops[0])]);
}

/* The answers of both sides to a name. */
struct answers {
    struct replay_answer of[2];
    enum replay_difference difference;
};

static void decide_both(const struct path *path, const struct name *name, uint16_t type,
                        struct answers *answers)
{
    const struct replay_question question = {.path = path, .name = name, .type = type};

    for (size_t i = 0; i < 2; i++)
        replay_answer_find(&ask, sides[i], &question, &answers->of[i]);
    answers->difference = replay_answer_compare(&answers->of[0], &answers->of[1]);
}

/* Returns how the snapshots differ. */
static enum replay_difference check(const char *text, const struct path *path, uint16_t type)
{
    uint8_t octets[HIDDEN_NAME_OCTETS_MOST];
    struct answers wanted, got;
    struct name name, stand_in;

    ck_assert(name_from_text(text, &name));
    struct hidden_name hidden = {.hash = index_hash(&sides[0]->index, &name), .octets = octets};
    hidden.length = hidden_name_write(&sides[0]->index, &name, octets);
    known_names_resolve(&known, &hidden, &stand_in);
    decide_both(path, &name, type, &wanted);
    decide_both(path, &stand_in, type, &got);
    ck_assert_msg(wanted.difference == got.difference, "%s TYPE%u from %08x: %d, not %d", text,
                  type, path->source, got.difference, wanted.difference);
    for (size_t i = 0; i < 2; i++)
        ck_assert_msg(
            wanted.of[i].kind == got.of[i].kind && wanted.of[i].reason == got.of[i].reason &&
                wanted.of[i].rcode == got.of[i].rcode && wanted.of[i].count == got.of[i].count &&
                wanted.of[i].ttl_seconds == got.of[i].ttl_seconds,
            "%s TYPE%u from %08x, side %zu", text, type, path->source, i);
    return wanted.difference;
}

TEST(a_stand_in_is_decided_on_as_the_name)
{
    unsigned counts[REPLAY_OTHER + 1] = {0};
    char text[256];

    for (unsigned i = 0; i < NAMES; i++) {
        make_name(text);
        for (size_t c = 0; c < sizeof clients / sizeof clients[0]; c++) {
            struct path path = {.destination = 0x0a000002};
            ck_assert(ipv4_read(clients[c], &path.source));
            counts[check(text, &path, types[i % (sizeof types / sizeof types[0])])]++;
        }
    }
    /* The words meet what is declared. */
    ck_assert_uint_gt(counts[REPLAY_SAME], 1000);
    ck_assert_uint_gt(counts[REPLAY_OTHER], 1000);
    ck_assert_uint_gt(counts[REPLAY_OTHER_CONTENT], 100);
}

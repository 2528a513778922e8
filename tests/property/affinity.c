/**
 * Over spaces of random zones, states and `affinity`: each answer holds exactly the addresses that
 * its client may get, those of the client's availability zone in front, and over many answers each
 * address of a group comes first in its group equally often.
 *
 * The oracle is the list that the zone file was written from, not the file read back.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/world.h"

enum {
    SPACES = 60,
    ROUNDS = 24,
    BLOCKS = 4,
    ROUTERS = 6,
    DYNOS = 8,
    NO_AZ = -1,
    TEXT_MOST = 8192,
};

enum mode { NONE, PREFER, ONLY };

static const char *const modes[] = {"none", "prefer", "only"};
static const char *const azs[] = {"us-east-1a", "us-east-1b", "a \xc3\xa4 zone"};
enum { AZS = sizeof azs / sizeof azs[0] };

/* An address, its zone, and whether it is up. */
struct place {
    uint32_t ip;
    int az;
    bool is_up;
};

/* A space as it is written into the zone file. */
struct drawn {
    enum mode mode;
    int block_azs[BLOCKS];
    struct place routers[ROUTERS];
    struct place dynos[DYNOS];
};

static struct world world;
static uint32_t state;

static void set_up(void)
{
    world_init(&world);
    world.policy.localspace_to =
        1U << CLIENT_SPACE | 1U << CLIENT_PEERED; /* discovery names for the peer, too */
}

static void tear_down(void)
{
    world_close(&world);
}

static unsigned draw(unsigned below)
{
    state = state * 1664525U + 1013904223U;
    return (state >> 16) % below;
}

static void draw_space(struct drawn *space)
{
    *space = (struct drawn){.mode = (enum mode)draw(3)};
    for (int i = 0; i < BLOCKS; i++)
        space->block_azs[i] = i == 0 ? 0 : (int)draw(AZS + 1) - 1;
    for (unsigned i = 0; i < ROUTERS; i++)
        space->routers[i] = (struct place){
            .ip = 0x0a000025 + i, .az = (int)draw(AZS + 1) - 1, .is_up = i == 0 || draw(4) > 0};
    for (unsigned i = 0; i < DYNOS; i++) {
        unsigned block = draw(BLOCKS);
        space->dynos[i] = (struct place){.ip = 0x0a008000 + (block << 12) + 10 + i,
                                         .az = space->block_azs[block],
                                         .is_up = i == 0 || draw(4) > 0};
    }
}

/* ---- the zone file ---- */

static void add(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(char *text, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + length, TEXT_MOST - length, format, arguments);
    va_end(arguments);
}

static void add_az(char *text, int az)
{
    if (az != NO_AZ)
        add(text, ", az: \"%s\"", azs[az]);
}

static void add_address(char *text, uint32_t ip)
{
    add(text, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static void write_space(const struct drawn *space, char *text)
{
    text[0] = '\0';
    add(text, "space: test-space\naffinity: %s\ndyno_cidrs:\n", modes[space->mode]);
    for (unsigned i = 0; i < BLOCKS; i++) {
        add(text, space->block_azs[i] == NO_AZ ? "  - 10.0.%u.0/20" : "  - {cidr: 10.0.%u.0/20",
            128 + 16 * i);
        add_az(text, space->block_azs[i]);
        add(text, space->block_azs[i] == NO_AZ ? "\n" : "}\n");
    }
    add(text, "routers:\n");
    for (unsigned i = 0; i < ROUTERS; i++) {
        add(text, "  - {ip: ");
        add_address(text, space->routers[i].ip);
        add(text, ", state: %s", space->routers[i].is_up ? "up" : "draining");
        add_az(text, space->routers[i].az);
        add(text, "}\n");
    }
    add(text, "peerings: [{pcx_id: pcx-1, status: active, cidr_blocks: [10.20.0.0/16]}]\n"
              "records: [mail.example.org. 60 IN MX 1 app-one.herokuapp.com.]\n"
              "apps:\n  - name: app-one\n    internal_routing: true\n"
              "    domains: [{hostname: www.example.com, cname: h-1.s-1.herokuspace.com}]\n"
              "    formation:\n      web:\n        ports: {http: 80}\n        dynos:\n");
    for (unsigned i = 0; i < DYNOS; i++) {
        add(text, "          - {number: %u, private_ip: ", i + 1);
        add_address(text, space->dynos[i].ip);
        add(text, ", state: %s}\n", space->dynos[i].is_up ? "up" : "idle");
    }
}

/* ---- what a client should get ---- */

struct due {
    uint32_t own[DYNOS];
    uint32_t others[DYNOS];
    unsigned own_count, other_count;
};

/* az: the client's */
static void expect(const struct place *places, unsigned count, enum mode mode, int az,
                   struct due *expected)
{
    *expected = (struct due){.own_count = 0};
    for (unsigned i = 0; i < count; i++) {
        if (!places[i].is_up)
            continue;
        if (mode != NONE && az != NO_AZ && places[i].az == az)
            expected->own[expected->own_count++] = places[i].ip;
        else
            expected->others[expected->other_count++] = places[i].ip;
    }
    if (mode == ONLY && expected->own_count > 0)
        expected->other_count = 0;
}

static bool is_among(uint32_t address, const uint32_t *group, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (group[i] == address)
            return true;
    return false;
}

/* Checks that a part of an answer holds a group, each address once. Returns its first's number. */
static unsigned check_group(const uint32_t *addresses, const uint32_t *group, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ck_assert_msg(is_among(addresses[i], group, count), "%x is not of the group",
                      (unsigned)addresses[i]);
        ck_assert(!is_among(addresses[i], addresses, i));
    }
    for (unsigned i = 0; i < count; i++)
        if (group[i] == addresses[0])
            return i;
    return 0;
}

static void check_turns(const unsigned *firsts, unsigned count)
{
    /* 24 answers, and a group's size may not divide them: at least the whole turns. */
    for (unsigned i = 0; i < count; i++)
        ck_assert_msg(firsts[i] >= ROUNDS / count, "%u of %u came first %u times of %d", i, count,
                      firsts[i], (int)ROUNDS);
}

static const struct {
    const char *name;
    bool has_routers;
} names[] = {
    {"app-one.herokuapp.com.", true},
    {"www.example.com.", true},
    {"web.app-one.app.localspace.", false},
};

static void check_name(const struct drawn *space, unsigned name, const char *from, int az)
{
    unsigned own_firsts[DYNOS] = {0}, other_firsts[DYNOS] = {0};
    bool has_routers = names[name].has_routers;
    struct due expected;

    expect(has_routers ? space->routers : space->dynos, has_routers ? ROUTERS : DYNOS, space->mode,
           az, &expected);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct decoded reply;
        uint32_t addresses[2 * DYNOS];
        world_ask(&world, &(struct ask){.name = names[name].name, .from = from}, &reply);
        size_t count = decoded_addresses(&reply, addresses, 2 * DYNOS);
        decoded_close(&reply);
        ck_assert_uint_eq(count, expected.own_count + expected.other_count);
        own_firsts[check_group(addresses, expected.own, expected.own_count)]++;
        other_firsts[check_group(addresses + expected.own_count, expected.others,
                                 expected.other_count)]++;
    }
    check_turns(own_firsts, expected.own_count);
    if (has_routers || expected.own_count > 0) /* else idle dynos between make turns uneven */
        check_turns(other_firsts, expected.other_count);
}

/* ---- services ---- */

static void check_service(const struct drawn *space, const char *from, int az)
{
    struct due expected;
    struct decoded reply;
    const struct ask ask = {.name = "_http._tcp.web.app-one.app.localspace.",
                            .type = LDNS_RR_TYPE_SRV,
                            .from = from,
                            .transport = ASK_TCP};

    expect(space->dynos, DYNOS, space->mode, az, &expected);
    world_ask(&world, &ask, &reply);
    unsigned total = expected.own_count + expected.other_count;
    ck_assert_uint_eq(reply.answer_count, total);
    ck_assert_uint_eq(reply.additional_count, total);
    for (unsigned i = 0; i < total; i++) {
        const ldns_rr *address = decoded_record(&reply, LDNS_SECTION_ADDITIONAL, i);
        const ldns_rr *service = decoded_record(&reply, LDNS_SECTION_ANSWER, i);
        uint32_t ip = ldns_read_uint32(ldns_rdf_data(ldns_rr_rdf(address, 0)));
        bool is_own = i < expected.own_count;
        ck_assert(is_own ? is_among(ip, expected.own, expected.own_count)
                         : is_among(ip, expected.others, expected.other_count));
        ck_assert_uint_eq(ldns_rdf2native_int16(ldns_rr_rdf(service, 0)),
                          !is_own && expected.own_count > 0);
        ck_assert_int_eq(ldns_dname_compare(ldns_rr_rdf(service, 3), ldns_rr_owner(address)), 0);
    }
    decoded_close(&reply);
}

/* The additional records of an MX record are an answer, too. */
static void check_beside(const struct drawn *space, const char *from, int az)
{
    struct due expected;
    struct decoded reply;

    expect(space->routers, ROUTERS, space->mode, az, &expected);
    world_ask(&world,
              &(struct ask){.name = "mail.example.org.", .type = LDNS_RR_TYPE_MX, .from = from},
              &reply);
    ck_assert_uint_eq(reply.additional_count, expected.own_count + expected.other_count);
    for (unsigned i = 0; i < expected.own_count; i++) {
        const ldns_rr *address = decoded_record(&reply, LDNS_SECTION_ADDITIONAL, i);
        ck_assert(is_among(ldns_read_uint32(ldns_rdf_data(ldns_rr_rdf(address, 0))), expected.own,
                           expected.own_count));
    }
    decoded_close(&reply);
}

FIXTURE(set_up, tear_down)

TEST_LOOP(a_client_gets_its_own_zone_first_or_alone, 0, SPACES)
{
    static const char *const clients[BLOCKS + 2] = {"10.0.128.200", "10.0.144.200", "10.0.160.200",
                                                    "10.0.176.200", "10.0.7.7",     "10.20.3.4"};
    char text[TEXT_MOST];
    struct drawn space;

    state = (uint32_t)_i * 2654435761U;
    draw_space(&space);
    write_space(&space, text);
    world_must_load_text(&world, text);
    for (unsigned i = 0; i < BLOCKS + 2; i++) {
        int az = i < BLOCKS ? space.block_azs[i] : NO_AZ;
        for (unsigned name = 0; name < sizeof names / sizeof names[0]; name++)
            check_name(&space, name, clients[i], az);
        check_service(&space, clients[i], az);
        check_beside(&space, clients[i], az);
    }
}

/* A reply of 512 octets has room for some thirty of the fifty addresses. */
TEST_LOOP(a_cut_reply_begins_with_the_own_zone, 0, 2)
{
    static const char *const cut_names[] = {"app-one.herokuapp.com.",
                                            "web.app-one.app.localspace."};
    char text[TEXT_MOST] = "space: test-space\naffinity: prefer\nrouters:\n";
    struct decoded reply;
    uint32_t addresses[64];

    for (unsigned i = 0; i < 50; i++)
        add(text, "  - {ip: 10.0.0.%u, az: %s}\n", i + 10, i % 5 == 4 ? "own" : "other");
    add(text, "dyno_cidrs: [{cidr: 10.0.128.0/20, az: own}, {cidr: 10.0.144.0/20, az: other}]\n"
              "apps:\n  - name: app-one\n    internal_routing: true\n"
              "    formation:\n      web:\n        dynos:\n");
    for (unsigned i = 0; i < 50; i++)
        add(text, "          - {number: %u, private_ip: 10.0.%d.%u}\n", i + 1,
            i % 5 == 4 ? 128 : 144, i + 10);
    world_must_load_text(&world, text);
    for (unsigned round = 0; round < ROUNDS; round++) {
        world_ask(&world, &(struct ask){.name = cut_names[_i], .no_edns = true}, &reply);
        ck_assert(reply.tc);
        size_t count = decoded_addresses(&reply, addresses, 64);
        ck_assert_uint_gt(count, 20);
        decoded_close(&reply);
        for (unsigned i = 0; i < count; i++)
            ck_assert_msg(((addresses[i] & 255) % 5 == 4) == (i < 10), "%u: %x", i,
                          (unsigned)addresses[i]);
    }
}

#include "respond/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/world.h"
#include "support/zones.h"

static struct world world;

static void set_up(void)
{
    world_init(&world);
}

static void tear_down(void)
{
    world_close(&world);
}

static void load_shape(void)
{
    scratch_copy(&world.folder, "tests/zones_good/every-shape.yaml");
    world_must_load(&world);
}

static void ask_from_shape(const char *name, uint16_t type, struct decoded *reply)
{
    world_ask(&world, &(struct ask){.name = name, .type = type, .from = "10.2.130.1"}, reply);
}

/* The first of each answer's addresses, over many answers. */
static const struct {
    const char *name;
    unsigned count; /* of addresses in each answer */
} turning[] = {
    {"shape-shop-1.herokuapp.com.", 2},
    {"shop.example.com.", 2},
    {"web.shape-shop-1.app.localspace.", 2},
};

FIXTURE(set_up, tear_down)

TEST_OVER(every_address_comes_first_in_its_turn, turning)
{
    enum { TURNS = 60 };
    uint32_t addresses[8], seen[8];
    unsigned firsts[8] = {0}, known = 0;

    load_shape();
    for (int i = 0; i < TURNS; i++) {
        struct decoded reply;
        ask_from_shape(turning[_i].name, LDNS_RR_TYPE_A, &reply);
        ck_assert_uint_eq(decoded_addresses(&reply, addresses, 8), turning[_i].count);
        ck_assert_uint_ne(addresses[0], addresses[1]);
        decoded_close(&reply);
        unsigned at = 0;
        while (at < known && seen[at] != addresses[0])
            at++;
        known += at == known;
        seen[at] = addresses[0];
        firsts[at]++;
    }
    ck_assert_uint_eq(known, turning[_i].count);
    for (unsigned i = 0; i < known; i++)
        ck_assert_uint_ge(firsts[i], TURNS / 4);
}

/* Rotation grows for ever and may begin anywhere. */
TEST(any_rotation_is_a_good_one)
{
    static const uint32_t rotations[] = {0,         1, 2, 3, 0x7fffffff, 0x80000000, UINT32_MAX - 1,
                                         UINT32_MAX};

    load_shape();
    for (size_t i = 0; i < sizeof rotations / sizeof rotations[0]; i++) {
        struct decoded reply;
        world.rotation = rotations[i];
        ask_from_shape("shop.example.com.", LDNS_RR_TYPE_A, &reply);
        ck_assert_uint_eq(reply.answer_count, 3);
        ck_assert(decoded_has(&reply, LDNS_SECTION_ANSWER,
                              "shop-haiku-1.shape-2.herokuspace.com. 60 IN A 10.2.0.37"));
        ck_assert(decoded_has(&reply, LDNS_SECTION_ANSWER,
                              "shop-haiku-1.shape-2.herokuspace.com. 60 IN A 10.2.16.21"));
        decoded_close(&reply);
        world.rotation = rotations[i];
        ask_from_shape("web.shape-shop-1.app.localspace.", LDNS_RR_TYPE_A, &reply);
        ck_assert_uint_eq(reply.answer_count, 2);
        decoded_close(&reply);
    }
}

/* TTLs of the space: router 60, dyno 20, negative 7. */
static const struct {
    const char *name, *type, *answer, *authority;
} ttls[] = {
    {"shape-shop-1.herokuapp.com.", "A", "* 60 IN A *", NULL},
    {"shop.example.com.", "CNAME", "* 60 IN CNAME *", NULL},
    {"web.shape-shop-1.app.localspace.", "A", "* 20 IN A *", NULL},
    {"1.web.shape-shop-1.app.localspace.", "A", "* 20 IN A *", NULL},
    {"1.130.2.10.in-addr.arpa.", "PTR", "* 20 IN PTR *", NULL},
    {"_http._tcp.web.shape-shop-1.app.localspace.", "SRV", "* 20 IN SRV *", NULL},
    {"router-1.every-shape.space.localspace.", "A", "* 60 IN A 10.2.0.37", NULL},
    {"mail.internal.example.com.", "MX", "* 300 IN MX *", NULL},
    {"shape-shop-1.herokuapp.com.", "TXT", NULL, "* 7 IN SOA * 7"},
    {"web.shape-none-1.app.localspace.", "A", NULL, "localspace. * IN SOA *"},
    {"upcheck.localspace.", "A", "* 0 IN A 127.0.0.1", NULL},
    {"_whoami.localspace.", "TXT", "* 0 IN TXT *", NULL},
};

TEST_OVER(ttls_are_those_of_the_space, ttls)
{
    struct decoded reply;

    load_shape();
    ask_from_shape(ttls[_i].name, request_type(ttls[_i].type), &reply);
    ck_assert(ttls[_i].answer == NULL || decoded_has(&reply, LDNS_SECTION_ANSWER, ttls[_i].answer));
    ck_assert(ttls[_i].authority == NULL ||
              decoded_has(&reply, LDNS_SECTION_AUTHORITY, ttls[_i].authority));
    decoded_close(&reply);
}

/* Special names, asked where an upstream is configured. */
static const struct {
    const char *name, *type;
    unsigned rcode;
    const char *answer, *authority;
} specials[] = {
    {"localhost.", "A", 0, "localhost. 3600 IN A 127.0.0.1", NULL},
    {"App.LocalHost.", "A", 0, "App.LocalHost. 3600 IN A 127.0.0.1", NULL},
    {"localhost.", "AAAA", 0, "localhost. 3600 IN AAAA ::1", NULL},
    {"localhost.", "ANY", 0, "localhost. 3600 IN A 127.0.0.1", NULL},
    {"a.localhost.", "MX", 0, NULL, "localhost. 5 IN SOA *"},
    {"a.b.invalid.", "A", 3, NULL, "invalid. 5 IN SOA *"},
    {"_dns.resolver.arpa.", "SVCB", 0, NULL, "resolver.arpa. 5 IN SOA *"},
    {"1.2.168.192.in-addr.arpa.", "PTR", 3, NULL, "168.192.in-addr.arpa. 5 IN SOA *"},
    {"168.192.in-addr.arpa.", "NS", 0, NULL, "168.192.in-addr.arpa. 5 IN SOA *"},
    {"168.192.in-addr.arpa.", "SOA", 0, "168.192.in-addr.arpa. 5 IN SOA *", NULL},
};

TEST_OVER(special_names_are_answered_in_their_own_zone, specials)
{
    struct decoded reply;

    load_shape();
    world.snapshot->policy.routes = routes_usual();
    ask_from_shape(specials[_i].name, request_type(specials[_i].type), &reply);
    ck_assert_uint_eq(reply.rcode, specials[_i].rcode);
    ck_assert(reply.aa && reply.ra);
    ck_assert_uint_eq(reply.answer_count, specials[_i].answer != NULL);
    ck_assert_uint_eq(reply.authority_count, specials[_i].authority != NULL);
    ck_assert(specials[_i].answer == NULL ||
              decoded_has(&reply, LDNS_SECTION_ANSWER, specials[_i].answer));
    ck_assert(specials[_i].authority == NULL ||
              decoded_has(&reply, LDNS_SECTION_AUTHORITY, specials[_i].authority));
    decoded_close(&reply);
}

/* The SOA's own TTL and its minimum are one number (RFC 2308 section 3). */
TEST(the_soa_grows_with_the_content)
{
    static const char *const routers[] = {"10.7.0.11", "10.7.0.12"};

    for (int i = 0; i < 2; i++) {
        struct decoded reply;
        char zone[256], expected[128];
        snprintf(zone, sizeof zone, "space: soa-space\ncidr: 10.7.0.0/16\nrouters: [%s]\n",
                 routers[i]);
        world_must_load_text(&world, zone);
        world_ask(&world, &(struct ask){.name = "app.localspace.", .from = "10.7.130.1"}, &reply);
        snprintf(expected, sizeof expected,
                 "localspace. 5 IN SOA localspace. hostmaster.localspace. %d 3600 600 86400 5",
                 i + 1);
        ck_assert(decoded_has(&reply, LDNS_SECTION_AUTHORITY, expected));
        decoded_close(&reply);
    }
}

/* A chain of CNAMEs is followed within the space. */
TEST(static_cnames_are_followed_so_far)
{
    struct decoded reply;

    world_must_load_text(&world, "space: chain-space\n"
                                 "cidr: 10.7.0.0/16\n"
                                 "records:\n"
                                 "  - a.example.com. 60 IN CNAME b.example.com.\n"
                                 "  - b.example.com. 60 IN CNAME c.example.com.\n"
                                 "  - c.example.com. 60 IN A 10.7.1.1\n"
                                 "  - out.example.com. 60 IN CNAME www.example.org.\n");
    world_ask(&world, &(struct ask){.name = "a.example.com.", .from = "10.7.130.1"}, &reply);
    ck_assert_uint_eq(reply.answer_count, 3);
    ck_assert(decoded_has(&reply, LDNS_SECTION_ANSWER, "c.example.com. 60 IN A 10.7.1.1"));
    decoded_close(&reply);
    world_ask(&world, &(struct ask){.name = "out.example.com.", .from = "10.7.130.1"}, &reply);
    ck_assert_uint_eq(reply.answer_count, 1);
    decoded_close(&reply);
}

/* A chain that ends at a name without the type is NODATA of that name's zone (RFC 2308 2.2). */
TEST(a_followed_cname_without_the_type_has_an_soa)
{
    struct decoded reply;

    world_must_load_text(&world, "space: chain-space\n"
                                 "cidr: 10.7.0.0/16\n"
                                 "records:\n"
                                 "  - a.example.com. 60 IN CNAME b.example.com.\n"
                                 "  - b.example.com. 60 IN A 10.7.1.1\n");
    world_ask(
        &world,
        &(struct ask){.name = "a.example.com.", .type = LDNS_RR_TYPE_AAAA, .from = "10.7.130.1"},
        &reply);
    ck_assert_uint_eq(reply.rcode, 0);
    ck_assert_uint_eq(reply.answer_count, 1);
    ck_assert_uint_eq(reply.authority_count, 1);
    ck_assert(decoded_has(&reply, LDNS_SECTION_AUTHORITY, "b.example.com. 5 IN SOA *"));
    decoded_close(&reply);
}

TEST(anything_gets_one_record_set)
{
    struct decoded reply;

    load_shape();
    ask_from_shape("db.internal.example.com.", LDNS_RR_TYPE_ANY, &reply);
    ck_assert_uint_eq(reply.answer_count, 1);
    decoded_close(&reply);
}

/* RFC 2782: the target of an SRV record is not compressed. */
TEST(targets_of_services_are_written_in_full)
{
    static const uint8_t target[] = "\1"
                                    "1\3web\14shape-shop-1\3app\12localspace";
    struct decoded reply;

    load_shape();
    ask_from_shape("_http._tcp.web.shape-shop-1.app.localspace.", LDNS_RR_TYPE_SRV, &reply);
    ck_assert_ptr_nonnull(memmem(world.reply, world.reply_length, target, sizeof target));
    ck_assert_uint_eq(reply.additional_count, 2);
    decoded_close(&reply);
}

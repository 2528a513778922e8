#include "answer/segment.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/zones.h"

static struct segment *shape;

static void set_up(void)
{
    char *text = zone_text("tests/zones_good/every-shape.yaml");
    shape = segment_of_text(text);
    free(text); /* nothing of it is borrowed */
}

static void tear_down(void)
{
    segment_release(shape);
}

static const struct app_entry *find_app(const char *name)
{
    for (size_t i = 0; i < shape->app_count; i++)
        if (shape->apps[i].name_length == strlen(name) &&
            memcmp(segment_text(shape, shape->apps[i].name), name, strlen(name)) == 0)
            return &shape->apps[i];
    ck_abort_msg("no app %s", name);
}

static const struct {
    const char *name;
    unsigned flags, web_count, web_up, web_crashed, formations, line;
} apps[] = {
    {"shape-shop-1", APP_INTERNAL | APP_DISCOVERED | APP_PLAIN_DOMAIN, 4, 2, 1, 5, 23},
    {"shape-exact-2", APP_INTERNAL | APP_DISCOVERED, 1, 1, 0, 1, 51},
    {"shape-hidden-3", APP_INTERNAL | APP_PLAIN_DOMAIN, 1, 1, 0, 1, 57},
    {"shape-empty-4", APP_INTERNAL | APP_DISCOVERED | APP_PLAIN_DOMAIN, 0, 0, 0, 2, 61},
    {"shape-open-5", APP_DISCOVERED | APP_PLAIN_DOMAIN, 1, 1, 0, 1, 66},
};

FIXTURE(set_up, tear_down)

TEST_OVER(an_app_is_a_few_numbers, apps)
{
    const struct app_entry *app = find_app(apps[_i].name);

    ck_assert_uint_eq(app->flags, apps[_i].flags);
    ck_assert_uint_eq(app->web_count, apps[_i].web_count);
    ck_assert_uint_eq(app->web_up, apps[_i].web_up);
    ck_assert_uint_eq(app->web_crashed, apps[_i].web_crashed);
    ck_assert_uint_eq(app->formation_count, apps[_i].formations);
    ck_assert_uint_eq(app->at.line, apps[_i].line);
}

TEST(the_space_keeps_its_keys)
{
    ck_assert_str_eq(shape->name, "every-shape");
    ck_assert_str_eq(shape->id, "01234567-89ab-cdef-0123-456789abcdef");
    ck_assert_str_eq(shape->region, "virginia");
    ck_assert_uint_eq(shape->cidr.address, 0x0a020000);
    ck_assert_uint_eq(shape->data_cidr.bits, 20);
    ck_assert_uint_eq(shape->router_ttl_seconds, 60);
    ck_assert_uint_eq(shape->dyno_ttl_seconds, 20);
    ck_assert_uint_eq(shape->negative_ttl_seconds, 7);
    ck_assert_int_eq(shape->state, SPACE_ALLOCATED);
    ck_assert_uint_eq(shape->app_count, 5);
}

/* Two routers are up: their records are stored twice in a row, so any rotation is contiguous. */
TEST(router_records_are_prepared)
{
    static const char expected[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\2\0\x25"
                                   "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\2\x10\x15"
                                   "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\2\0\x25"
                                   "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\2\x10\x15";

    ck_assert_uint_eq(shape->router_count, 4);
    ck_assert_uint_eq(shape->router_up_count, 2);
    ck_assert_mem_eq(shape->router_records, expected, sizeof expected - 1);
}

/* By zone, in the file's order within one, and the routers without one behind. */
TEST(router_records_of_a_zone_are_together)
{
    static const uint8_t last[] = {38, 37, 39, 41};
    struct segment *segment =
        segment_of_text("space: az-space\n"
                        "dyno_cidrs: [{cidr: 10.0.144.0/20, az: b}, {cidr: 10.0.128.0/20, az: a}, "
                        "{cidr: 10.0.176.0/20, az: b}, 10.0.160.0/20]\n"
                        "routers: [10.0.0.41, {ip: 10.0.0.37, az: b}, {ip: 10.0.0.38, az: a}, "
                        "{ip: 10.0.0.39, az: b}, {ip: 10.0.0.40, az: a, state: down}]\n");

    ck_assert_uint_eq(segment->az_count, 2);
    ck_assert_str_eq(segment->azs[0].name, "a");
    ck_assert_uint_eq(segment->azs[0].first, 0);
    ck_assert_uint_eq(segment->azs[0].up_count, 1);
    ck_assert_uint_eq(segment->azs[1].first, 1);
    ck_assert_uint_eq(segment->azs[1].up_count, 2);
    ck_assert_uint_eq(segment->router_up_count, 4);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(segment->router_records[16 * i + 15], last[i % 4]);
    ck_assert_ptr_eq(segment_find_az(segment, 0x0a008000), &segment->azs[0]);
    ck_assert_ptr_eq(segment_find_az(segment, 0x0a008fff), &segment->azs[0]);
    ck_assert_ptr_eq(segment_find_az(segment, 0x0a009000), &segment->azs[1]);
    ck_assert_ptr_null(segment_find_az(segment, 0x0a00a000));
    ck_assert_ptr_eq(segment_find_az(segment, 0x0a00bfff), &segment->azs[1]);
    ck_assert_ptr_null(segment_find_az(segment, 0x0a007fff));
    ck_assert_ptr_null(segment_find_az(segment, 0x0a00c000));
    segment_release(segment);
}

static const struct {
    uint32_t ip;
    const char *type; /* NULL: no named dyno has the address */
    uint32_t number;
} dynos[] = {
    {0x0a028201, "web", 1},
    {0x0a028202, "web", 2}, /* starting */
    {0x0a028203, NULL, 0},  /* crashed */
    {0x0a02900c, "web", 12},
    {0x0a028301, "consul_server", 1},
    {0x0a029109, "run", 4321},
    {0x0a028302, NULL, 0}, /* idle */
    {0x0a028501, NULL, 0}, /* dns_discovery: false */
    {0x0a028601, "worker", 1},
    {0x0a028701, "web", 1},
    {0, NULL, 0},
    {0xffffffff, NULL, 0},
    {0x0a020025, NULL, 0}, /* a router */
};

TEST_OVER(a_dyno_is_found_by_its_address, dynos)
{
    uint32_t found = segment_find_dyno(shape, dynos[_i].ip);

    ck_assert((found == ENTRY_NONE) == (dynos[_i].type == NULL));
    if (found == ENTRY_NONE)
        return;
    const struct formation_entry *formation = segment_formation_of(shape, found);
    ck_assert_str_eq(segment_type(shape, formation), dynos[_i].type);
    ck_assert_uint_eq(shape->dynos[found].number, dynos[_i].number);
}

/* Formations without dynos come between others and own none. */
TEST(every_dyno_belongs_to_its_formation)
{
    for (size_t i = 0; i < shape->formation_count; i++) {
        const struct formation_entry *formation = &shape->formations[i];
        for (uint32_t j = 0; j < formation->dyno_count; j++)
            ck_assert_ptr_eq(segment_formation_of(shape, formation->dynos + j), formation);
        ck_assert_uint_lt(formation->app, shape->app_count);
    }
}

static const struct host *find_host(const char *wire, size_t length)
{
    for (size_t i = 0; i < shape->host_count; i++)
        if (shape->hosts[i].length == length &&
            memcmp(shape->texts + shape->hosts[i].octets, wire, length) == 0)
            return &shape->hosts[i];
    return NULL;
}

static const struct {
    const char *wire;
    size_t length;
    int kind;
    unsigned flags;
    bool has_target;
} hosts[] = {
    {"\4shop\7example\3com", 18, HOST_DOMAIN, 0, true},
    {"\4flat\7example\3com", 18, HOST_DOMAIN, HOST_FLAT, true},
    {"\5alias\7example\3com", 19, HOST_DOMAIN, HOST_APEX, true},
    {"\1*\4wild\7example\3com", 20, HOST_DOMAIN, HOST_WILDCARD, true},
    {"\7pending\7example\3com", 21, HOST_PENDING, 0, false},
    {"\12targetless\7example\3com", 24, HOST_PENDING, 0, false},
    {"\15alias-haiku-1\7shape-2\11herokudns\3com", 37, HOST_TARGET, 0, false},
    {"\2db\10internal\7example\3com", 25, HOST_RECORDS, 0, false},
};

TEST_OVER(hosts_are_those_of_the_domains, hosts)
{
    const struct host *host = find_host(hosts[_i].wire, hosts[_i].length);

    ck_assert_ptr_nonnull(host);
    ck_assert_int_eq(host->kind, hosts[_i].kind);
    ck_assert_uint_eq(host->flags, hosts[_i].flags);
    ck_assert((host->target != ENTRY_NONE) == hosts[_i].has_target);
}

TEST(connections_grant_as_the_model_says)
{
    static const struct {
        const char *name;
        bool grants, misses_router;
    } expected[] = {{"pcx-aaaa0001", true, false},
                    {"pcx-aaaa0002", false, false},
                    {"pcx-aaaa0003", true, false},
                    {"bare", true, false}};

    ck_assert_uint_eq(shape->connection_count, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(shape->connections[i].name, expected[i].name);
        ck_assert(shape->connections[i].grants == expected[i].grants);
        ck_assert(shape->connections[i].misses_router == expected[i].misses_router);
    }
}

/* Names that exist because of static records below them. */
static const struct {
    const char *name;
    bool is_empty;
} above[] = {
    {"under.ent.static.example.com", true},
    {"ent.static.example.com", true},
    {"static.example.com", true},
    {"example.com", false}, /* a registered domain: its mail and its site are elsewhere */
    {"com", false},
    {"deep.under.ent.static.example.com", false}, /* has the record */
    {"beside.ent.static.example.com", false},
    {"db.example.co.uk", true},
    {"example.co.uk", false}, /* a domain, too */
    {"corp.example.de", false},
    {"db.corp.example.de", true},
    {"3.2.in-addr.arpa", true},
    {"2.in-addr.arpa", false},
};

TEST_OVER(names_above_records_are_empty_down_to_the_domain, above)
{
    struct segment *segment =
        segment_of_text("space: empty-names\n"
                        "records:\n"
                        "  - deep.under.ent.static.example.com. 60 IN A 172.23.1.5\n"
                        "  - other.under.ent.static.example.com. 60 IN A 172.23.1.5\n"
                        "  - pg.db.example.co.uk. 60 IN A 172.23.1.5\n"
                        "  - pg.db.corp.example.de. 60 IN A 172.23.1.5\n"
                        "  - 4.3.2.in-addr.arpa. 60 IN PTR pg.db.example.co.uk.\n");
    struct name name;

    ck_assert(name_from_text(above[_i].name, &name));
    ck_assert_msg(segment_has_empty_name(segment, &name) == above[_i].is_empty, "%s",
                  above[_i].name);
    ck_assert_uint_eq(segment->empty_count, 6);
    ck_assert_uint_eq(segment->empty_depths[0], 1 << 3 | 1 << 4 | 1 << 5);
    segment_release(segment);
}

/* RFC 2181 section 5.2. */
TEST(records_of_one_set_have_the_least_of_their_ttls)
{
    struct segment *segment = segment_of_text("space: ttl-space\n"
                                              "records:\n"
                                              "  - a.b.example.com. 300 IN A 172.23.1.5\n"
                                              "  - a.b.example.com. 60 IN A 172.23.1.4\n"
                                              "  - a.b.example.com. 30 IN TXT x\n"
                                              "  - b.b.example.com. 500 IN A 172.23.1.5\n");
    static const uint32_t ttls[] = {60, 60, 30, 500};

    ck_assert_uint_eq(segment->record_count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(segment->records[i].ttl_seconds, ttls[i]);
    segment_release(segment);
}

TEST(the_last_release_frees)
{
    ck_assert_ptr_eq(segment_hold(shape), shape);
    ck_assert_uint_eq(shape->holds, 2);
    segment_release(shape);
    ck_assert_uint_eq(shape->holds, 1);
    segment_release(NULL);
}

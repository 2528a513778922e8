#include "traffic/leaders.h"

#include <string.h>

#include "support/flowing.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "traffic/usage.h"
#include "wire/types.h"

enum { BEGAN_S = 1700000000, MOST = 20, FINE = FLOWS_HANDED_OVER + FLOWS_FINE, COARSE = 100 };

static const int64_t began_ms = (int64_t)BEGAN_S * 1000;

static struct flowing flowing;
static struct usage *usage;
static struct busiest_thing things[MOST];

static void set_up(void)
{
    snapshot_set_up();
    flowing_init(&flowing, fixture.snapshot);
    usage =
        usage_new(&(struct usage_options){.apps_most = 100, .pairs_most = 100, .now_s = BEGAN_S});
    ck_assert_ptr_nonnull(usage);
}

static void tear_down(void)
{
    flowing_close(&flowing);
    usage_free(usage);
    snapshot_tear_down();
}

FIXTURE(set_up, tear_down)

static size_t list(enum leader_list which)
{
    const struct flow_table *table = flowing_take(&flowing);

    if (table != NULL) {
        usage_add(usage, table, began_ms + (int64_t)table->begun_ms);
        flows_return(flowing.flows);
    }
    return busiest_list(leaders_busiest(usage_leaders(usage), which), BEGAN_S, BUSIEST_BY_COUNT,
                        things, MOST);
}

static void expect_counts(size_t place, uint64_t asked, uint64_t failed)
{
    ck_assert_uint_eq(things[place].counts.count, asked);
    ck_assert_uint_eq(things[place].counts.error, 0);
    ck_assert_uint_eq(things[place].counts.failed, failed);
}

TEST(apps_are_counted_by_what_they_were_asked_and_how_that_ended)
{
    flowing_reply(&flowing, "10.0.132.9", "frozen-oasis-70544.herokuapp.com", TYPE_A, 5);
    flowing_reply(&flowing, "10.20.3.4", "api.example.com", TYPE_A, 2);
    flowing_reply(&flowing, "10.0.132.9", "sleepy-river-2739.herokuapp.com", TYPE_A, 3);
    flowing_reply(&flowing, "203.0.113.9", "api.example.com", TYPE_A, 1); /* refused */
    flowing_foreign(&flowing, "10.0.132.9", "www.example.org", RCODE_NOERROR);

    ck_assert_uint_eq(list(LEADER_APPS), 2);
    ck_assert_str_eq(((const struct leader_app *)things[0].label)->name, "frozen-oasis-70544");
    ck_assert_str_eq(((const struct leader_app *)things[0].label)->space, "test-space");
    expect_counts(0, 8, 1);
    ck_assert_str_eq(((const struct leader_app *)things[1].label)->name, "sleepy-river-2739");
    expect_counts(1, 3, 3);
}

static const struct {
    const char *from, *space, *name;
    uint32_t address;
    enum party_kind kind;
} clients[] = {
    {"10.0.132.9", "test-space", "open-plain-1001", 0x0a008409, PARTY_APP},
    {"10.0.144.9", "test-space", "test-space", 0x0a009009, PARTY_SPACE},
    {"10.20.3.4", "test-space", "pcx-111aaa111", 0x0a140304, PARTY_PEERING},
    {"172.16.9.9", "test-space", "office", 0xac100909, PARTY_VPN},
    {"203.0.113.9", "", "", 0, PARTY_OUTSIDE},
};

TEST_OVER(a_client_is_an_address_and_what_it_belongs_to, clients)
{
    flowing_reply(&flowing, clients[_i].from, "api.example.com", TYPE_A, 4);
    ck_assert_uint_eq(list(LEADER_CLIENTS), 1);
    const struct leader_client *label = things[0].label;
    ck_assert_uint_eq(label->address, clients[_i].address);
    ck_assert_uint_eq(label->kind, clients[_i].kind);
    ck_assert_str_eq(label->space, clients[_i].space);
    ck_assert_str_eq(label->name, clients[_i].name);
    expect_counts(0, 4, clients[_i].kind == PARTY_OUTSIDE ? 4 : 0);
}

TEST(two_addresses_of_an_app_are_two_clients_and_all_outside_are_one)
{
    flowing_reply(&flowing, "10.0.130.56", "api.example.com", TYPE_A, 1);
    flowing_reply(&flowing, "10.0.152.218", "api.example.com", TYPE_A, 2);
    flowing_reply(&flowing, "203.0.113.9", "api.example.com", TYPE_A, 4);
    flowing_reply(&flowing, "203.0.113.10", "api.example.com", TYPE_A, 4);
    ck_assert_uint_eq(list(LEADER_CLIENTS), 3);
    expect_counts(0, 8, 8);
    expect_counts(1, 2, 0);
    expect_counts(2, 1, 0);
}

TEST(names_are_counted_whoever_they_are_of)
{
    static const uint8_t foreign[] = "\3www\7example\3org";

    flowing_foreign(&flowing, "10.0.132.9", "www.example.org", RCODE_NOERROR);
    flowing_foreign(&flowing, "10.0.132.9", "www.example.org", RCODE_SERVFAIL);
    flowing_foreign(&flowing, "10.20.3.4", "WWW.example.org", RCODE_NXDOMAIN);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 2);
    ck_assert_uint_eq(list(LEADER_NAMES), 2);
    ck_assert_mem_eq(things[0].label, foreign, sizeof foreign);
    expect_counts(0, 3, 1); /* a name that does not exist is nobody's failure */
    expect_counts(1, 2, 0);
}

TEST(a_longer_name_leaves_nothing_behind_in_the_label_of_a_shorter_one)
{
    static const char longer[] = "a-name-that-is-longer-than-any-other-of-this-test.example.org";
    static const uint8_t shorter[] = "\1a\2de";
    struct busiest_thing all[MOST];

    flowing_foreign(&flowing, "10.0.132.9", longer, RCODE_NOERROR);
    list(LEADER_NAMES);
    flowing_foreign(&flowing, "10.0.132.9", "a.de", RCODE_NOERROR);
    flowing_foreign(&flowing, "10.0.132.9", "a.de", RCODE_NOERROR);
    list(LEADER_NAMES);
    memcpy(all, things, sizeof all);
    ck_assert_mem_eq(all[0].label, shorter, sizeof shorter);
}

TEST(what_is_counted_by_app_alone_has_neither_client_nor_name)
{
    char name[64];

    for (unsigned i = 0; i < FINE + COARSE; i++) {
        snprintf(name, sizeof name, "x%u.y.apps.example.com", i);
        flowing_reply(&flowing, "10.0.132.9", name, TYPE_A, 1);
    }
    list(LEADER_APPS); /* the table that was full first */
    ck_assert_uint_eq(list(LEADER_APPS), 1);
    ck_assert_uint_eq(things[0].counts.count, FINE + COARSE);
    ck_assert_uint_eq(list(LEADER_CLIENTS), 1);
    /* A few more are counted so, whose slots were all in use. */
    ck_assert_uint_le(things[0].counts.count, FINE);
    ck_assert_uint_gt(things[0].counts.count, FINE - COARSE);
    list(LEADER_NAMES);
    ck_assert_uint_ne(((const struct leader_name *)things[0].label)->octets[0], 0);
    ck_assert_uint_eq(things[0].counts.count - things[0].counts.error, 1);
}

#include "answer/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "support/zones.h"

static const struct {
    const char *name;
    const char *wildcard; /* NULL: none covers it */
} wildcards[] = {
    {"a.apps.example.com", "*.apps.example.com"},
    {"d.c.b.a.apps.example.com", "*.apps.example.com"},
    {"x_y.apps.example.com", "*.apps.example.com"},
    {"x.wild.example.com", "*.wild.example.com"},
    {"x.deep.wild.example.com", "*.deep.wild.example.com"},
    {"deep.wild.example.com", "*.wild.example.com"},
    {"a.b.c.deep.wild.example.com", "*.deep.wild.example.com"},
    {"apps.example.com", NULL},
    {"example.com", NULL},
    {"com", NULL},
    {".", NULL},
    {"_dmarc.apps.example.com", NULL},
    {"_a.b.apps.example.com", NULL},
    {"a._b.apps.example.com", NULL},
    {"a._b.c.apps.example.com", NULL},
    {"xapps.example.com", NULL},
    {"a.apps.example.com.net", NULL},
};

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST_OVER(the_closest_wildcard_covers_a_name, wildcards)
{
    struct name name, wildcard;
    struct index_entry entry;

    ck_assert(name_from_text(wildcards[_i].name, &name));
    bool found = snapshot_find_wildcard(fixture.snapshot, &name, &entry);
    ck_assert_msg(found == (wildcards[_i].wildcard != NULL), "%s", wildcards[_i].name);
    if (!found)
        return;
    const struct segment *segment = fixture.snapshot->segments[entry.segment];
    const struct host *host = &segment->hosts[entry.number];
    ck_assert(name_from_text(wildcards[_i].wildcard, &wildcard));
    ck_assert(name_equals(&wildcard, segment->texts + host->octets, host->length));
}

TEST(a_name_of_127_labels_is_handled_too)
{
    struct name name = {.length = 255, .label_count = 127};
    struct index_entry entry;

    for (int i = 0; i < 127; i++)
        memcpy(name.octets + 2 * i, "\1a", 2);
    ck_assert(!snapshot_find_wildcard(fixture.snapshot, &name, &entry));
}

TEST(an_app_is_found_by_its_bare_name)
{
    struct index_entry entry;

    ck_assert(snapshot_find_app(fixture.snapshot, "frozen-oasis-70544", 18, &entry));
    ck_assert_uint_eq(entry.segment, 0);
    /* Whatever its default domain is. */
    ck_assert(snapshot_find_app(fixture.snapshot, "open-plain-1001", 15, &entry));
    ck_assert(snapshot_find_app(fixture.snapshot, "shape-exact-2", 13, &entry));
    ck_assert(!snapshot_find_app(fixture.snapshot, "shape-exact-2-abcdef012345", 26, &entry));
    ck_assert(!snapshot_find_app(fixture.snapshot, "frozen-oasis", 12, &entry));
    ck_assert(!snapshot_find_app(fixture.snapshot, "", 0, &entry));
}

/* Two spaces in the first and the last possible block, and the adjacent addresses. */
TEST(a_spaces_addresses_are_known_wherever_it_is_visible)
{
    static const char *const texts[] = {
        "space: one-space\ncidr: 10.255.0.0/16\n",
        "space: two-space\ncidr: 172.16.0.0/16\nlisten: [10.0.0.9]\n",
        "space: three-space\ncidr: 192.168.0.0/16\n",
        "space: four-space\ncidr: 172.31.0.0/16\nstate: deleting\n",
    };
    static const uint32_t inside[] = {0x0aff0000, 0x0affffff, 0xac100000, 0xac10ffff,
                                      0xc0a80000, 0xc0a8ffff, 0xac1f1234};
    static const uint32_t outside[] = {0x0afeffff, 0x0b000000, 0xac0fffff, 0xac110000, 0xac20ffff,
                                       0xc0a7ffff, 0xc0a90000, 0x00000000, 0xffffffff, 0x7f000001};
    struct snapshot *four = snapshot_of_texts(&fixture.policy, texts, 4);

    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        ck_assert_msg(snapshot_has_space(four, inside[i]), "%x", (unsigned)inside[i]);
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        ck_assert_msg(!snapshot_has_space(four, outside[i]), "%x", (unsigned)outside[i]);
    snapshot_free(four);
}

/* Data CIDRs of the greatest, the least and a middle size, each at an end of a private block. */
TEST(addresses_of_data_services_are_a_spaces_too)
{
    static const char *const texts[] = {
        "space: one-space\ncidr: 10.0.0.0/16\ndata_cidr: 10.255.240.0/20\n",
        "space: two-space\ncidr: 10.1.0.0/16\ndata_cidr: 172.31.0.0/16\n",
        "space: three-space\ncidr: 10.2.0.0/16\ndata_cidr: 192.168.192.0/18\n",
    };
    static const uint32_t inside[] = {0x0a000001, 0x0afff000, 0x0affffff, 0xac1f0000,
                                      0xac1fffff, 0xc0a8c000, 0xc0a8ffff};
    static const uint32_t outside[] = {0x0affefff, 0x0b000000, 0xac1effff, 0xac200000,
                                       0xc0a8bfff, 0xc0a90000, 0x0a030000};
    struct snapshot *three = snapshot_of_texts(&fixture.policy, texts, 3);

    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        ck_assert_msg(snapshot_has_address(three, inside[i]), "%x", (unsigned)inside[i]);
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        ck_assert_msg(!snapshot_has_address(three, outside[i]), "%x", (unsigned)outside[i]);
    snapshot_free(three);
}

TEST(the_soa_carries_the_generation)
{
    static const char expected[] = "\12localspace\0\12hostmaster\12localspace\0\0\0\0\1"
                                   "\0\0\x0e\x10\0\0\2\x58\0\1\x51\x80\0\0\0\5";

    ck_assert_uint_eq(fixture.snapshot->soa_length, sizeof expected - 1);
    ck_assert_mem_eq(fixture.snapshot->soa_data, expected, sizeof expected - 1);
}

TEST(a_snapshot_counts_what_it_holds)
{
    ck_assert_uint_eq(fixture.snapshot->app_count, 3 + 1 + 5 + 1);
    ck_assert_uint_gt(fixture.snapshot->host_count, 0);
    ck_assert_uint_gt(snapshot_octets(fixture.snapshot), sizeof *fixture.snapshot);
    snapshot_free(NULL);
}

TEST(a_policy_lives_as_long_as_a_snapshot_has_it)
{
    static const char *const text = "space: test-space\ncidr: 10.0.0.0/16\n";
    struct policy passing = policy_usual();

    passing.arena = arena_new();
    passing.server_id = arena_text(passing.arena, "ns1", 3);
    struct snapshot *one = snapshot_of_texts(&passing, &text, 1);
    struct snapshot *two = snapshot_of_texts(&passing, &text, 1);
    arena_release(passing.arena);
    snapshot_free(one);
    ck_assert_str_eq(two->policy.server_id, "ns1");
    snapshot_free(two);
}

TEST(spaces_are_counted_found_and_suggested_by_name)
{
    const struct segment *found = snapshot_find_space(fixture.snapshot, "test-space");

    ck_assert_uint_eq(snapshot_count_spaces(fixture.snapshot), 4);
    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found->name, "test-space");
    ck_assert_ptr_null(snapshot_find_space(fixture.snapshot, "test-spac"));
    ck_assert_str_eq(snapshot_suggest_space(fixture.snapshot, "tset-space"), "test-space");
    ck_assert_ptr_null(snapshot_suggest_space(fixture.snapshot, "elsewhere"));
}

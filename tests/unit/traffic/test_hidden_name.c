#include "traffic/hidden_name.h"

#include <string.h>

#include "support/suite.h"
#include "support/zones.h"

static const char before_text[] = "space: one\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
                                  "apps:\n"
                                  "  - name: oasis-one\n"
                                  "    domains: [{hostname: api.example.com, cname: "
                                  "a-haiku-1.b-haiku-2.herokuspace.com}]\n";
static const char after_text[] =
    "space: one\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
    "records: [\"db.eu.internal.example.org. 60 IN A 172.23.1.5\"]\n"
    "apps:\n"
    "  - name: oasis-one\n"
    "    internal_routing: true\n"
    "    domains:\n"
    "      - {hostname: www.example.net, cname: a-haiku-1.b-haiku-2.herokuspace.com}\n"
    "      - {hostname: \"*.shop.example.net\", cname: c-haiku-1.b-haiku-2.herokuspace.com}\n";

static struct policy policies[2];
static struct snapshot *before, *after;
static struct known_names known;

static void set_up(void)
{
    const char *texts[] = {before_text, after_text};

    policies[0] = policies[1] = policy_usual();
    policies[1].routes = routes_usual();
    before = snapshot_of_texts(&policies[0], &texts[0], 1);
    after = snapshot_of_texts(&policies[1], &texts[1], 1);
    ck_assert(known_names_open(&known, before, after));
}

static void tear_down(void)
{
    known_names_close(&known);
    snapshot_free(before);
    snapshot_free(after);
}

FIXTURE(set_up, tear_down)

static unsigned resolve(const char *text, struct name *out)
{
    uint8_t octets[HIDDEN_NAME_OCTETS_MOST];
    struct name name;

    ck_assert(name_from_text(text, &name));
    struct hidden_name hidden = {.hash = index_hash(&before->index, &name), .octets = octets};
    hidden.length = hidden_name_write(&before->index, &name, octets);
    ck_assert_uint_le(hidden.length, sizeof octets);
    return known_names_resolve(&known, &hidden, out);
}

static const struct {
    const char *name;
    const char *stand_in;
    unsigned own_labels;
} names[] = {
    {"api.example.com", "api.example.com", 3}, /* before */
    {"www.example.net", "www.example.net", 3}, /* after */
    {"db.eu.internal.example.org", "db.eu.internal.example.org", 5},
    {"eu.internal.example.org", "eu.internal.example.org", 4}, /* empty */
    {"x.shop.example.net", "?.shop.example.net", 3},
    {"x.y.shop.example.net", "?.?.shop.example.net", 3},
    {"_x.y.shop.example.net", "_.?.shop.example.net", 3},
    {"x._y.shop.example.net", "?._.shop.example.net", 3},
    {"shop.example.net", "?.?.?", 0},
    {"corp.example", "corp.example", 2}, /* of upstream_zones */
    {"a.b.corp.example", "?.?.corp.example", 2},
    {"x.api.example.com", "?.?.?.?", 0},
    {"_tcp.example.info", "_.?.?", 0},
    {"com", "?", 0},
    {".", ".", 0},
};

TEST_OVER(a_stand_in_has_what_a_snapshot_knows_of_the_name, names)
{
    struct name out, wanted;

    ck_assert(name_from_text(names[_i].stand_in, &wanted));
    ck_assert_uint_eq(resolve(names[_i].name, &out), names[_i].own_labels);
    ck_assert(name_equals(&out, wanted.octets, wanted.length));
    ck_assert_uint_eq(out.label_count, wanted.label_count);
}

TEST(the_suffixes_of_recursion_for_are_known)
{
    struct recursion_suffix suffix = {.text = "example.info"};
    struct name out;

    ck_assert(name_from_text(suffix.text, &suffix.name));
    known_names_close(&known);
    after->policy.recursion_for = (struct recursion){.suffixes = &suffix, .count = 1};
    ck_assert(known_names_open(&known, before, after));

    ck_assert_uint_eq(resolve("x.example.info", &out), 2);
}

TEST(the_longest_name_fits)
{
    char text[256] = "";
    struct name out;

    for (int i = 0; i < LABEL_MAX_COUNT; i++)
        strcat(text, i == 0 ? "a" : ".a"); // NOLINT: measured
    ck_assert_uint_eq(resolve(text, &out), 0);
    ck_assert_uint_eq(out.label_count, LABEL_MAX_COUNT);
    ck_assert_uint_eq(out.length, NAME_MAX_OCTETS);
}

#include "decide/special.h"

#include <stdlib.h>
#include <string.h>

#include "support/deciding.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

#define ZEROS_28 "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"

/* Every special name at its top, below it, and a similar name that is not special. */
static const struct {
    const char *name;
    int kind;             /* enum special_kind; -1: not special */
    unsigned label_count; /* of the top */
} names[] = {
    {"localhost", SPECIAL_LOCALHOST, 1},
    {"a.b.localhost", SPECIAL_LOCALHOST, 1},
    {"localhost.localdomain", -1, 0},
    {"xlocalhost", -1, 0},
    {"invalid", SPECIAL_INVALID, 1},
    {"x.invalid", SPECIAL_INVALID, 1},
    {"local", SPECIAL_NOWHERE, 1},
    {"_ipp._tcp.local", SPECIAL_NOWHERE, 1},
    {"onion", SPECIAL_NOWHERE, 1},
    {"x.onion", SPECIAL_NOWHERE, 1},
    {"x.test", SPECIAL_NOWHERE, 1},
    {"test.com", -1, 0},
    {"x.alt", SPECIAL_NOWHERE, 1},
    {"x.internal", SPECIAL_NOWHERE, 1},
    {"x.localspace", SPECIAL_NOWHERE, 1},
    {"example", -1, 0},
    {"www.example.com", -1, 0},
    {"www.debian.org", -1, 0},
    {"com", -1, 0},
    {".", -1, 0},
    {"home.arpa", SPECIAL_EMPTY, 2},
    {"printer.home.arpa", SPECIAL_EMPTY, 2},
    {"home", -1, 0},
    {"resolver.arpa", SPECIAL_NO_DATA, 2},
    {"_dns.resolver.arpa", SPECIAL_NO_DATA, 2},
    {"arpa", -1, 0},
    {"ipv4only.arpa", -1, 0},
    {"in-addr.arpa", -1, 0},
    {"10.in-addr.arpa", SPECIAL_EMPTY, 3},
    {"x.10.in-addr.arpa", SPECIAL_EMPTY, 3},
    {"4.3.2.10.in-addr.arpa", SPECIAL_EMPTY, 3},
    {"010.in-addr.arpa", -1, 0},
    {"9.in-addr.arpa", -1, 0},
    {"11.in-addr.arpa", -1, 0},
    {"172.in-addr.arpa", -1, 0},
    {"15.172.in-addr.arpa", -1, 0},
    {"16.172.in-addr.arpa", SPECIAL_EMPTY, 4},
    {"1.31.172.in-addr.arpa", SPECIAL_EMPTY, 4},
    {"32.172.in-addr.arpa", -1, 0},
    {"x.172.in-addr.arpa", -1, 0},
    {"168.192.in-addr.arpa", SPECIAL_EMPTY, 4},
    {"167.192.in-addr.arpa", -1, 0},
    {"192.in-addr.arpa", -1, 0},
    {"63.100.in-addr.arpa", -1, 0},
    {"64.100.in-addr.arpa", SPECIAL_EMPTY, 4},
    {"1.2.127.100.in-addr.arpa", SPECIAL_EMPTY, 4},
    {"128.100.in-addr.arpa", -1, 0},
    {"0.in-addr.arpa", SPECIAL_EMPTY, 3},
    {"1.0.0.127.in-addr.arpa", SPECIAL_EMPTY, 3},
    {"254.169.in-addr.arpa", SPECIAL_EMPTY, 4},
    {"2.0.192.in-addr.arpa", SPECIAL_EMPTY, 5},
    {"0.192.in-addr.arpa", -1, 0},
    {"1.0.192.in-addr.arpa", -1, 0},
    {"9.100.51.198.in-addr.arpa", SPECIAL_EMPTY, 5},
    {"9.113.0.203.in-addr.arpa", SPECIAL_EMPTY, 5},
    {"255.255.255.255.in-addr.arpa", SPECIAL_EMPTY, 6},
    {"x.255.255.255.255.in-addr.arpa", SPECIAL_EMPTY, 6},
    {"254.255.255.255.in-addr.arpa", -1, 0},
    {"8.8.8.8.in-addr.arpa", -1, 0},
    {"10.in-addr.arpa.example", -1, 0},
    {"10.xin-addr.arpa", -1, 0},
    {"ip6.arpa", -1, 0},
    {ZEROS_28 ".0.0.0.0.ip6.arpa", SPECIAL_EMPTY, 34},
    {"1." ZEROS_28 ".0.0.0.ip6.arpa", SPECIAL_EMPTY, 34},
    {"x.1." ZEROS_28 ".0.0.0.ip6.arpa", SPECIAL_EMPTY, 34},
    {"2." ZEROS_28 ".0.0.0.ip6.arpa", -1, 0},
    {ZEROS_28 ".0.0.0.ip6.arpa", -1, 0},
    {"d.f.ip6.arpa", SPECIAL_EMPTY, 4},
    {"a.b.c.d.f.ip6.arpa", SPECIAL_EMPTY, 4},
    {"x.d.f.ip6.arpa", SPECIAL_EMPTY, 4},
    {"xy.d.f.ip6.arpa", SPECIAL_EMPTY, 4},
    {"d.xy.f.ip6.arpa", -1, 0},
    {"c.f.ip6.arpa", -1, 0},
    {"f.ip6.arpa", -1, 0},
    {"e.f.ip6.arpa", -1, 0},
    {"7.e.f.ip6.arpa", -1, 0},
    {"8.e.f.ip6.arpa", SPECIAL_EMPTY, 5},
    {"9.e.f.ip6.arpa", SPECIAL_EMPTY, 5},
    {"a.e.f.ip6.arpa", SPECIAL_EMPTY, 5},
    {"0.b.e.f.ip6.arpa", SPECIAL_EMPTY, 5},
    {"c.e.f.ip6.arpa", -1, 0},
    {"8.b.d.0.1.0.0.2.ip6.arpa", SPECIAL_EMPTY, 10},
    {"9.b.d.0.1.0.0.2.ip6.arpa", -1, 0},
    {"b.d.0.1.0.0.2.ip6.arpa", -1, 0},
    {"d.f.ip6.int", -1, 0},
};

TEST_OVER(a_special_name_is_found_with_its_top, names)
{
    struct special special;
    struct name name;

    ck_assert(name_from_text(names[_i].name, &name));
    bool found = special_find(&name, &special);
    ck_assert_msg(found == (names[_i].kind >= 0), "%s", names[_i].name);
    ck_assert_msg(!found || (int)special.kind == names[_i].kind, "%s", names[_i].name);
    ck_assert_msg(!found || special.label_count == names[_i].label_count, "%s: %u", names[_i].name,
                  special.label_count);
}

TEST(a_name_of_127_labels_is_handled_too)
{
    struct name name = {.length = 255, .label_count = 127};
    struct special special;

    for (int i = 0; i < 127; i++)
        memcpy(name.octets + 2 * i, "\1f", 2);
    ck_assert(!special_find(&name, &special));
    /* f.f. ... .f.f.ip6.arpa, 124 labels in all */
    memcpy(name.octets + 244, "\3ip6\4arpa", 10);
    name.length = 244 + 10;
    name.label_count = 122 + 2;
    ck_assert(!special_find(&name, &special));
    memcpy(name.octets + 240, "\1d\1f", 4);
    ck_assert(special_find(&name, &special));
    ck_assert_uint_eq(special.label_count, 4);
}

static struct snapshot *snapshot;
static struct policy policy;
static struct route routes[2];

static void set_up(void)
{
    static const char *const path = "zones/test-space.yaml";

    policy = policy_usual();
    policy.routes = (struct routes){.items = routes, .count = 2};
    ck_assert(name_from_text("corp.example", &routes[0].zone));
    ck_assert(name_from_text(".", &routes[1].zone));
    snapshot = snapshot_of_files(&policy, &path, 1);
}

static void tear_down(void)
{
    snapshot_free(snapshot);
}

/* A zone of upstreams, a name, and whether the zone takes it from the special name. */
static const struct {
    const char *zone, *name;
    bool is_forwarded;
} zones[] = {
    {"home.arpa", "printer.home.arpa", true},
    {"home.arpa", "home.arpa", true},
    {"upstairs.home.arpa", "printer.upstairs.home.arpa", true},
    {"upstairs.home.arpa", "printer.home.arpa", false},
    {"arpa", "printer.home.arpa", false},
    {"internal", "db.internal", true},
    {"corp.internal", "db.corp.internal", true},
    {"corp.internal", "db.internal", false},
    {"test", "x.test", true},
    {"local", "printer.local", true},
    {"resolver.arpa", "_dns.resolver.arpa", true},
    {"168.192.in-addr.arpa", "1.7.168.192.in-addr.arpa", true},
    {"7.168.192.in-addr.arpa", "1.7.168.192.in-addr.arpa", true},
    {"7.168.192.in-addr.arpa", "1.8.168.192.in-addr.arpa", false},
    {"192.in-addr.arpa", "1.7.168.192.in-addr.arpa", false},
    {"in-addr.arpa", "1.7.168.192.in-addr.arpa", false},
    {"d.f.ip6.arpa", "1.0.d.f.ip6.arpa", true},
    {"invalid", "x.invalid", false},
    {"localhost", "localhost", false},
    {"x.localhost", "x.localhost", false},
    /* a zone never covers names of ours */
    {"10.in-addr.arpa", "1.7.20.10.in-addr.arpa", true},
    {"10.in-addr.arpa", "1.7.0.10.in-addr.arpa", false},
    {"0.10.in-addr.arpa", "1.7.0.10.in-addr.arpa", false},
    {"herokuapp.com", "frozen-oasis-70544.herokuapp.com", false},
    {"herokuapp.com", "nobody.herokuapp.com", true},
    {"localspace", "nobody.localspace", false},
};

TEST(zones_that_no_name_would_take_are_known)
{
    static const struct {
        const char *zone;
        bool fixed;
    } all[] = {{"localhost", true},  {"x.localhost", true}, {"invalid", true}, {"local", false},
               {"home.arpa", false}, {".", false},          {"example", false}};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct name name;
        ck_assert(name_from_text(all[i].zone, &name));
        ck_assert_msg(special_is_fixed(&name) == all[i].fixed, "%s", all[i].zone);
    }
}

FIXTURE(set_up, tear_down)

TEST_OVER(a_zone_inside_a_special_name_wins, zones)
{
    struct deciding deciding;

    ck_assert(name_from_text(zones[_i].zone, &routes[0].zone));
    deciding_ask(&deciding, snapshot, "10.0.130.56", zones[_i].name, TYPE_A);
    bool is_forwarded = deciding.verdict.situation == SITUATION_FORWARD;
    ck_assert_msg(is_forwarded == zones[_i].is_forwarded, "%s in %s", zones[_i].name,
                  zones[_i].zone);
    ck_assert(!is_forwarded || deciding.verdict.route == 0);
}

static const struct {
    const char *name;
    uint16_t type;
    uint8_t rcode;
    enum reason reason;
    enum answer_kind answer;
    uint8_t soa_label; /* where there is a SOA */
} answers[] = {
    {"localhost", TYPE_A, 0, REASON_NONE, ANSWER_LOCALHOST, 0},
    {"x.localhost", TYPE_AAAA, 0, REASON_NONE, ANSWER_LOCALHOST, 0},
    {"x.localhost", TYPE_ANY, 0, REASON_NONE, ANSWER_LOCALHOST, 0},
    {"x.localhost", TYPE_MX, 0, REASON_NONE, ANSWER_NONE, 1},
    {"invalid", TYPE_A, RCODE_NXDOMAIN, REASON_SPECIAL_USE, ANSWER_NONE, 0},
    {"x.y.invalid", TYPE_A, RCODE_NXDOMAIN, REASON_SPECIAL_USE, ANSWER_NONE, 2},
    {"local", TYPE_SOA, RCODE_NXDOMAIN, REASON_SPECIAL_USE, ANSWER_NONE, 0},
    {"x.onion", TYPE_A, RCODE_NXDOMAIN, REASON_SPECIAL_USE, ANSWER_NONE, 1},
    {"resolver.arpa", TYPE_SVCB, 0, REASON_SPECIAL_USE, ANSWER_NONE, 0},
    {"_dns.resolver.arpa", TYPE_SVCB, 0, REASON_SPECIAL_USE, ANSWER_NONE, 1},
    {"home.arpa", TYPE_SOA, 0, REASON_NONE, ANSWER_SOA, 0},
    {"home.arpa", TYPE_A, 0, REASON_SPECIAL_USE, ANSWER_NONE, 0},
    {"x.home.arpa", TYPE_SOA, RCODE_NXDOMAIN, REASON_SPECIAL_USE, ANSWER_NONE, 1},
    {"168.192.in-addr.arpa", TYPE_NS, 0, REASON_SPECIAL_USE, ANSWER_NONE, 0},
    {"1.2.168.192.in-addr.arpa", TYPE_PTR, RCODE_NXDOMAIN, REASON_SPECIAL_USE, ANSWER_NONE, 2},
    {"8.b.d.0.1.0.0.2.ip6.arpa", TYPE_PTR, 0, REASON_SPECIAL_USE, ANSWER_NONE, 0},
};

TEST_OVER(a_special_name_is_answered_here, answers)
{
    struct deciding deciding;

    deciding_ask(&deciding, snapshot, "10.0.130.56", answers[_i].name, answers[_i].type);
    const struct verdict *verdict = &deciding.verdict;
    const char *name = answers[_i].name;
    ck_assert_msg(verdict_is_special(verdict), "%s", name);
    ck_assert_msg(verdict->rcode == answers[_i].rcode, "%s: rcode %u", name, verdict->rcode);
    ck_assert_msg(verdict->reason == answers[_i].reason, "%s", name);
    ck_assert_msg(verdict->answer == answers[_i].answer, "%s", name);
    ck_assert_msg(verdict->is_authoritative && verdict->may_recurse, "%s", name);
    ck_assert_msg(verdict->has_soa == (verdict->answer == ANSWER_NONE), "%s", name);
    ck_assert_msg(!verdict->has_soa || verdict->soa_label == answers[_i].soa_label, "%s", name);
}

/* A custom domain of an app without internal routing is treated as any other name. */
TEST(the_host_of_an_app_that_is_not_internal_answers_nothing)
{
    static const char text[] =
        "space: one-space\ncidr: 10.7.0.0/16\nrouters: [10.7.0.11]\n"
        "apps:\n  - name: open-app-1\n    domains: [{hostname: shop.home.arpa, cname: "
        "a-b-1.c-d-2.herokuspace.com}]\n";
    struct snapshot *one = snapshot_of_texts(&policy, (const char *const[]){text}, 1);
    struct deciding deciding;

    deciding_ask(&deciding, one, "10.7.130.1", "shop.home.arpa", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_SPECIAL);
    ck_assert_int_eq(deciding.verdict.rcode, RCODE_NXDOMAIN);
    ck_assert(!verdict_has_cname(&deciding.verdict));
    snapshot_free(one);
}

/* With another discovery suffix, names of the usual one are still not forwarded. */
TEST(localspace_is_special_under_another_suffix)
{
    static const char text[] = "space: one-space\ncidr: 10.7.0.0/16\nrouters: [10.7.0.11]\n";
    struct policy other = policy;
    struct deciding deciding;

    other.suffixes.discovery = "inside.localspace";
    struct snapshot *one = snapshot_of_texts(&other, (const char *const[]){text}, 1);
    deciding_ask(&deciding, one, "10.7.130.1", "web.shop.app.localspace", TYPE_A);
    ck_assert_int_eq(deciding.verdict.reason, REASON_SPECIAL_USE);
    deciding_ask(&deciding, one, "10.7.130.1", "inside.localspace", TYPE_SOA);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_RECORDS);
    snapshot_free(one);
}

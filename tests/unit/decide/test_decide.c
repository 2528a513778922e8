#include "decide/decide.h"

#include <stdlib.h>
#include <string.h>

#include "support/deciding.h"
#include "support/recursion.h"
#include "support/request.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

#define DYNO "10.0.130.56"
#define PEER "10.20.3.4"
#define OFFICE "172.16.9.9"
#define OTHER "10.1.130.4"
#define SHAPE "10.2.130.1"
#define EXT "203.0.113.9"

/* The answer table, case by case. */
static const struct {
    const char *row, *from, *name, *type;
    enum situation situation;
    uint8_t rcode;
    enum reason reason;
    enum answer_kind answer;
} rows[] = {
    {"a running app", DYNO, "frozen-oasis-70544.herokuapp.com", "A", SITUATION_ROUTERS, 0,
     REASON_NONE, ANSWER_ROUTERS},
    {"a custom domain", DYNO, "api.example.com", "A", SITUATION_ROUTERS, 0, REASON_NONE,
     ANSWER_ROUTERS},
    {"a peer whose routes miss a router", PEER, "api.example.com", "A", SITUATION_ROUTERS, 0,
     REASON_ROUTE_MISSING, ANSWER_ROUTERS},
    {"a client behind a VPN", OFFICE, "api.example.com", "A", SITUATION_ROUTERS, 0, REASON_NONE,
     ANSWER_ROUTERS},
    {"a name under a wildcard", DYNO, "x.apps.example.com", "A", SITUATION_ROUTERS, 0, REASON_NONE,
     ANSWER_ROUTERS},
    {"an apex", DYNO, "example.net", "A", SITUATION_ROUTERS, 0, REASON_NONE, ANSWER_ROUTERS},
    {"a running app, type ANY", DYNO, "frozen-oasis-70544.herokuapp.com", "ANY", SITUATION_ROUTERS,
     0, REASON_NONE, ANSWER_ROUTERS},
    {"a running app, another type", DYNO, "frozen-oasis-70544.herokuapp.com", "AAAA",
     SITUATION_NO_DATA, 0, REASON_NONE, ANSWER_NONE},
    {"a custom domain, another type", DYNO, "api.example.com", "TXT", SITUATION_NO_DATA, 0,
     REASON_NONE, ANSWER_NONE},
    {"all web dynos crashed", DYNO, "sleepy-river-2739.herokuapp.com", "A", SITUATION_NO_WEB, 0,
     REASON_CRASHED, ANSWER_NONE},
    {"all web dynos crashed, another type", DYNO, "sleepy-river-2739.herokuapp.com", "MX",
     SITUATION_NO_WEB, 0, REASON_CRASHED, ANSWER_NONE},
    {"no web dyno at all", SHAPE, "shape-empty-4.herokuapp.com", "A", SITUATION_NO_WEB, 0,
     REASON_NO_WEB, ANSWER_NONE},
    {"an outsider", EXT, "api.example.com", "A", SITUATION_OUTSIDER, RCODE_REFUSED, REASON_OUTSIDE,
     ANSWER_NONE},
    {"an outsider, a missing name", EXT, "nobody.example.com", "A", SITUATION_OUTSIDER,
     RCODE_REFUSED, REASON_OUTSIDE, ANSWER_NONE},
    {"an outsider, a transfer", EXT, "api.example.com", "AXFR", SITUATION_OUTSIDER, RCODE_REFUSED,
     REASON_OUTSIDE, ANSWER_NONE},
    {"a custom domain, type SOA", DYNO, "api.example.com", "SOA", SITUATION_RECORDS, 0, REASON_NONE,
     ANSWER_SOA},
    {"static records, type SOA", SHAPE, "db.internal.example.com", "SOA", SITUATION_RECORDS, 0,
     REASON_NONE, ANSWER_SOA},
    {"a reverse zone, type SOA", DYNO, "0.10.in-addr.arpa", "SOA", SITUATION_RECORDS, 0,
     REASON_NONE, ANSWER_SOA},
    {"a name above static records", SHAPE, "internal.example.com", "A", SITUATION_NO_DATA, 0,
     REASON_NONE, ANSWER_NONE},
    {"a crashed app, type SOA", DYNO, "sleepy.example.com", "SOA", SITUATION_NO_WEB, 0,
     REASON_CRASHED, ANSWER_NONE},
    {"another space's name", OTHER, "api.example.com", "A", SITUATION_NOT_OURS, RCODE_REFUSED,
     REASON_NOT_OURS, ANSWER_NONE},
    {"another space's crashed app", OTHER, "sleepy.example.com", "A", SITUATION_NOT_OURS,
     RCODE_REFUSED, REASON_NOT_OURS, ANSWER_NONE},
    {"a name of a changing space", DYNO, "early-bird-1.herokuapp.com", "A", SITUATION_NOT_OURS,
     RCODE_REFUSED, REASON_NOT_OURS, ANSWER_NONE},
    {"a name above another space's records", DYNO, "internal.example.com", "A", SITUATION_NOT_OURS,
     RCODE_REFUSED, REASON_NOT_OURS, ANSWER_NONE},
    {"an app without internal routing", DYNO, "open-plain-1001-1234567890ab.herokuapp.com", "A",
     SITUATION_NOT_OURS, RCODE_REFUSED, REASON_NOT_OURS, ANSWER_NONE},
    {"a discovery name, a class not allowed", PEER, "web.frozen-oasis-70544.app.localspace", "A",
     SITUATION_CLASS_REFUSED, RCODE_REFUSED, REASON_NOT_ALLOWED, ANSWER_NONE},
    {"a discovery name of another space", OTHER, "web.frozen-oasis-70544.app.localspace", "A",
     SITUATION_NOT_DECLARED, RCODE_NXDOMAIN, REASON_NOT_DECLARED, ANSWER_NONE},
    {"a process type", DYNO, "web.frozen-oasis-70544.app.localspace", "A", SITUATION_DYNOS, 0,
     REASON_NONE, ANSWER_FORMATION},
    {"a dyno", DYNO, "2.web.frozen-oasis-70544.app.localspace", "A", SITUATION_DYNOS, 0,
     REASON_NONE, ANSWER_DYNO},
    {"a process type without a running dyno", DYNO, "web.sleepy-river-2739.app.localspace", "A",
     SITUATION_NOT_RUNNING, 0, REASON_NOT_RUNNING, ANSWER_NONE},
    {"an undeclared discovery name", DYNO, "wbe.frozen-oasis-70544.app.localspace", "A",
     SITUATION_NOT_DECLARED, RCODE_NXDOMAIN, REASON_NOT_DECLARED, ANSWER_NONE},
    {"any other name, no upstream", DYNO, "www.debian.org", "A", SITUATION_NOT_OURS, RCODE_REFUSED,
     REASON_NOT_OURS, ANSWER_NONE},
    {"mail at an apex, no upstream", DYNO, "example.net", "MX", SITUATION_NOT_OURS, RCODE_REFUSED,
     REASON_NOT_OURS, ANSWER_NONE},
    {"a transfer", DYNO, "localspace", "AXFR", SITUATION_UNSUPPORTED, RCODE_REFUSED,
     REASON_NOT_SUPPORTED, ANSWER_NONE},
    {"a client of a changing space", "10.3.130.4", "early-bird-1.herokuapp.com", "A",
     SITUATION_SPACE_CHANGING, 0, REASON_SPACE_CHANGING, ANSWER_NONE},
    {"record", SHAPE, "db.internal.example.com", "A", SITUATION_RECORDS, 0, REASON_NONE,
     ANSWER_RECORDS},
    {"record of no such type", SHAPE, "db.internal.example.com", "MX", SITUATION_NO_DATA, 0,
     REASON_NONE, ANSWER_NONE},
    {"pointer", DYNO, "56.130.0.10.in-addr.arpa", "PTR", SITUATION_RECORDS, 0, REASON_NONE,
     ANSWER_DYNO_NAME},
    {"pointer to a router", DYNO, "37.0.0.10.in-addr.arpa", "PTR", SITUATION_RECORDS, 0,
     REASON_NONE, ANSWER_ROUTER_NAME},
    {"service", DYNO, "_http._tcp.web.frozen-oasis-70544.app.localspace", "SRV", SITUATION_RECORDS,
     0, REASON_NONE, ANSWER_SERVICES},
    {"zone", DYNO, "localspace", "SOA", SITUATION_RECORDS, 0, REASON_NONE, ANSWER_SOA},
    {"whoami", PEER, "_whoami.localspace", "TXT", SITUATION_INTROSPECTION, 0, REASON_NONE,
     ANSWER_WHOAMI},
    {"why", PEER, "_why.x.apps.example.com", "TXT", SITUATION_INTROSPECTION, 0, REASON_NONE,
     ANSWER_WHY},
};

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST_OVER(every_row_of_the_table_holds, rows)
{
    struct deciding deciding;

    deciding_ask(&deciding, fixture.snapshot, rows[_i].from, rows[_i].name,
                 request_type(rows[_i].type));
    const struct verdict *verdict = &deciding.verdict;
    ck_assert_msg(verdict->situation == rows[_i].situation, "%s: situation %d", rows[_i].row,
                  (int)verdict->situation);
    ck_assert_msg(verdict->rcode == rows[_i].rcode, "%s: rcode %d", rows[_i].row, verdict->rcode);
    ck_assert_msg(verdict->reason == rows[_i].reason, "%s: %s", rows[_i].row,
                  reason_entry(verdict->reason)->code);
    ck_assert_msg(verdict->answer == rows[_i].answer, "%s: answer %d", rows[_i].row,
                  (int)verdict->answer);
    bool is_refused = rows[_i].rcode == RCODE_REFUSED;
    ck_assert_msg(verdict->is_authoritative == !is_refused, "%s: aa", rows[_i].row);
    ck_assert_msg(!verdict->may_recurse, "%s: ra without upstreams", rows[_i].row);
}

/* The cases that change with upstreams: corp.example is route 0, everything else 1. */
static const struct {
    const char *row, *from, *name, *type;
    enum situation situation;
    uint8_t rcode;
    enum reason reason;
    uint8_t route;
} others[] = {
    {"any other name", DYNO, "www.debian.org", "A", SITUATION_FORWARD, RCODE_SERVFAIL, REASON_NONE,
     1},
    {"the root", DYNO, ".", "NS", SITUATION_FORWARD, RCODE_SERVFAIL, REASON_NONE, 1},
    {"any other name, an unknown type", DYNO, "www.debian.org", "TYPE65280", SITUATION_FORWARD,
     RCODE_SERVFAIL, REASON_NONE, 1},
    {"a name in a listed zone", DYNO, "www.corp.example", "A", SITUATION_FORWARD, RCODE_SERVFAIL,
     REASON_NONE, 0},
    {"mail at an apex", DYNO, "example.net", "MX", SITUATION_FORWARD, RCODE_SERVFAIL, REASON_NONE,
     1},
    {"a name below an apex", DYNO, "www.example.net", "A", SITUATION_FORWARD, RCODE_SERVFAIL,
     REASON_NONE, 1},
    {"an ACME challenge", DYNO, "_acme-challenge.x.apps.example.com", "TXT", SITUATION_FORWARD,
     RCODE_SERVFAIL, REASON_NONE, 1},
    {"an unknown app below the apps suffix", DYNO, "nobody.herokuapp.com", "A", SITUATION_FORWARD,
     RCODE_SERVFAIL, REASON_NONE, 1},
    {"an app without internal routing", DYNO, "open-plain-1001-1234567890ab.herokuapp.com", "A",
     SITUATION_FORWARD, RCODE_SERVFAIL, REASON_NONE, 1},
    {"another space's app without internal routing", OTHER,
     "open-plain-1001-1234567890ab.herokuapp.com", "A", SITUATION_FORWARD, RCODE_SERVFAIL,
     REASON_NONE, 1},
    {"any other name, a peer", PEER, "www.debian.org", "A", SITUATION_NOT_OURS, RCODE_REFUSED,
     REASON_NOT_OURS, 0},
    {"a listed zone, a VPN client", OFFICE, "www.corp.example", "A", SITUATION_NOT_OURS,
     RCODE_REFUSED, REASON_NOT_OURS, 0},
    {"an outsider", EXT, "www.debian.org", "A", SITUATION_OUTSIDER, RCODE_REFUSED, REASON_OUTSIDE,
     0},
    {"special", DYNO, "printer.local", "A", SITUATION_SPECIAL, RCODE_NXDOMAIN, REASON_SPECIAL_USE,
     0},
    {"special peer", PEER, "printer.local", "A", SITUATION_NOT_OURS, RCODE_REFUSED, REASON_NOT_OURS,
     0},
    {"reverse", DYNO, "4.3.20.10.in-addr.arpa", "PTR", SITUATION_SPECIAL, RCODE_NXDOMAIN,
     REASON_SPECIAL_USE, 0},
    /* names of ours are never forwarded, in any state */
    {"a running app", DYNO, "frozen-oasis-70544.herokuapp.com", "A", SITUATION_ROUTERS, 0,
     REASON_NONE, 0},
    {"all web dynos crashed", DYNO, "sleepy-river-2739.herokuapp.com", "A", SITUATION_NO_WEB, 0,
     REASON_CRASHED, 0},
    {"another space's name", OTHER, "api.example.com", "A", SITUATION_OTHER_SPACE, RCODE_NXDOMAIN,
     REASON_WITHHELD, 0},
    {"another space's reverse name", DYNO, "4.130.1.10.in-addr.arpa", "PTR", SITUATION_SPECIAL,
     RCODE_NXDOMAIN, REASON_SPECIAL_USE, 0},
    {"a name above static records", SHAPE, "internal.example.com", "A", SITUATION_NO_DATA, 0,
     REASON_NONE, 0},
    {"the domain of static records", SHAPE, "example.com", "MX", SITUATION_FORWARD, RCODE_SERVFAIL,
     REASON_NONE, 1},
    {"a discovery name, a class not allowed", PEER, "web.frozen-oasis-70544.app.localspace", "A",
     SITUATION_CLASS_REFUSED, RCODE_REFUSED, REASON_NOT_ALLOWED, 0},
    {"an undeclared discovery name", DYNO, "x.y.z.localspace", "A", SITUATION_NOT_DECLARED,
     RCODE_NXDOMAIN, REASON_NOT_DECLARED, 0},
    {"pointer", DYNO, "9.9.0.10.in-addr.arpa", "PTR", SITUATION_NOT_DECLARED, RCODE_NXDOMAIN,
     REASON_NOT_DECLARED, 0},
    {"why", DYNO, "_why.www.debian.org", "TXT", SITUATION_INTROSPECTION, 0, REASON_NONE, 0},
    {"a transfer", DYNO, "www.debian.org", "AXFR", SITUATION_UNSUPPORTED, RCODE_REFUSED,
     REASON_NOT_SUPPORTED, 0},
    {"a client of a changing space", "10.3.130.4", "early-bird-1.herokuapp.com", "A",
     SITUATION_SPACE_CHANGING, 0, REASON_SPACE_CHANGING, 0},
};

TEST_OVER(with_upstreams_what_is_not_ours_is_forwarded, others)
{
    struct deciding deciding;

    fixture.snapshot->policy.routes = routes_usual();
    deciding_ask(&deciding, fixture.snapshot, others[_i].from, others[_i].name,
                 request_type(others[_i].type));
    const struct verdict *verdict = &deciding.verdict;
    ck_assert_msg(verdict->situation == others[_i].situation, "%s: situation %d", others[_i].row,
                  (int)verdict->situation);
    ck_assert_msg(verdict->rcode == others[_i].rcode, "%s: rcode %d", others[_i].row,
                  verdict->rcode);
    ck_assert_msg(verdict->reason == others[_i].reason, "%s: %s", others[_i].row,
                  reason_entry(verdict->reason)->code);
    ck_assert_msg(verdict->route == others[_i].route, "%s: route %d", others[_i].row,
                  verdict->route);
    bool is_forwarded = verdict->situation == SITUATION_FORWARD;
    ck_assert_msg(!is_forwarded || (!verdict->is_authoritative && !verdict->has_soa &&
                                    verdict->may_recurse && verdict->answer == ANSWER_NONE),
                  "%s: nothing of it is ours", others[_i].row);
}

TEST(a_query_without_rd_is_not_forwarded)
{
    static const char *const names[] = {"www.debian.org", "printer.local", "localhost"};

    fixture.snapshot->policy.routes = routes_usual();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct deciding deciding = {.query = {.type = TYPE_A, .class = CLASS_IN}};
        ck_assert(name_from_text(names[i], &deciding.query.name));
        deciding_decide(&deciding, fixture.snapshot, DYNO);
        ck_assert_int_eq(deciding.verdict.situation, SITUATION_NOT_OURS);
        ck_assert(deciding.verdict.may_recurse);
    }
}

TEST(a_name_without_a_route_is_refused)
{
    struct deciding deciding;

    fixture.snapshot->policy.routes = routes_usual();
    fixture.snapshot->policy.routes.count = 1; /* corp.example alone */
    deciding_ask(&deciding, fixture.snapshot, DYNO, "www.corp.example", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_FORWARD);
    deciding_ask(&deciding, fixture.snapshot, DYNO, "www.debian.org", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_NOT_OURS);
    deciding_ask(&deciding, fixture.snapshot, DYNO, "printer.local", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_NOT_OURS);
}

/* Readers of a verdict (log, metrics) may not learn more than the client. */
TEST(a_verdict_on_anothers_name_holds_nothing_of_it)
{
    static const struct {
        const char *from, *name;
    } strangers[] = {{EXT, "api.example.com"},
                     {OTHER, "api.example.com"},
                     {OTHER, "x.apps.example.com"},
                     {OTHER, "open-plain-1001-1234567890ab.herokuapp.com"},
                     {OTHER, "web.frozen-oasis-70544.app.localspace"},
                     {OTHER, "56.130.0.10.in-addr.arpa"},
                     {OTHER, "db.internal.example.com"}};

    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        struct deciding deciding;
        deciding_ask(&deciding, fixture.snapshot, strangers[i].from, strangers[i].name, TYPE_A);
        const struct verdict *verdict = &deciding.verdict;
        ck_assert_msg(verdict->segment == NULL && verdict->app == NULL && verdict->host == NULL &&
                          verdict->formation == NULL && verdict->dyno == NULL &&
                          verdict->router == NULL && verdict->port == NULL,
                      "%s from %s", strangers[i].name, strangers[i].from);
    }
}

TEST(without_a_snapshot_nothing_is_ready)
{
    struct deciding deciding;

    deciding_ask(&deciding, NULL, DYNO, "api.example.com", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_NOT_READY);
    ck_assert_uint_eq(deciding.verdict.rcode, RCODE_SERVFAIL);
    ck_assert_int_eq(deciding.verdict.reason, REASON_NOT_READY);
}

/* A registry that was never reached: an outsider is not told that a name does not exist either. */
TEST(a_snapshot_that_waits_for_its_first_zones_is_not_ready)
{
    static const char *const clients[] = {DYNO, "8.8.8.8"};
    struct deciding deciding;

    fixture.snapshot->is_waiting = fixture.snapshot->policy.external_nxdomain = true;
    for (size_t i = 0; i < 2; i++) {
        deciding_ask(&deciding, fixture.snapshot, clients[i], "api.example.com", TYPE_A);
        ck_assert_int_eq(deciding.verdict.situation, SITUATION_NOT_READY);
        ck_assert_uint_eq(deciding.verdict.rcode, RCODE_SERVFAIL);
    }
}

/* Two spaces that are peered with one network; the second has nothing but a text with errors. */
static struct snapshot *snapshot_half_ready(void)
{
    static const char *const names[] = {"north", "south"};
    static const char *const texts[] = {
        "space: north\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
        "apps: [{name: bill, internal_routing: true,\n"
        "  formation: {web: {dynos: [{number: 1, state: up, private_ip: 10.0.130.1}]}}}]\n"
        "peerings: [{pcx_id: pcx-11111111, type: customer-managed, status: active,\n"
        "  cidr_blocks: [10.20.0.0/16]}]\n",
        "space: south\ncidr: 10.1.0.0/16\nnonsense: 1\nrouters: [10.1.0.37]\n"
        "apps: [{name: shop, internal_routing: true}]\n"
        "records: [\"db.example.com. 60 IN A 10.1.0.9\"]\n"
        "peerings: [{pcx_id: pcx-22222222, type: customer-managed, status: active,\n"
        "  cidr_blocks: [10.20.0.0/16]}]\n"
        "vpns: [{name: office, status: active, routable_cidrs: [172.16.9.0/24]}]\n",
    };
    struct policy policy = policy_usual();

    policy.routes = routes_usual();
    policy.localspace_to = policy.recursion_for.all = 7;
    return snapshot_of_documents(&policy, names, texts, 2);
}

#define NORTH "10.0.130.1"
#define SOUTH "10.1.130.1"
#define BOTH "10.20.3.4"

static const struct {
    const char *from, *name, *type;
    enum situation situation;
    uint8_t rcode;
    enum reason reason;
} half_ready[] = {
    {SOUTH, "shop.herokuapp.com", "A", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {SOUTH, "shop.herokuapp.com", "SOA", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {SOUTH, "bill.herokuapp.com", "A", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {SOUTH, "db.example.com", "A", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {SOUTH, "www.example.org", "A", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {SOUTH, "web.bill.app.localspace", "A", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {SOUTH, "1.130.1.10.in-addr.arpa", "PTR", SITUATION_NOT_READY, RCODE_SERVFAIL,
     REASON_NOT_READY},
    {SOUTH, "_why.shop.herokuapp.com", "TXT", SITUATION_INTROSPECTION, 0, REASON_NONE},
    {SOUTH, "shop.herokuapp.com", "AXFR", SITUATION_UNSUPPORTED, RCODE_REFUSED,
     REASON_NOT_SUPPORTED},
    {OFFICE, "shop.herokuapp.com", "A", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {OFFICE, "www.example.org", "A", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {NORTH, "shop.herokuapp.com", "A", SITUATION_OTHER_SPACE, RCODE_NXDOMAIN, REASON_WITHHELD},
    {NORTH, "db.example.com", "A", SITUATION_OTHER_SPACE, RCODE_NXDOMAIN, REASON_WITHHELD},
    {NORTH, "1.130.1.10.in-addr.arpa", "PTR", SITUATION_SPECIAL, RCODE_NXDOMAIN,
     REASON_SPECIAL_USE},
    {NORTH, "bill.herokuapp.com", "A", SITUATION_ROUTERS, 0, REASON_NONE},
    {NORTH, "www.example.org", "A", SITUATION_FORWARD, RCODE_SERVFAIL, REASON_NONE},
    {BOTH, "bill.herokuapp.com", "A", SITUATION_ROUTERS, 0, REASON_NONE},
    {BOTH, "shop.herokuapp.com", "A", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {BOTH, "db.example.com", "A", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {BOTH, "1.130.1.10.in-addr.arpa", "PTR", SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY},
    {BOTH, "router-1.south.space.localspace", "A", SITUATION_NOT_READY, RCODE_SERVFAIL,
     REASON_NOT_READY},
    {BOTH, "www.example.org", "A", SITUATION_FORWARD, RCODE_SERVFAIL, REASON_NONE},
    {EXT, "shop.herokuapp.com", "A", SITUATION_OUTSIDER, RCODE_REFUSED, REASON_OUTSIDE},
};

TEST_OVER(a_client_of_unready_spaces_gets_servfail_and_no_name_of_theirs_is_forwarded, half_ready)
{
    struct snapshot *snapshot = snapshot_half_ready();
    struct deciding deciding;

    deciding_ask(&deciding, snapshot, half_ready[_i].from, half_ready[_i].name,
                 request_type(half_ready[_i].type));
    ck_assert_int_eq(deciding.verdict.situation, half_ready[_i].situation);
    ck_assert_uint_eq(deciding.verdict.rcode, half_ready[_i].rcode);
    ck_assert_int_eq(deciding.verdict.reason, half_ready[_i].reason);
    ck_assert(verdict_fits(&deciding.verdict));
    snapshot_free(snapshot);
}

TEST(outsiders_get_nxdomain_where_that_is_set)
{
    struct deciding deciding;

    fixture.snapshot->policy.external_nxdomain = true;
    deciding_ask(&deciding, fixture.snapshot, EXT, "api.example.com", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_OUTSIDER_NXDOMAIN);
    ck_assert_uint_eq(deciding.verdict.rcode, RCODE_NXDOMAIN);
    ck_assert(!deciding.verdict.is_authoritative && !deciding.verdict.has_soa);
}

/* A listed zone names the upstreams that have the other data of such a name. */
TEST(a_name_above_records_is_asked_for_in_a_listed_zone)
{
    static const char *const text = "space: empty-names\ncidr: 10.9.0.0/16\nrecords:\n"
                                    "  - pg.db.corp.example. 60 IN A 172.23.1.5\n"
                                    "  - pg.db.other.example. 60 IN A 172.23.1.5\n";
    struct snapshot *one = snapshot_of_texts(&fixture.policy, &text, 1);
    struct deciding deciding;

    one->policy.routes = routes_usual();
    deciding_ask(&deciding, one, "10.9.130.1", "db.corp.example", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_FORWARD);
    deciding_ask(&deciding, one, "10.9.130.1", "db.other.example", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_NO_DATA);
    ck_assert(deciding.verdict.is_empty_name && deciding.verdict.is_authoritative);
    snapshot_free(one);
}

/* ra=1 exactly for clients that may recurse. */
TEST_LOOP(recursion_is_offered_to_its_classes_only, 0, 4)
{
    static const struct {
        unsigned recursion_for;
        bool dyno, peer, office;
    } cases[] = {{0, false, false, false},
                 {1U << CLIENT_SPACE, true, false, false},
                 {1U << CLIENT_PEERED, false, true, false},
                 {1U << CLIENT_SPACE | 1U << CLIENT_VPN, true, false, true}};
    struct deciding deciding;

    fixture.snapshot->policy.routes = routes_usual();
    fixture.snapshot->policy.recursion_for.all = cases[_i].recursion_for;
    deciding_ask(&deciding, fixture.snapshot, DYNO, "www.debian.org", TYPE_A);
    ck_assert(deciding.verdict.may_recurse == cases[_i].dyno);
    deciding_ask(&deciding, fixture.snapshot, PEER, "www.debian.org", TYPE_A);
    ck_assert(deciding.verdict.may_recurse == cases[_i].peer);
    deciding_ask(&deciding, fixture.snapshot, OFFICE, "www.debian.org", TYPE_A);
    ck_assert(deciding.verdict.may_recurse == cases[_i].office);
    deciding_ask(&deciding, fixture.snapshot, EXT, "www.debian.org", TYPE_A);
    ck_assert(!deciding.verdict.may_recurse);
}

/*
 * A client whose class has suffixes may ask for the names below them: of nobody, of an app without
 * internal routing, and so on; ra=1 says so. Other spaces' names are as for clients that may ask
 * for everything, below the suffixes, and as for clients that may not, elsewhere.
 */
static const struct {
    const char *from, *name;
    enum situation situation;
    bool may_recurse;
} by_suffix[] = {
    {DYNO, "www.debian.org", SITUATION_FORWARD, true},
    {PEER, "www.debian.org", SITUATION_NOT_OURS, false},
    {PEER, "www.herokuapp.com", SITUATION_FORWARD, true},
    {PEER, "herokuapp.com", SITUATION_FORWARD, true},
    {PEER, "xherokuapp.com", SITUATION_NOT_OURS, false},
    {PEER, "herokuapp.com.debian.org", SITUATION_NOT_OURS, false},
    {PEER, "www.corp.example", SITUATION_NOT_OURS, false},
    {PEER, "open-plain-1001-1234567890ab.herokuapp.com", SITUATION_FORWARD, true},
    {PEER, "frozen-oasis-70544.herokuapp.com", SITUATION_ROUTERS, true},
    {PEER, "api.example.com", SITUATION_ROUTERS, false},
    {PEER, "www.api.example.com", SITUATION_NOT_OURS, false},
    {PEER, "example.net", SITUATION_ROUTERS, true},
    {PEER, "mail.example.net", SITUATION_FORWARD, true},
    {PEER, "web.frozen-oasis-70544.app.localspace", SITUATION_CLASS_REFUSED, false},
    {OFFICE, "www.herokuapp.com", SITUATION_NOT_OURS, false},
    {OFFICE, "mail.example.net", SITUATION_FORWARD, true},
    {OTHER, "frozen-oasis-70544.herokuapp.com", SITUATION_OTHER_SPACE, true},
    {EXT, "www.herokuapp.com", SITUATION_OUTSIDER, false},
};

TEST_OVER(a_class_with_suffixes_may_ask_for_names_below_them, by_suffix)
{
    struct deciding deciding;

    fixture.snapshot->policy.routes = routes_usual();
    fixture.snapshot->policy.recursion_for =
        recursion_of("{space: all, peered: [herokuapp.com, example.net], vpn: example.net}");
    deciding_ask(&deciding, fixture.snapshot, by_suffix[_i].from, by_suffix[_i].name, TYPE_A);
    ck_assert_msg(deciding.verdict.situation == by_suffix[_i].situation, "%s from %s: situation %d",
                  by_suffix[_i].name, by_suffix[_i].from, deciding.verdict.situation);
    ck_assert_msg(deciding.verdict.may_recurse == by_suffix[_i].may_recurse, "%s from %s: ra",
                  by_suffix[_i].name, by_suffix[_i].from);
}

/* Another space's name: withheld where nobody's would be forwarded, refused where that is. */
TEST(another_spaces_name_is_as_nobodys_also_with_suffixes)
{
    struct deciding deciding;

    fixture.snapshot->policy.routes = routes_usual();
    fixture.snapshot->policy.recursion_for = recursion_of("{space: [herokuapp.com]}");
    deciding_ask(&deciding, fixture.snapshot, OTHER, "frozen-oasis-70544.herokuapp.com", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_OTHER_SPACE);
    ck_assert_int_eq(deciding.verdict.rcode, RCODE_NXDOMAIN);
    deciding_ask(&deciding, fixture.snapshot, OTHER, "api.example.com", TYPE_A);
    ck_assert_int_eq(deciding.verdict.situation, SITUATION_NOT_OURS);
    ck_assert(deciding.verdict.is_concealed && !deciding.verdict.may_recurse);
}

/* The owner of the SOA: the tiny zone of the name itself, localspace, the CIDR's reverse zone. */
TEST(the_soa_belongs_to_the_zone_of_the_name)
{
    static const struct {
        const char *name;
        uint8_t skip;
    } owners[] = {{"frozen-oasis-70544.herokuapp.com", 0},
                  {"x.apps.example.com", 0},
                  {"_why.api.example.com", 0},
                  {"localspace", 0},
                  {"app.localspace", 1},
                  {"web.frozen-oasis-70544.app.localspace", 3},
                  {"a.b.c.d.e.f.localspace", 6},
                  {"0.10.in-addr.arpa", 0},
                  {"130.0.10.in-addr.arpa", 1},
                  {"56.130.0.10.in-addr.arpa", 2},
                  {"x.y.56.130.0.10.in-addr.arpa", 4}};

    for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
        struct deciding deciding;
        deciding_ask(&deciding, fixture.snapshot, DYNO, owners[i].name, TYPE_AAAA);
        ck_assert_msg(deciding.verdict.has_soa, "%s", owners[i].name);
        ck_assert_msg(deciding.verdict.soa_label == owners[i].skip, "%s: %d", owners[i].name,
                      deciding.verdict.soa_label);
    }
}

/* Requests that are no readable query, from a dyno and from outside. */
static const struct {
    enum query_status status;
    enum situation situation;
    uint8_t rcode;
    enum reason inside, outside;
} unreadable[] = {
    {QUERY_MALFORMED, SITUATION_MALFORMED, RCODE_FORMERR, REASON_NONE, REASON_NONE},
    {QUERY_OPCODE, SITUATION_OPCODE, RCODE_NOTIMP, REASON_NOT_SUPPORTED, REASON_NONE},
    {QUERY_VERSION, SITUATION_EDNS_VERSION, RCODE_BADVERS, REASON_NONE, REASON_NONE},
};

TEST_OVER(a_request_that_is_no_query_has_a_line_of_its_own, unreadable)
{
    for (uint32_t count = 0; count < 2; count++) {
        const struct client client = {.count = count};
        struct verdict verdict;
        memset(&verdict, 0xff, sizeof verdict);
        decide_unreadable(unreadable[_i].status, &client, &verdict);
        ck_assert_int_eq(verdict.situation, unreadable[_i].situation);
        ck_assert_uint_eq(verdict.rcode, unreadable[_i].rcode);
        ck_assert_int_eq(verdict.reason,
                         count > 0 ? unreadable[_i].inside : unreadable[_i].outside);
        ck_assert(verdict_fits(&verdict));
    }
}

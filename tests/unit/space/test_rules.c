/*
 * Rules at their borders: values just inside and just outside. The smallest file for each code is
 * in tests/zones_bad.
 */
#include "space/rules.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/parse.h"
#include "support/scratch.h"
#include "support/suite.h"

enum { FOUND_SIZE = 4096 };

/* Parses and checks; returns "CODE CODE …" in the order of their places. */
static const char *check_with(const char *text, const struct suffixes *suffixes, char *found)
{
    struct arena *arena = arena_new();
    struct report *report = report_new();
    const struct space *space = space_parse(arena, "test.yaml", text, strlen(text), report);

    if (space != NULL)
        space_check(space, suffixes, report);
    report_sort(report);
    found[0] = '\0';
    for (size_t i = 0; i < report_total(report) && strlen(found) < FOUND_SIZE - 64; i++) {
        strcat(found, i == 0 ? "" : " ");
        strcat(found, finding_name(report_findings(report)[i].code));
    }
    report_free(report);
    arena_free(arena);
    return found;
}

static const char *check(const char *text, char *found)
{
    struct suffixes suffixes = suffixes_default();

    return check_with(text, &suffixes, found);
}

#define APP "apps:\n  - name: frozen-oasis\n"
#define TARGET ", cname: haiku-1.space-1.herokuspace.com"
#define DYNO "formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.1}]}}"
#define PEERING "peerings: [{pcx_id: pcx-1, status: active, cidr_blocks: [10.20.0.0/16]"
#define VPN "vpns: [{name: office, status: active, routable_cidrs: "

/* After "space: test-space\n". */
static const struct {
    const char *text;
    const char *found;
} cases[] = {
    {"", ""},
    /* addresses of the space */
    {"cidr: 192.168.0.0/16\n", ""},
    {"cidr: 172.31.0.0/16\n", ""},
    {"cidr: 172.32.0.0/16\n", "E-SPACE-CIDR"},
    {"cidr: 10.0.0.0/15\n", "E-SPACE-CIDR"},
    {"data_cidr: 172.23.0.0/16\n", ""},
    {"data_cidr: 172.23.0.0/20\n", ""},
    {"data_cidr: 172.0.0.0/15\n", "E-DATA-CIDR"},
    {"dyno_cidrs: [10.0.0.0/16]\n", "E-DYNO-CIDR E-DYNO-CIDR"}, /* both default router CIDRs */
    {"dyno_cidrs: [10.0.32.0/20]\nrouter_cidrs: [10.0.48.0/20]\n", ""},
    {"dyno_cidrs: [10.0.32.0/20]\nrouter_cidrs: [10.0.40.0/24]\n", "E-ROUTER-CIDR"},
    {"dyno_cidrs: [10.0.40.0/24]\nrouter_cidrs: [10.0.32.0/20]\n", "E-ROUTER-CIDR"},
    {"dyno_cidrs: [10.0.128.0/20, 10.0.128.0/20]\n", "E-DYNO-CIDR"},
    {"cidr: 10.300.0.0/16\nrouters: [10.9.0.37]\n", "E-SPACE-CIDR"}, /* nothing follows from it */
    {"listen: [10.0.0.2]\n", ""},
    /* routers */
    {"routers: [10.0.0.4, 10.0.16.4, 10.0.15.254]\n", ""},
    {"routers: [10.0.0.0]\n", "E-ROUTER-RANGE"},
    {"routers: [10.0.0.3]\n", "W-ROUTER-RESERVED"},
    {"routers: [10.0.15.255]\n", "W-ROUTER-RESERVED"},
    {"routers: [10.0.16.0]\n", "W-ROUTER-RESERVED"},
    {"routers: [10.0.5.0]\n", ""},
    {"routers: [11.0.0.37]\n", "E-ROUTER-RANGE"},
    {"routers: [10.0.128.1]\n", "E-ROUTER-DYNO"},
    {"routers: [10.0.144.1, 10.0.144.1]\n", "E-ROUTER-DYNO E-ROUTER-DUP"},
    {"routers: [{ip: 10.0.0.37, state: draining}]\napps: [{name: abc, internal_routing: true, " DYNO
     "}]\n",
     "E-NO-ROUTER"},
    {"apps: [{name: abc, " DYNO "}]\n", ""},
    /* availability zones */
    {"affinity: none\n", ""},
    {"affinity: only\n", "E-AFFINITY"},
    {"affinity: first\n", "E-ENUM"},
    {"dyno_cidrs: [{cidr: 10.0.32.0/20, az: a}, 10.0.128.0/20]\n", ""},
    {"dyno_cidrs: [{cidr: 10.0.32.0/20}]\n", ""},
    {"dyno_cidrs: [{az: a}]\n", "E-MISSING"},
    {"dyno_cidrs: [{cidr: 10.0.32.1/20, az: a}]\n", "E-DYNO-CIDR"},
    {"dyno_cidrs: [{cidr: 10.0.32.0/20, zone: a}]\n", "E-UNKNOWN-KEY"},
    {"dyno_cidrs: [{cidr: 10.0.0.0/20, az: a}]\n", "E-DYNO-CIDR"},
    {"routers: [{ip: 10.0.0.37, az: a}]\n", ""}, /* for people */
    {"routers: [{ip: 10.0.0.37, az: b}]\ndyno_cidrs: [{cidr: 10.0.32.0/20, az: a}]\n",
     "W-ROUTER-AZ"},
    {"routers: [{ip: 10.0.0.37, az: b}, 10.0.16.21]\naffinity: prefer\n"
     "dyno_cidrs: [{cidr: 10.0.32.0/20, az: a}, {cidr: 10.0.48.0/20, az: b}]\n",
     ""},
    {"routers: [10.0.0.37]\ndyno_cidrs: [{cidr: 10.0.32.0/20, az: a}]\n", ""},
    {"routers: [10.0.0.37]\naffinity: prefer\ndyno_cidrs: [{cidr: 10.0.32.0/20, az: a}]\n",
     "W-ROUTER-AZ"},
    /* names */
    {APP "  - name: abc\n", ""},
    {"apps: [{name: ab}]\n", "E-APP-NAME"},
    {"apps: [{name: a23456789012345678901234567890}]\n", ""},
    {"apps: [{name: a234567890123456789012345678901}]\n", "E-APP-NAME"},
    {"apps: [{name: abc-}]\n", "E-APP-NAME"},
    {"apps: [{name: Abc}]\n", "E-APP-NAME"},
    {"apps: [{name: a--b}]\n", ""},
    {"apps: [{name: abc}, {name: abc}]\n", "E-DUP"},
    {APP "    default_domain: frozen-oasis.herokuapp.com\n", ""},
    {APP "    default_domain: frozen-oasis-1234567890ab.herokuapp.com\n", ""},
    {APP "    default_domain: frozen-oasis-1234567890ab.zone-1.herokuapp.com\n", ""},
    {APP "    default_domain: frozen-oasis.zone-1.herokuapp.com\n", ""},
    {APP "    default_domain: frozen-oasis-1234567890ab.a.b.herokuapp.com\n", "E-DOM-HEROKU"},
    {APP "    default_domain: frozen-oasis-1234567890abc.herokuapp.com\n", "E-DOM-HEROKU"},
    {APP "    default_domain: other-oasis.herokuapp.com\n", "E-DOM-HEROKU"},
    {APP "    default_domain: frozen-oasis.example.com\n", "E-DOM-HEROKU"},
    {APP "    default_domain: frozen-oasis\n", "E-DOM-HEROKU"},
    /* domains */
    {APP "    domains: [{hostname: example.net" TARGET "}, {hostname: \"*.example.net\"" TARGET
         "}]\n",
     ""},
    {APP "    domains: [{hostname: xn--mnchen-3ya.example" TARGET "}]\n", ""},
    {APP "    domains: [{hostname: localhost" TARGET "}]\n", "E-DOM-NAME"},
    {APP "    domains: [{hostname: a..example.com" TARGET "}]\n", "E-DOM-NAME"},
    {APP "    domains: [{hostname: -a.example.com" TARGET "}]\n", "E-DOM-NAME"},
    {APP "    domains: [{hostname: \"a.*.example.com\"" TARGET "}]\n", "E-DOM-NAME"},
    {APP "    domains: [{hostname: \"*.*.example.com\"" TARGET "}]\n", "E-DOM-NAME"},
    {APP "    domains: [{hostname: \"*\"" TARGET "}]\n", "E-DOM-NAME"},
    {APP "    domains: [{hostname: a b.example.com" TARGET "}]\n", "E-DOM-NAME"},
    {APP "    domains: [{hostname: localspace" TARGET "}]\n", "E-DOM-RESERVED"},
    {APP "    domains: [{hostname: \"*.herokuspace.com\"" TARGET "}]\n", "E-DOM-RESERVED"},
    {APP "    domains: [{hostname: a.herokudns.com" TARGET "}]\n", "E-DOM-RESERVED"},
    {APP "    domains: [{hostname: myherokuapp.com" TARGET "}]\n", ""},
    {APP "    domains: [{hostname: a.example.com, cname: a.herokudns.com}]\n", ""},
    {APP "    domains: [{hostname: a.example.com, cname: herokudns.com}]\n", "E-DOM-TARGET"},
    {APP "    domains: [{hostname: a.example.com, cname: a_b.herokudns.com}]\n", "E-DOM-TARGET"},
    {APP "    domains: [{hostname: a.example.com" TARGET ", acm_status: ok}]\n", ""},
    {APP "    domains: [{hostname: a.example.com, record: alias" TARGET "}]\n", ""},
    {"apps:\n  - {name: abc, domains: [{hostname: a.example.com, cname: a.herokudns.com}]}\n"
     "  - {name: abd, domains: [{hostname: \"*.a.example.com\", cname: b.herokudns.com}]}\n",
     ""},
    {"apps:\n  - {name: abc, domains: [{hostname: \"*.example.com\", cname: a.herokudns.com}]}\n"
     "  - {name: abd, domains: [{hostname: \"*.example.com\", cname: b.herokudns.com}]}\n",
     "E-DOM-TAKEN"},
    /* process types, dynos and ports */
    {APP "    formation: {web: {}, consul_server: {}, A-b: {}, run: {}}\n", ""},
    {APP "    dns_discovery: false\n    formation: "
         "{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {}}\n",
     ""},
    {APP "    formation: {\"\": {}}\n", "E-PROC-NAME"},
    {APP "    formation: {web: {dynos: [{number: 0}]}}\n", "E-MISSING E-DYNO-NUM"},
    {APP "    formation: {web: {dynos: [{number: 1, state: crashed, private_ip: 10.9.0.1}]}}\n",
     "E-DYNO-IP"},
    {APP "    formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.1}]},\n"
         "                b: {dynos: [{number: 1, state: crashed, private_ip: 10.0.130.1}]}}\n",
     ""},
    {APP "    formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.1}]},\n"
         "                b: {dynos: [{number: 1, state: starting, private_ip: 10.0.130.1}]}}\n",
     "E-DYNO-IP-DUP"},
    {APP "    formation: {web: {ports: {a: 1, b: 65535}}}\n", ""},
    {APP "    formation: {web: {ports: {a: 0}}}\n", "E-PORT"},
    {APP "    formation: {web: {ports: {-a: 1}}}\n", "E-PORT"},
    /* peerings */
    {PEERING "}]\n", ""},
    {PEERING ", aws_vpc_id: vpc-0123456789abcdef0, aws_region: us-gov-west-1,\n"
             " aws_account_id: '012345678901', route_table_id: rtb-0a}]\n",
     ""},
    {PEERING ", aws_vpc_id: vpc-x, aws_region: virginia, route_table_id: rtb-$(x)}]\n",
     "W-AWS W-AWS W-AWS"},
    {PEERING "}]\n" VPN "[10.21.0.0/16]}]\n", ""},
    {PEERING "}]\n" VPN "[10.20.255.0/24]}]\n", "E-VPN-OVERLAP"},
    {PEERING "}, {pcx_id: pcx-2, status: failed, cidr_blocks: [10.0.0.0/8]}]\n", ""},
    {PEERING "}, {pcx_id: pcx-2, status: pending-acceptance, cidr_blocks: [10.20.0.0/16]}]\n", ""},
    {PEERING ", type: heroku-managed}]\n", ""},
    {"data_cidr: 172.23.0.0/20\npeerings: [{pcx_id: pcx-1, type: heroku-managed, status: active, "
     "cidr_blocks: [172.23.0.0/20]}]\n",
     ""},
    {"data_cidr: 172.23.0.0/20\npeerings: [{pcx_id: pcx-1, status: active, "
     "cidr_blocks: [172.23.0.0/20]}]\n",
     "E-PEER-OVERLAP"},
    {"peerings: [{pcx_id: pcx-1, status: active, cidr_blocks: [10.20.0.0/16, 10.20.0.0/24]}]\n",
     ""},
    /* devices */
    {PEERING ", device: ipsec0}]\n" VPN "[10.20.0.0/16], device: ipsec1}]\n", ""},
    {PEERING ", device: ipsec0}]\n" VPN "[10.20.0.0/16], device: ipsec0}]\n", "E-VPN-OVERLAP"},
    {PEERING ", device: ipsec0}]\n" VPN "[10.20.0.0/16]}]\n", "E-VPN-OVERLAP"},
    {PEERING "}]\n" VPN "[10.20.1.0/24], device: ipsec0}]\n", "E-VPN-OVERLAP"},
    {PEERING ", device: ipsec0}, {pcx_id: pcx-2, status: active, device: ipsec1, cidr_blocks: "
             "[10.20.0.0/16]}]\n" VPN "[10.20.1.0/24], device: ipsec1}]\n",
     "E-VPN-OVERLAP"},
    {PEERING ", device: abcdefghijklmno}]\n", ""},
    {PEERING ", device: abcdefghijklmnop}]\n", "E-DEVICE"},
    {PEERING ", device: a/b}]\n", "E-DEVICE"},
    {PEERING ", device: 'a b'}]\n", "E-DEVICE"},
    {PEERING ", device: 'eth0:1'}]\n", "E-DEVICE"},
    {PEERING ", device: ..}]\n", "E-DEVICE"},
    {PEERING ", device: ''}]\n", "E-TYPE"},
    {PEERING ", device: eth0.100@x}]\n", ""},
    /* routes to the routers */
    {"routers: [10.0.0.37]\n" PEERING ", routes: []}]\n", "W-PEER-ROUTE"},
    {"routers: [10.0.0.37]\n" PEERING ", routes: [10.0.0.0/16]}]\n", ""},
    {"routers: [10.0.0.37]\n" PEERING ", routes: [10.0.0.0/17, 10.0.128.0/17]}]\n", ""},
    {"routers: [10.0.0.37]\n" PEERING ", routes: [10.0.0.0/17]}]\n", "N-PEER-PARTIAL"},
    {"routers: [10.0.0.37, 10.0.16.21]\n" PEERING ", routes: [10.0.0.0/20]}]\n", "W-PEER-ROUTE"},
    {"routers: [{ip: 10.0.0.37, state: down}]\n" PEERING ", routes: [10.0.128.0/20]}]\n", ""},
    {"routers: [10.0.0.37]\n" PEERING ", routes: [10.0.0.0/8, 10.0.0.0/20]}]\n",
     "N-PEER-REDUNDANT"},
    {"routers: [10.0.0.37]\npeerings: [{pcx_id: pcx-1, status: expired, routes: []}]\n", ""},
    /* VPN connections */
    {VPN "[172.16.0.0/16], tunnels: []}]\n", ""},
    {VPN "[172.16.0.0/16], public_ip: 35.161.69.30, tunnels: [{ip: 52.44.146.196, status: UP}, "
         "{ip: 52.44.146.197, status: DOWN}]}]\n",
     ""},
    {VPN "[35.161.69.0/24], public_ip: 35.161.69.30}]\n", "W-VPN-PUBLIC E-VPN-IP"},
    {VPN "[172.17.0.0/16]}]\n", "E-VPN-OVERLAP"},
    {VPN "[10.0.0.0/16]}]\n", "E-VPN-OVERLAP"},
    {"vpns: [{name: a, status: failed, routable_cidrs: [10.0.0.0/16]}]\n", ""},
    {"vpns: [{name: a, status: failed, routable_cidrs: [0.0.0.0/0]}]\n", "E-VPN-ANY"},
    /* trusted ranges never matter to anything else */
    {"trusted_ips: [0.0.0.0/0, 10.0.0.0/17]\n", ""},
    {"trusted_ips: [10.0.0.0/16]\n", "N-TRUST-WIDE"},
    /* records */
    {"records: [db.example.com. A 172.23.1.5, db.example.com. A 172.23.1.6]\n", ""},
    {"records: [5.1.23.172.in-addr.arpa. PTR db.example.com.]\n", ""},
    {"records: [localspace. TXT x]\n", "E-REC-NAME"},
    {"records: [a.herokudns.com. TXT x]\n", "E-REC-NAME"},
    {"records: [\"*.example.com. TXT x\"]\n", "E-REC-NAME"},
    {"records: [a.example.com. CNAME b.example.com., a.example.com. CNAME c.example.com.]\n",
     "E-REC-CNAME"},
    {"records: [a.example.com. CNAME b.example.com., b.example.com. CNAME a.example.com.,\n"
     "          c.example.com. CNAME a.example.com., d.example.com. CNAME d.example.com.]\n",
     "E-REC-LOOP E-REC-LOOP"},
    {"records: [a.example.com. CNAME www.example.org., b.example.com. CNAME x.example.com.]\n", ""},
    {"records: [a.b.example.com. CNAME x.b.example.com.]\n", "W-REC-DANGLING"},
    {"records: [a.b.example.com. CNAME web.frozen-oasis.app.localspace.]\n", ""},
    {APP "    domains: [{hostname: \"*.b.example.com\"" TARGET "}]\n"
         "records: [a.b.example.com. CNAME x.b.example.com.]\n",
     ""},
    {"records: [a.example.com. A 172.23.1.5, a.example.com. AAAA 2001:db8::1]\n", ""},
    {"records: [a.example.com. A 172.23.1.5, a.example.com. 60 IN A 172.23.1.5]\n", "E-REC-DUP"},
    {"records: [a.example.com. 86400 A 172.23.1.5, b.example.com. 86401 A 172.23.1.5]\n",
     "W-REC-TTL-LONG"},
    {"records: [a.example.com. 60 A 172.23.1.5, a.example.com. 61 TXT x]\n", ""},
    {"records: [x.invalid. A 172.23.1.5, local. A 172.23.1.5, x.internal. A 172.23.1.5]\n",
     "E-SPECIAL-FIXED E-REC-SINGLE"},
    {"records: [a.example.com. CNAME b.example.com., b.example.com. A 172.23.1.5]\n", ""},
    {APP "    domains: [{hostname: \"*.example.com\"" TARGET "}]\n"
         "records: [db.example.com. A 172.23.1.5]\n",
     ""},
};

static const struct {
    const char *text, *sentences;
} remedies[] = {
    {APP "    internal_routing: true\n    " DYNO "\n",
     "list the addresses of the space's routers in `routers`\n"},
    {"routers: [{ip: 10.0.0.37, state: down}]\n" APP "    internal_routing: true\n    " DYNO "\n",
     "once a router is up, set its `state`\n"},
    {"routers: [10.0.0.37]\n" APP "    internal_routing: true\n", "scale web to 1 or more\n"},
    {"routers: [10.0.0.37]\n" APP "    internal_routing: true\n"
     "    formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.1, state: starting}]}}\n",
     "once a web dyno is up, set its `state`\n"},
    {VPN "[172.16.0.0/16], tunnels: [{ip: 52.1.2.3, status: UP}]}]\n", "list both or none\n"},
    {"cidr: 10.1.0.0/20\nrouters: [10.1.16.21]\n", "write for example 10.1.0.0/16\n"},
    {"cidr: 11.1.0.0/20\n", "write for example 10.0.0.0/16\n"},
};

/* What follows the last semicolon of each finding. */
static void find_remedies(const char *text, char *found)
{
    const struct suffixes suffixes = suffixes_default();
    struct arena *arena = arena_new();
    struct report *report = report_new();
    const struct space *space = space_parse(arena, "test.yaml", text, strlen(text), report);

    ck_assert_ptr_nonnull(space);
    space_check(space, &suffixes, report);
    report_sort(report);
    found[0] = '\0';
    for (size_t i = 0; i < report_total(report); i++) {
        const char *sentence = report_findings(report)[i].sentence, *end = strrchr(sentence, ';');
        strcat(found, end == NULL ? sentence : end + 2);
        strcat(found, "\n");
    }
    report_free(report);
    arena_free(arena);
}

TEST_OVER(a_remedy_fits_the_case, remedies)
{
    char text[FOUND_SIZE], found[FOUND_SIZE];

    snprintf(text, sizeof text, "space: test-space\n%s", remedies[_i].text);
    find_remedies(text, found);
    ck_assert_str_eq(found, remedies[_i].sentences);
}

TEST(one_tunnel_is_counted_in_the_singular)
{
    struct suffixes suffixes = suffixes_default();
    struct arena *arena = arena_new();
    struct report *report = report_new();
    static const char text[] =
        "space: test-space\n" VPN "[172.16.0.0/16], tunnels: [{ip: 52.1.2.3, status: UP}]}]\n";
    const struct space *space = space_parse(arena, "test.yaml", text, strlen(text), report);

    space_check(space, &suffixes, report);
    ck_assert_uint_eq(report_total(report), 1);
    ck_assert_str_eq(report_findings(report)->sentence,
                     "VPN office lists 1 tunnel, and a connection has 2; list both or none");
    report_free(report);
    arena_free(arena);
}

TEST_OVER(a_rule_fires_beyond_its_border_and_not_before, cases)
{
    char text[FOUND_SIZE];
    char found[FOUND_SIZE];

    snprintf(text, sizeof text, "space: test-space\n%s", cases[_i].text);
    ck_assert_msg(strcmp(check(text, found), cases[_i].found) == 0, "%sfound: %s", text, found);
}

static const struct {
    const char *name;
    const char *found;
} space_names[] = {
    {"abc", ""},
    {"a-b", ""},
    {"1a2", ""},
    {"ab", "E-SPACE-NAME"},
    {"-ab", "E-SPACE-NAME"},
    {"ab-", "E-SPACE-NAME"},
    {"Abc", "E-SPACE-NAME"},
    {"a_b", "E-SPACE-NAME"},
    {"a--b", "E-SPACE-NAME"},
};

TEST_OVER(a_space_name_follows_the_platforms_rule, space_names)
{
    char text[128];
    char found[FOUND_SIZE];

    snprintf(text, sizeof text, "space: %s\n", space_names[_i].name);
    ck_assert_str_eq(check(text, found), space_names[_i].found);
}

TEST(suffixes_of_another_platform_are_used_instead)
{
    struct suffixes suffixes = {.apps = "apps.example.org",
                                .discovery = "internal",
                                .targets = {"target.example.org", "other.example.org"}};
    char found[FOUND_SIZE];

    ck_assert_str_eq(check_with("space: test-space\napps:\n  - name: abc\n"
                                "    default_domain: abc.apps.example.org\n"
                                "    domains: [{hostname: a.herokuapp.com, "
                                "cname: a.target.example.org}]\n",
                                &suffixes, found),
                     "");
    ck_assert_str_eq(check_with("space: test-space\napps:\n  - name: abc\n"
                                "    domains: [{hostname: a.internal, cname: a.herokudns.com}]\n",
                                &suffixes, found),
                     "E-DOM-RESERVED E-DOM-TARGET");
}

TEST(a_discovery_name_longer_than_253_octets_is_refused)
{
    char suffix[241];
    char found[FOUND_SIZE];
    struct suffixes suffixes = suffixes_default();
    static const char text[] = "space: test-space\napps: [{name: abc, formation: {web: {dynos: "
                               "[{number: 1, private_ip: 10.0.130.1}]}}}]\n";

    memset(suffix, 'x', sizeof suffix);
    for (size_t i = 60; i < sizeof suffix; i += 61)
        suffix[i] = '.';
    suffix[240] = '\0';
    suffixes.discovery = suffix + 1; /* 1.web.abc.app. is 14 octets: 253 with 239 */
    ck_assert_str_eq(check_with(text, &suffixes, found), "");
    suffixes.discovery = suffix;
    ck_assert_str_eq(check_with(text, &suffixes, found), "E-NAME-LONG");
}

/* The findings that the README shows. */
TEST(the_fixture_has_the_two_findings_it_is_meant_to_have)
{
    const char *source = getenv("SOURCE_DIR");
    char path[SCRATCH_PATH_MOST];
    char found[FOUND_SIZE];
    size_t length;

    snprintf(path, sizeof path, "%s/zones/test-space.yaml", source == NULL ? "." : source);
    char *text = file_read(path, &length);
    ck_assert_ptr_nonnull(text);
    text = realloc(text, length + 1);
    text[length] = '\0';
    ck_assert_str_eq(check(text, found), "W-PEER-ROUTE W-NO-WEB");
    free(text);
}

static const struct {
    const char *text;
    const char *message;
} messages[] = {
    {"space: test-space\nrouters: [10.0.0.37]\n" PEERING ", routes: [10.0.128.0/20]}]\n",
     "has no route to router 10.0.0.37 (in 10.0.0.0/20), so its clients get addresses they cannot "
     "reach; run: aws ec2 create-route --route-table-id rtb-your-route-table-id "
     "--destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id pcx-1"},
    {"space: test-space\nrouters: [10.0.0.37]\n" PEERING
     ", route_table_id: rtb-0a1b, routes: []}]\n",
     "--route-table-id rtb-0a1b --dest"},
    {"space: test-space\nrouters: [10.0.0.37]\n" PEERING
     ", routes: [10.0.0.0/16, 10.0.128.0/20, 10.0.144.0/20]}]\n",
     "can be removed: 10.0.128.0/20, 10.0.144.0/20"},
    {"space: test-space\nrouters: [10.0.130.9]\n",
     "router 10.0.130.9 lies in dyno CIDR 10.0.128.0/20; give the router an address in "
     "10.0.0.0/20 or 10.0.16.0/20"},
    {"space: test-space\nrouters: [10.0.0.37]\napps: [{name: abc, internal_routing: true, acm: "
     "true, " DYNO "}]\n",
     "use the default certificate of .herokuapp.com, or Heroku SSL with your own certificate on "
     "the "
     "custom domain"},
    {"space: test-space\napps:\n"
     "  - {name: abc, domains: [{hostname: a.example.com, cname: a.herokudns.com}]}\n"
     "  - {name: abd, domains: [{hostname: a.example.com, cname: b.herokudns.com}]}\n",
     "is currently in use by another app, abc (line 3)"},
};

TEST_OVER(a_message_has_the_remedy, messages)
{
    struct suffixes suffixes = suffixes_default();
    struct arena *arena = arena_new();
    struct report *report = report_new();
    const char *text = messages[_i].text;
    const struct space *space = space_parse(arena, "test.yaml", text, strlen(text), report);

    space_check(space, &suffixes, report);
    ck_assert_uint_eq(report_total(report), 1);
    ck_assert_msg(strstr(report_findings(report)->sentence, messages[_i].message) != NULL, "%s",
                  report_findings(report)->sentence);
    report_free(report);
    arena_free(arena);
}

/* Hundreds of thousands of comparisons per key would take minutes. */
TEST(duplicates_among_fifty_thousand_apps_are_found_in_time)
{
    enum { APPS = 50000, SIZE = 128 * APPS };
    struct suffixes suffixes = suffixes_default();
    struct arena *arena = arena_new();
    struct report *report = report_new();
    char *text = malloc(SIZE);
    size_t used = (size_t)snprintf(text, SIZE, "space: test-space\ngeneration: fir\napps:\n");

    for (int i = 0; i < APPS; i++)
        used += (size_t)snprintf(text + used, SIZE - used,
                                 "  - {name: app-%d, domains: [{hostname: a%d.example.com, cname: "
                                 "a%d.herokudns.com}]}\n",
                                 i, i == APPS - 1 ? 0 : i, i);
    const struct space *space = space_parse(arena, "big.yaml", text, used, report);
    space_check(space, &suffixes, report);
    report_sort(report);
    ck_assert_uint_eq(report_total(report), 2);
    ck_assert_str_eq(finding_name(report_findings(report)[0].code), "W-SPACE-APPS");
    ck_assert_str_eq(finding_name(report_findings(report)[1].code), "E-DOM-TAKEN");
    ck_assert_uint_eq(report_findings(report)[1].at.line, APPS + 3);
    free(text);
    report_free(report);
    arena_free(arena);
}

TEST(thousands_of_blocks_that_overlap_are_found_in_time)
{
    enum { BLOCKS = 20000, SIZE = 24 * BLOCKS };
    struct suffixes suffixes = suffixes_default();
    struct arena *arena = arena_new();
    struct report *report = report_new();
    char *text = malloc(SIZE);
    size_t used = (size_t)snprintf(text, SIZE, "space: test-space\n" PEERING "}]\n" VPN "[");

    for (int i = 0; i < BLOCKS; i++)
        used +=
            (size_t)snprintf(text + used, SIZE - used, "10.%d.%d.0/30,", i % 2 ? 20 : 21, i / 100);
    used += (size_t)snprintf(text + used, SIZE - used, "]}]\n");
    const struct space *space = space_parse(arena, "big.yaml", text, used, report);
    space_check(space, &suffixes, report);
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), BLOCKS / 2);
    free(text);
    report_free(report);
    arena_free(arena);
}

/* Zone files become a model: defaults, values with locations, findings that do not stop it. */
#include "space/parse.h"

#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/rules.h"
#include "support/scratch.h"
#include "support/suite.h"

static struct arena *arena;
static struct report *report;

static void set_up(void)
{
    arena = arena_new();
    report = report_new();
}

static void tear_down(void)
{
    arena_free(arena);
    report_free(report);
}

static struct space *parse(const char *text)
{
    return space_parse(arena, "test.yaml", text, strlen(text), report);
}

static const struct space *parse_fixture(void)
{
    const char *source = getenv("SOURCE_DIR");
    char path[SCRATCH_PATH_MOST];
    size_t length;

    snprintf(path, sizeof path, "%s/zones/test-space.yaml", source == NULL ? "." : source);
    char *text = file_read(path, &length);
    ck_assert_ptr_nonnull(text);
    const struct space *space = space_parse(arena, path, text, length, report);
    free(text);
    ck_assert_ptr_nonnull(space);
    return space;
}

static void check_block(const struct block *block, const char *right)
{
    char text[CIDR_TEXT_MAX];

    cidr_write(block->cidr, text);
    ck_assert_str_eq(text, right);
}

FIXTURE(set_up, tear_down)

TEST(a_name_alone_is_a_space_with_all_defaults)
{
    const struct space *space = parse("space: test-space\n");

    ck_assert_ptr_nonnull(space);
    ck_assert_uint_eq(report_total(report), 0);
    ck_assert_str_eq(space->file, "test.yaml");
    ck_assert_str_eq(space->name.text, "test-space");
    ck_assert_uint_eq(space->name.at.line, 1);
    ck_assert_uint_eq(space->name.at.column, 8);
    check_block(&space->cidr, "10.0.0.0/16");
    ck_assert_uint_eq(space->cidr.at.line, 0);
    ck_assert_uint_eq(space->data_cidr.cidr.bits, 0);
    ck_assert_uint_eq(space->dyno_cidrs.count, 2);
    check_block(&space->dyno_cidrs.items[0], "10.0.128.0/20");
    check_block(&space->dyno_cidrs.items[1], "10.0.144.0/20");
    ck_assert_uint_eq(space->router_cidrs.count, 2);
    check_block(&space->router_cidrs.items[0], "10.0.0.0/20");
    check_block(&space->router_cidrs.items[1], "10.0.16.0/20");
    ck_assert_int_eq(space->generation, GENERATION_CEDAR);
    ck_assert_int_eq(space->state, SPACE_ALLOCATED);
    ck_assert(!space->shield);
    ck_assert_uint_eq(space->router_ttl_seconds, 30);
    ck_assert_uint_eq(space->dyno_ttl_seconds, 10);
    ck_assert_uint_eq(space->negative_ttl_seconds, 5);
}

TEST(a_dyno_cidr_may_have_an_availability_zone)
{
    const struct space *space = parse("space: test-space\naffinity: only\ndyno_cidrs:\n"
                                      "  - {az: us-east-1a, cidr: 10.0.128.0/20}\n"
                                      "  - 10.0.144.0/20\n");

    ck_assert_uint_eq(report_total(report), 0);
    ck_assert_int_eq(space->affinity, AFFINITY_ONLY);
    ck_assert_uint_eq(space->affinity_at.line, 2);
    ck_assert_uint_eq(space->affinity_at.column, 11);
    ck_assert_uint_eq(space->dyno_cidrs.count, 2);
    check_block(&space->dyno_cidrs.items[0], "10.0.128.0/20");
    ck_assert_str_eq(space->dyno_cidrs.items[0].az.text, "us-east-1a");
    ck_assert_uint_eq(space->dyno_cidrs.items[0].at.line, 4);
    check_block(&space->dyno_cidrs.items[1], "10.0.144.0/20");
    ck_assert_ptr_null(space->dyno_cidrs.items[1].az.text);
}

TEST(default_blocks_follow_the_cidr)
{
    const struct space *space = parse("space: test-space\ncidr: 172.20.0.0/16\n");

    check_block(&space->dyno_cidrs.items[0], "172.20.128.0/20");
    check_block(&space->dyno_cidrs.items[1], "172.20.144.0/20");
    check_block(&space->router_cidrs.items[0], "172.20.0.0/20");
    check_block(&space->router_cidrs.items[1], "172.20.16.0/20");
}

TEST(the_fixture_is_read_without_a_finding)
{
    const struct space *space = parse_fixture();

    ck_assert_uint_eq(report_total(report), 0);
    ck_assert_str_eq(space->name.text, "test-space");
    ck_assert_uint_eq(space->router_count, 2);
    ck_assert_uint_eq(space->routers[0].ip, 0x0a000025);
    ck_assert_int_eq(space->routers[1].state, ROUTER_UP);
    ck_assert_uint_eq(space->peering_count, 2);
    ck_assert_int_eq(space->peerings[0].status, PEERING_ACTIVE);
    ck_assert(space->peerings[0].lists_routes);
    ck_assert_uint_eq(space->peerings[0].routes.count, 2);
    ck_assert_int_eq(space->peerings[1].status, PEERING_PENDING_ACCEPTANCE);
    ck_assert(!space->peerings[1].lists_routes);
    ck_assert_uint_eq(space->vpn_count, 2);
    ck_assert_uint_eq(space->vpns[0].public_ip, 0x23a1451e);
    ck_assert_uint_eq(space->vpns[0].tunnel_count, 2);
    ck_assert(space->vpns[0].tunnels[0].is_up);
    ck_assert(!space->vpns[0].tunnels[1].is_up);
    ck_assert_int_eq(space->vpns[1].status, VPN_FAILED);
    ck_assert_uint_eq(space->trusted_ips.count, 1);
    ck_assert_uint_eq(space->app_count, 3);
}

TEST(the_fixture_s_first_app_has_every_part)
{
    const struct app *app = &parse_fixture()->apps[0];

    ck_assert_str_eq(app->name.text, "frozen-oasis-70544");
    ck_assert(app->internal_routing);
    ck_assert(app->dns_discovery);
    ck_assert_ptr_null(app->default_domain.text);
    ck_assert_uint_eq(app->domain_count, 3);
    ck_assert_str_eq(app->domains[0].hostname.text, "api.example.com");
    ck_assert(!app->domains[0].is_wildcard);
    ck_assert_str_eq(app->domains[1].hostname.text, "apps.example.com");
    ck_assert(app->domains[1].is_wildcard);
    ck_assert_str_eq(app->domains[1].cname.text,
                     "wild-haiku-1188.also-random-3847.herokuspace.com");
    ck_assert_uint_eq(app->formation_count, 2);
    ck_assert_str_eq(app->formations[0].type.text, "web");
    ck_assert_uint_eq(app->formations[0].port_count, 1);
    ck_assert_str_eq(app->formations[0].ports[0].name.text, "http");
    ck_assert_uint_eq(app->formations[0].ports[0].number, 8080);
    ck_assert_uint_eq(app->formations[0].dyno_count, 2);
    ck_assert_uint_eq(app->formations[0].dynos[1].number, 2);
    ck_assert_uint_eq(app->formations[0].dynos[1].ip, 0x0a0097da);
    ck_assert_int_eq(app->formations[0].dynos[1].state, DYNO_UP);
    ck_assert_str_eq(app->formations[1].type.text, "worker");
}

static const char everything[] =
    "space: test-space\n"                                                       /* 1 */
    "generation: fir\n"                                                         /* 2 */
    "shield: true\n"                                                            /* 3 */
    "state: deleting\n"                                                         /* 4 */
    "listen: [10.0.0.2, 127.0.0.2]\n"                                           /* 5 */
    "ttl: {router: 0, dyno: 300, negative: 7}\n"                                /* 6 */
    "routers:\n"                                                                /* 7 */
    "  - {ip: 10.0.0.37, state: draining, az: us-east-1a}\n"                    /* 8 */
    "peerings:\n"                                                               /* 9 */
    "  - {pcx_id: pcx-1, type: heroku-managed, grant: true, status: active, \n" /* 10 */
    "     cidr_blocks: [172.23.0.0/20], routes: [], aws_account_id: 012345678901, "
    "device: ipsec0}\n"                                                                /* 11 */
    "apps:\n"                                                                          /* 12 */
    "  - name: frozen-oasis\n"                                                         /* 13 */
    "    id: 01234567-89ab-cdef-0123-456789abcdef\n"                                   /* 14 */
    "    internal_routing: true\n"                                                     /* 15 */
    "    acm: false\n"                                                                 /* 16 */
    "    maintenance: true\n"                                                          /* 17 */
    "    dns_discovery: false\n"                                                       /* 18 */
    "    default_domain: Frozen-Oasis.HerokuApp.com.\n"                                /* 19 */
    "    domains:\n"                                                                   /* 20 */
    "      - {hostname: API.Example.COM., cname: X.HerokuSpace.com., record: alias,\n" /* 21 */
    "         flatten: true, status: pending, acm_status: null}\n"                     /* 22 */
    "    formation:\n"                                                                 /* 23 */
    "      worker:\n"                                                                  /* 24 */
    "      Web:\n"                                                                     /* 25 */
    "        ports: {http: 80, dns: {port: 53, protocol: udp}}\n"                      /* 26 */
    "        dynos: [{number: 12, state: crashed}]\n"                                  /* 27 */
    "records:\n"                                                                       /* 28 */
    "  - db.example.com. 60 IN A 172.23.1.5\n";                                        /* 29 */

TEST(every_key_of_a_space_reaches_the_model)
{
    const struct space *space = parse(everything);

    if (report_total(report) > 0)
        report_print(report, stderr);
    ck_assert_uint_eq(report_total(report), 0);
    ck_assert_int_eq(space->generation, GENERATION_FIR);
    ck_assert(space->shield);
    ck_assert_int_eq(space->state, SPACE_DELETING);
    ck_assert_uint_eq(space->listen_count, 2);
    check_block(&space->listen[1], "127.0.0.2/32");
    ck_assert_uint_eq(space->router_ttl_seconds, 0);
    ck_assert_uint_eq(space->dyno_ttl_seconds, 300);
    ck_assert_uint_eq(space->negative_ttl_seconds, 7);
    ck_assert_int_eq(space->routers[0].state, ROUTER_DRAINING);
    ck_assert_str_eq(space->routers[0].az.text, "us-east-1a");
    ck_assert_uint_eq(space->routers[0].at.column, 10);
    ck_assert_int_eq(space->peerings[0].type, PEERING_HEROKU_MANAGED);
    ck_assert(space->peerings[0].grant);
    ck_assert(space->peerings[0].lists_routes);
    ck_assert_uint_eq(space->peerings[0].routes.count, 0);
    ck_assert_str_eq(space->peerings[0].aws_account_id.text, "012345678901");
    ck_assert_str_eq(space->peerings[0].device.text, "ipsec0");
    ck_assert_uint_eq(space->record_count, 1);
    ck_assert_uint_eq(space->records[0].at.line, 29);
}

TEST(every_key_of_an_app_reaches_the_model)
{
    const struct app *app = &parse(everything)->apps[0];

    ck_assert_str_eq(app->id.text, "01234567-89ab-cdef-0123-456789abcdef");
    ck_assert_uint_eq(app->internal_routing_at.line, 15);
    ck_assert_uint_eq(app->internal_routing_at.column, 23);
    ck_assert_uint_eq(app->acm_at.line, 16);
    ck_assert(!app->acm);
    ck_assert(app->maintenance);
    ck_assert(!app->dns_discovery);
    ck_assert_str_eq(app->default_domain.text, "frozen-oasis.herokuapp.com");
    ck_assert_str_eq(app->domains[0].hostname.text, "api.example.com");
    ck_assert_str_eq(app->domains[0].cname.text, "x.herokuspace.com");
    ck_assert(app->domains[0].is_alias);
    ck_assert(app->domains[0].is_flat);
    ck_assert(app->domains[0].is_pending);
    ck_assert_ptr_null(app->domains[0].acm_status.text);
    ck_assert_uint_eq(app->formation_count, 2);
    ck_assert_uint_eq(app->formations[0].dyno_count, 0);
    ck_assert_str_eq(app->formations[1].type.text, "Web");
    ck_assert_uint_eq(app->formations[1].port_count, 2);
    ck_assert(app->formations[1].ports[1].udp);
    ck_assert_uint_eq(app->formations[1].ports[1].number, 53);
    ck_assert_uint_eq(app->formations[1].dynos[0].number, 12);
    ck_assert_uint_eq(app->formations[1].dynos[0].ip, 0);
    ck_assert_int_eq(app->formations[1].dynos[0].state, DYNO_CRASHED);
}

TEST(all_findings_of_a_file_come_in_one_run)
{
    const struct space *space = parse("space: test-space\nshield: no\nrouters: [10.0.0.300, x]\n"
                                      "ttl: {router: 301, dyna: 1}\napps:\n  - {nam: a}\n"
                                      "  - {name: frozen-oasis, acm: 1}\n");

    ck_assert_ptr_nonnull(space);
    ck_assert_uint_eq(report_total(report), 8);
    ck_assert_uint_eq(space->app_count, 1);
    ck_assert(!report_is_clean(report));
}

static const struct {
    const char *text;
    const char *message;
} messages[] = {
    {"space: x-y\nroutres: []\n", "`routres` is not a key of the space; did you mean `routers` "
                                  "(the addresses that internal apps are answered with)?"},
    {"space: x-y\napps: [{name: abc, trusted_ips: []}]\n",
     "`trusted_ips` is not a key of an app, it belongs to the space; move it to the file's top "
     "level"},
    {"space: x-y\ninternal_routing: true\n", "it belongs to an app; move it into an app of `apps`"},
    {"space: x-y\n...\nregion: virginia\n", "nothing may follow a line `...`"},
    {"space: x-y\nqqqqqq: 1\n", "spacedns-zones(5) lists the keys"},
    {"space: x-y\nrouter: []\n", "`router` is not a key of the space; did you mean `routers` ("},
    {"space: x-y\napps: [{name: abc, formation: {web: {dynos: [{number: 1, private_ip: 10.0.128.4,"
     " ip: 10.0.128.4}]}}}]\n",
     "`ip` is not a key of a dyno; did you mean `private_ip` ("},
    {"space: x-y\napps: [{name: abc, domains: [{hostname: a.example.com, name: b}]}]\n",
     "`name` is not a key of a domain; did you mean `hostname` ("},
    {"space: x-y\npeerings: [{pcx_id: pcx-1, status: active, cidr_blocks: [10.40.0.0/16],"
     " cidr: 10.40.0.0/16}]\n",
     "did you mean `cidr_blocks` ("},
    {"space: x-y\ngeneration: ceder\n", "must be cedar or fir; did you mean `cedar`?"},
    {"space: x-y\nstate: gone\n", "must be allocated, allocating or deleting"},
    {"space: x-y\nshield: 'true'\n", "true or false, without quotes, found `true` in quotes"},
    {"space: x-y\nregion: [a]\n", "`region` must be a text, found a list"},
    {"space: x-y\ncidr: 172.20.20.30/16\n", "write 172.20.0.0/16"},
    {"space: x-y\ntrusted_ips: [192.0.2.1]\n", "write 192.0.2.1/32 for one address"},
    {"space: x-y\ncidr: 10.1.2.0\n", "a space has a /16; write 10.1.0.0/16"},
    {"space: x-y\ntrusted_ips: [10.40.0.0]\n",
     "write 10.40.0.0/16, or 10.40.0.0/32 for one address"},
    {"space: x-y\nttl: {router: 031}\n", "from 0 to 300, without quotes and leading zeros"},
    {"space: x-y\nttl: {router: '31'}\n",
     "`router` is `31` in quotes, but must be a number from 0"},
    {"space: x-y\napps: [x]\n", "an app must be a mapping of `key: value` pairs, found a text"},
    {"space: x-y\napps: [{acm: true}]\n", "`name` is missing; an app needs it"},
    {"space:\n", "a zone file begins with `space: NAME`"},
    {"", "nothing is in the file; a zone file begins with `space: NAME`"},
    {"space: x-y\nregion: \"a\\e[2J\"\nregion: b\n", "already given on line 2"},
    {"space: x-y\n\"a\\e[2J\": b\n", "`a\\x1b[2J`"},
    {"space: [x]\n", "`space` must be a text, found a list"},
};

TEST_OVER(a_message_names_the_value_the_rule_and_the_fix, messages)
{
    parse(messages[_i].text);
    ck_assert_uint_eq(report_total(report), 1);
    ck_assert_msg(strstr(report_findings(report)->sentence, messages[_i].message) != NULL, "%s",
                  report_findings(report)->sentence);
}

static const char *const hopeless[] = {
    "",
    "# only a comment\n",
    "region: virginia\n",
    "space: [x]\n",
    "space: x-y\napps: [\n",
    "space: x-y\nregion: \"virg",
    "space: x-y\n---\nspace: z-z\n",
    "space: x-y\nregion: \xFF\n",
    "space: x-y\nregion: &a b\n",
    "- space: x-y\n",
};

TEST_OVER(a_file_too_broken_to_go_on_gives_no_model_and_one_error, hopeless)
{
    ck_assert_ptr_null(parse(hopeless[_i]));
    ck_assert_uint_eq(report_total(report), 1);
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 1);
}

static const char *const harmless[] = {
    "\xEF\xBB\xBFspace: x-y\n",
    "space: x-y\r\nregion: virginia\r\n",
    "---\nspace: x-y\n...\n",
    "space: x-y\napps:\nrouters:\npeerings: []\nvpns: ~\nrecords: null\nregion:\n",
    "{\"space\": \"x-y\", \"routers\": [\"10.0.0.37\"]}",
};

TEST_OVER(spellings_that_mean_the_same_are_read_alike, harmless)
{
    const struct space *space = parse(harmless[_i]);

    ck_assert_ptr_nonnull(space);
    ck_assert_uint_eq(report_total(report), 0);
    ck_assert_str_eq(space->name.text, "x-y");
}

TEST(every_cut_of_the_fixture_is_refused_or_read_without_harm)
{
    struct suffixes suffixes = suffixes_default();

    for (size_t length = 0; length < sizeof everything; length++) {
        char *copy = malloc(length + 1);
        memcpy(copy, everything, length);
        struct arena *own = arena_new();
        const struct space *space = space_parse(own, "cut.yaml", copy, length, report);
        if (space != NULL)
            space_check(space, &suffixes, report);
        arena_free(own);
        free(copy);
    }
}

TEST(fifty_thousand_apps_in_one_file_are_read)
{
    enum { APPS = 50000, SIZE = 64 * APPS };
    char *text = malloc(SIZE);
    size_t used = (size_t)snprintf(text, SIZE, "space: x-y\napps:\n");

    for (int i = 0; i < APPS; i++)
        used +=
            (size_t)snprintf(text + used, SIZE - used, "  - {name: a-%d, formation: {w: }}\n", i);
    const struct space *space = space_parse(arena, "big.yaml", text, used, report);
    free(text);
    ck_assert_uint_eq(space->app_count, APPS);
    ck_assert_uint_eq(report_total(report), 0);
    ck_assert_str_eq(space->apps[APPS - 1].name.text, "a-49999");
    ck_assert_uint_eq(space->apps[APPS - 1].at.line, APPS + 2);
    ck_assert_uint_eq(space->apps[0].formation_count, 1);
}

/* Files of nothing but findings, or structures: the text that is repeated. */
static const struct {
    const char *begin, *item, *end;
    enum finding_code last; /* of the finding that stops reading */
} endless[] = {
    {"space: big-one\nrouters: [", "x,", "]\n", FINDING_LIMIT},
    {"space: big-one\napps: [", "{},", "]\n", FINDING_LIMIT},
    {"space: big-one\napps: [", "{name: a},", "]\n", FINDING_LIMIT},
    {"space: big-one\npeerings: [", "{pcx_id: a},", "]\n", FINDING_LIMIT},
    {"space: big-one\ntrusted_ips: [", "1.1.1.1/32,", "]\n", FINDING_LIMIT},
    {"space: big-one\nttl: {", "a: 1,", "}\n", FINDING_LIMIT},
    {"space: big-one\nrecords: [", "a,", "]\n", FINDING_LIMIT},
    {"", "k: 1\n", "", FINDING_LIMIT},
    {"space: big-one\napps: [{name: abc, formation: {", "a: 1,", "}}]\n", FINDING_LIMIT},
};

static size_t octets_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

TEST_OVER(a_hostile_file_takes_little_more_memory_than_it_has_octets, endless)
{
    enum { OCTETS = 4 << 20 };
    char *text = malloc(OCTETS + 64);
    size_t length = (size_t)sprintf(text, "%s", endless[_i].begin);

    while (length < OCTETS)
        length += (size_t)sprintf(text + length, "%s", endless[_i].item);
    length += (size_t)sprintf(text + length, "%s", endless[_i].end);
    size_t before = octets_in_use();
    struct space *space = space_parse(arena, "big.yaml", text, length, report);
    size_t taken = octets_in_use() - before;
    report_sort(report);
    ck_assert(!report_is_clean(report));
    ck_assert_uint_le(report_total(report), 400);
    ck_assert_uint_le(report_count(report, FINDING_ERROR), ERRORS_ENOUGH + 2);
    ck_assert_msg(taken <= 4 * (size_t)OCTETS, "%zu octets for %d", taken, OCTETS);
    bool has_last = false;
    for (size_t i = 0; i < report_total(report); i++)
        has_last = has_last || report_findings(report)[i].code == endless[_i].last;
    ck_assert_msg(has_last, "the report ends without a word");
    (void)space;
    free(text);
}

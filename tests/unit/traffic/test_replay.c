// wrap: malloc calloc realloc
#include "traffic/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "support/allocations.h"
#include "support/flowing.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

enum { BEGAN_S = 1700000000, TEXT_MOST = 8192, CHANGE_MOST = 256, EDITS = 3, MANY = 1200 };

static const char oasis[] = "frozen-oasis-70544.herokuapp.com";

/* Two snapshots, what was asked of the first, and what changes. */
static struct {
    struct policy policies[2];
    struct snapshot *before, *after;
    struct flowing flowing;
    struct questions *questions;
    struct replay *replay;
    char lines[TEXT_MOST];
} stand;

static void set_up(void)
{
    memset(&stand, 0, sizeof stand);
    for (unsigned i = 0; i < 2; i++) {
        stand.policies[i] = policy_usual();
        stand.policies[i].routes = routes_usual();
    }
    stand.questions = questions_new(
        &(struct questions_options){.most = 1000, .octets_most = 1 << 20, .now_s = BEGAN_S});
    ck_assert_ptr_nonnull(stand.questions);
}

static void tear_down(void)
{
    replay_free(stand.replay);
    questions_free(stand.questions);
    if (stand.flowing.flows != NULL)
        flowing_close(&stand.flowing);
    snapshot_free(stand.before);
    snapshot_free(stand.after);
}

FIXTURE(set_up, tear_down)

/* zones/test-space.yaml with some words replaced; each occurs. */
static struct snapshot *edited(const struct policy *policy, const char *const edits[][2])
{
    char *text = zone_text("zones/test-space.yaml");

    for (size_t i = 0; i < EDITS && edits != NULL && edits[i][0] != NULL; i++) {
        char *at = strstr(text, edits[i][0]), *next = NULL;
        ck_assert_msg(at != NULL, "%s is not there", edits[i][0]);
        ck_assert_int_gt(asprintf(&next, "%.*s%s%s", (int)(at - text), text, edits[i][1],
                                  at + strlen(edits[i][0])),
                         0);
        free(text);
        text = next;
    }
    const char *zones = text;
    struct snapshot *snapshot = snapshot_of_texts(policy, &zones, 1);
    free(text);
    return snapshot;
}

static void begin(void)
{
    stand.before = edited(&stand.policies[0], NULL);
    flowing_init(&stand.flowing, stand.before);
}

static void ask(const char *from, const char *name, uint16_t type, unsigned count)
{
    flowing_reply(&stand.flowing, from, name, type, count);
}

/* Everybody who can be told apart, so that whoever should not be named may be. */
static void ask_all(void)
{
    ask("10.0.132.9", oasis, TYPE_A, 3);
    ask("10.0.132.9", oasis, TYPE_AAAA, 2);
    ask("10.0.144.9", "api.example.com", TYPE_A, 4);
    ask("10.20.3.4", "api.example.com", TYPE_A, 5);
    ask("10.20.3.5", "x.apps.example.com", TYPE_A, 6);
    ask("172.16.9.9", oasis, TYPE_A, 7);
    ask("10.0.132.9", "sleepy.example.com", TYPE_A, 8);
    ask("10.0.132.9", "web.frozen-oasis-70544.app.localspace", TYPE_A, 9);
    ask("10.0.132.9", "_http._tcp.web.frozen-oasis-70544.app.localspace", TYPE_SRV, 10);
    ask("10.0.132.9", "56.130.0.10.in-addr.arpa", TYPE_PTR, 11);
    ask("10.0.132.9", "www.example.org", TYPE_A, 12);
    ask("10.0.132.9", "a.b.example.info", TYPE_A, 13);
    ask("10.0.132.9", "db.corp.example", TYPE_A, 14);
    ask("203.0.113.9", "api.example.com", TYPE_A, 15);
    ask("203.0.113.10", "www.example.org", TYPE_A, 16);
    ask("10.0.132.9", "_whoami.localspace", TYPE_TXT, 17);
    ask("10.0.132.9", "api.example.com", TYPE_SOA, 18);
}

static void add(const char *text)
{
    size_t used = strlen(stand.lines);

    ck_assert_uint_lt(used + strlen(text) + 1, TEXT_MOST);
    strcpy(stand.lines + used, text); // NOLINT: measured
}

/* "test-space/frozen-oasis-70544 peering/pcx-111aaa111 10.20.3.4,10.20.3.5 11 Q14 instead of ..."
 */
static void add_group(const struct replay_group *group)
{
    char line[1024], change[CHANGE_MOST] = "", address[CIDR_TEXT_MAX];
    struct text text = text_over(change, sizeof change - 1);

    replay_answer_add_change(&text, group->difference, &group->before, &group->after);
    snprintf(line, sizeof line, "%s/%s %s/%s", group->space == NULL ? "" : group->space,
             group->app == NULL ? "" : group->app, party_kind_text(group->who),
             group->who_name == NULL ? "" : group->who_name);
    add(line);
    ck_assert_uint_eq(group->clients, group->shown_clients);
    for (uint32_t i = 0; i < group->shown_clients; i++) {
        ipv4_write(group->addresses[i], address);
        add(i == 0 ? " " : ",");
        add(address);
    }
    snprintf(line, sizeof line, " %llu %s\n", (unsigned long long)group->count, change);
    add(line);
}

static void replay(void)
{
    const struct flow_table *table = flowing_take(&stand.flowing);

    if (table != NULL) {
        questions_add(stand.questions, table, (int64_t)BEGAN_S * 1000);
        flows_return(stand.flowing.flows);
    }
    stand.replay = replay_new(stand.questions, stand.before, stand.after);
    ck_assert_ptr_nonnull(stand.replay);
    for (size_t i = 0; i < stand.replay->count; i++)
        add_group(stand.replay->groups[i]);
}

static void replay_edited(const char *const edits[][2])
{
    stand.after = edited(&stand.policies[1], edits);
    replay();
}

/* ---- what an edit changes, and for whom ---- */

static const struct {
    const char *const edits[EDITS][2];
    const char *lines;
} changes[] = {
    {{{NULL, NULL}}, ""},
    {{{"private_ip: 10.0.132.9, state: up", "private_ip: 10.0.132.9, state: up, "}}, ""},
    {{{"[10.0.0.37, 10.0.16.21]", "[10.0.16.21, 10.0.0.37]"}}, ""},
    {{{"routers: [10.0.0.37, 10.0.16.21]", "routers: [10.0.0.37, 10.0.16.21, 10.0.0.99]"}},
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 3 3 addresses instead of 2 "
     "addresses\n"
     "test-space/frozen-oasis-70544 vpn/office 172.16.9.9 7 3 addresses instead of 2 addresses\n"
     "test-space/frozen-oasis-70544 peering/pcx-111aaa111 10.20.3.4,10.20.3.5 11 3 addresses with "
     "Q40 instead of 2 addresses with Q40\n"
     "test-space/frozen-oasis-70544 space/ 10.0.144.9 4 3 addresses instead of 2 addresses\n"},
    {{{"10.0.130.56, state: up", "10.0.130.56, state: crashed"},
      {"10.0.151.218, state: up", "10.0.151.218, state: crashed"}},
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 18 Q10 instead of 2 records\n"
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 11 NXDOMAIN with Q25 instead of "
     "1 record\n"
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 10 Q24 instead of 2 records\n"
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 9 Q24 instead of 2 addresses\n"
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 3 Q10 instead of 2 addresses\n"
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 2 Q10 instead of no record\n"
     "test-space/frozen-oasis-70544 vpn/office 172.16.9.9 7 Q10 instead of 2 addresses\n"
     "test-space/frozen-oasis-70544 peering/pcx-111aaa111 10.20.3.4,10.20.3.5 11 Q10 instead of 2 "
     "addresses with Q40\n"
     "test-space/frozen-oasis-70544 space/ 10.0.144.9 4 Q10 instead of 2 addresses\n"},
    {{{"10.0.131.7, state: crashed", "10.0.131.7, state: up"}},
     "test-space/sleepy-river-2739 app/open-plain-1001 10.0.132.9 8 2 addresses instead of Q10\n"},
    {{{"pcx-111aaa111, status: active", "pcx-111aaa111, status: expired"}},
     "test-space/frozen-oasis-70544 peering/pcx-111aaa111 10.20.3.4,10.20.3.5 11 REFUSED with Q18 "
     "instead of 2 addresses with Q40\n"},
    {{{"cidr_blocks: [10.20.0.0/16]", "cidr_blocks: [10.20.3.4/31]"}}, ""},
    {{{"cidr_blocks: [10.20.0.0/16]", "cidr_blocks: [10.20.3.4/32]"}},
     "test-space/frozen-oasis-70544 peering/pcx-111aaa111 10.20.3.5 6 REFUSED with Q18 instead of "
     "2 addresses with Q40\n"},
    /* A domain moves to another app; it is the same space's, so its addresses are the same. */
    {{{"      - {hostname: api.example.com, cname: "
       "random-haiku-5196.also-random-3847.herokuspace.com}\n",
       ""},
      {"domains: [{hostname: sleepy.example.com,",
       "domains: [{hostname: api.example.com, cname: new-haiku-1.also-random-3847.herokuspace.com},"
       " {hostname: sleepy.example.com,"}},
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 18 Q10 instead of 2 records\n"
     "test-space/frozen-oasis-70544 peering/pcx-111aaa111 10.20.3.4 5 Q10 instead of 2 addresses "
     "with Q40\n"
     "test-space/frozen-oasis-70544 space/ 10.0.144.9 4 Q10 instead of 2 addresses\n"},
    /* Names of others are taken over. */
    {{{"      - {hostname: example.net,",
       "      - {hostname: www.example.org, cname: new-haiku-1.also-random-3847.herokuspace.com}\n"
       "      - {hostname: \"*.example.info\", cname: "
       "new-haiku-2.also-random-3847.herokuspace.com}\n"
       "      - {hostname: example.net,"}},
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 25 2 addresses instead of an "
     "upstream's answer\n"},
    {{{"apps:\n", "records: [\"y.b.example.info. 60 IN A 172.23.1.5\"]\napps:\n"}}, ""},
    {{{"apps:\n", "records: [\"y.a.b.example.info. 60 IN A 172.23.1.5\"]\napps:\n"}},
     "test-space/ app/open-plain-1001 10.0.132.9 13 no record instead of an upstream's answer\n"},
    {{{"data_cidr:", "ttl: {router: 60}\ndata_cidr:"}},
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 18 the same with other TTLs\n"
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 3 the same with TTL 60 instead "
     "of 30\n"
     "test-space/frozen-oasis-70544 vpn/office 172.16.9.9 7 the same with TTL 60 instead of 30\n"
     "test-space/frozen-oasis-70544 peering/pcx-111aaa111 10.20.3.4,10.20.3.5 11 the same with TTL "
     "60 instead of 30\n"
     "test-space/frozen-oasis-70544 space/ 10.0.144.9 4 the same with TTL 60 instead of 30\n"},
    /* The names that SRV records lead to stay, their addresses do not. */
    {{{"private_ip: 10.0.130.56, state: up", "private_ip: 10.0.130.57, state: up"}},
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 11 NXDOMAIN with Q25 instead of "
     "1 record\n"
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 10 2 other records\n"
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 9 2 other addresses\n"},
    {{{"ports: {http: 8080}", "ports: {http: 8081}"}},
     "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 10 2 other records\n"},
};

TEST_OVER(an_edit_names_the_clients_that_it_changes_something_for, changes)
{
    begin();
    ask_all();
    replay_edited(changes[_i].edits);

    ck_assert_str_eq(stand.lines, changes[_i].lines);
    ck_assert_uint_eq(stand.replay->asked.count, 170);
    ck_assert_uint_eq(stand.replay->asked.clients, 6); /* outside is one */
    ck_assert_uint_eq(stand.replay->outside, 31);
}

TEST(a_group_has_the_first_and_the_last_time)
{
    static const char *const edits[EDITS][2] = {{"status: active", "status: expired"}};

    begin();
    flowing_at(&stand.flowing, 10000);
    ask("10.20.3.4", "api.example.com", TYPE_A, 1);
    flowing_at(&stand.flowing, 17000);
    ask("10.20.3.5", "api.example.com", TYPE_A, 1);
    flowing_at(&stand.flowing, 12000);
    ask("10.20.3.6", "api.example.com", TYPE_A, 1);
    replay_edited(edits);

    ck_assert_uint_eq(stand.replay->count, 1);
    ck_assert_uint_eq(stand.replay->groups[0]->first_s, BEGAN_S);
    ck_assert_uint_eq(stand.replay->groups[0]->last_s, BEGAN_S + 7);
}

TEST(other_ttls_are_grouped_by_what_they_are)
{
    static const char *const edits[EDITS][2] = {
        {"data_cidr:", "ttl: {router: 60, dyno: 20}\ndata_cidr:"}};

    begin();
    ask("10.0.132.9", oasis, TYPE_A, 3);
    ask("10.0.132.9", "web.frozen-oasis-70544.app.localspace", TYPE_A, 4);
    replay_edited(edits);

    ck_assert_str_eq(stand.lines, "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 4 "
                                  "the same with TTL 20 instead of 10\n"
                                  "test-space/frozen-oasis-70544 app/open-plain-1001 10.0.132.9 3 "
                                  "the same with TTL 60 instead of 30\n");
}

TEST(the_names_of_a_group_are_sorted_and_bounded)
{
    static const char *const edits[EDITS][2] = {{"status: active", "status: expired"}};
    char name[64];

    begin();
    for (unsigned i = 0; i <= REPLAY_NAMES_SHOWN; i++) {
        snprintf(name, sizeof name, "x%02u.apps.example.com", i);
        ask("10.20.3.4", name, TYPE_A, 1);
        ask("10.20.3.4", name, TYPE_A, 1);
    }
    replay_edited(edits);

    const struct replay_group *group = stand.replay->groups[0];
    ck_assert_uint_eq(group->shown_names, REPLAY_NAMES_SHOWN);
    ck_assert(group->has_more_names);
    ck_assert_str_eq(group->names[0].text, "x01.apps.example.com");
    ck_assert_str_eq(group->names[REPLAY_NAMES_SHOWN - 1].text, "x16.apps.example.com");
    ck_assert_uint_eq(group->count, 2 * (REPLAY_NAMES_SHOWN + 1));
}

/* ---- settings ---- */

TEST(other_upstreams_change_what_is_asked_of_them)
{
    static struct route items[2];

    begin();
    ask_all();
    items[0] = stand.policies[0].routes.items[0];
    items[1] = stand.policies[0].routes.items[1];
    items[0].upstreams = "192.168.7.54";
    stand.policies[1].routes.items = items;
    replay_edited(NULL);

    ck_assert_str_eq(stand.lines,
                     "/ app/open-plain-1001 10.0.132.9 14 the answer of other upstreams\n");
    ck_assert_str_eq(stand.replay->groups[0]->names[0].text, "*.corp.example");
}

TEST(without_recursion_names_of_others_are_refused)
{
    begin();
    ask_all();
    stand.policies[1].recursion_for.all = 0;
    replay_edited(NULL);

    ck_assert_str_eq(stand.lines, "/ app/open-plain-1001 10.0.132.9 39 REFUSED with Q20 instead "
                                  "of an upstream's answer\n");
    ck_assert_uint_eq(stand.replay->groups[0]->shown_names, 2); /* those of no zone look alike */
}

TEST(clients_outside_are_tried_without_their_address)
{
    begin();
    ask_all();
    stand.policies[1].external_nxdomain = true;
    replay_edited(NULL);

    ck_assert_str_eq(stand.lines,
                     "/ outside/ 0.0.0.0 31 NXDOMAIN with Q18 instead of REFUSED with Q18\n");
    ck_assert_uint_eq(stand.replay->groups[0]->shown_names, 0);
}

/* ---- bounds ---- */

TEST(questions_of_more_groups_than_are_listed_are_counted)
{
    char *zone = malloc(256UL * MANY + 1024);
    size_t used = 0;
    char name[64];
    const char *zones = zone;

    ck_assert_ptr_nonnull(zone);
    used += (size_t)sprintf(zone, "space: one\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\napps:\n");
    for (unsigned i = 0; i < MANY; i++)
        used += (size_t)sprintf(
            zone + used,
            "  - {name: app-%u, internal_routing: true, formation: {web: {dynos: [{number: 1, "
            "private_ip: 10.0.%u.%u, state: up}]}}}\n",
            i, 128 + i / 200, 1 + i % 200);
    stand.before = snapshot_of_texts(&stand.policies[0], &zones, 1);
    memcpy(strstr(zone, "10.0.0.37"), "10.0.0.38", 9);
    stand.after = snapshot_of_texts(&stand.policies[1], &zones, 1);
    flowing_init(&stand.flowing, stand.before);
    questions_free(stand.questions);
    stand.questions = questions_new(
        &(struct questions_options){.most = MANY, .octets_most = 1 << 24, .now_s = BEGAN_S});
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "app-%u.herokuapp.com", i);
        ask("10.0.200.1", name, TYPE_A, 2);
    }
    const struct flow_table *table = flowing_take(&stand.flowing);
    questions_add(stand.questions, table, (int64_t)BEGAN_S * 1000);
    flows_return(stand.flowing.flows);
    stand.replay = replay_new(stand.questions, stand.before, stand.after);

    ck_assert_ptr_nonnull(stand.replay);
    ck_assert_uint_eq(stand.replay->count, REPLAY_GROUPS_MOST);
    ck_assert_uint_eq(stand.replay->left_out, 2UL * (MANY - REPLAY_GROUPS_MOST));
    ck_assert_uint_eq(stand.replay->changed.count, 2UL * MANY);
    ck_assert_uint_eq(stand.replay->changed.clients, 1);
    free(zone);
}

/* ---- memory ---- */

TEST(without_memory_there_is_no_replay)
{
    static const char *const edits[EDITS][2] = {{"status: active", "status: expired"}};
    size_t failures = 0;

    begin();
    ask_all();
    replay_edited(edits);
    ck_assert_uint_eq(stand.replay->count, 1);
    do {
        replay_free(stand.replay);
        allocations_fail(++failures);
        stand.replay = replay_new(stand.questions, stand.before, stand.after);
        allocations_fail(0);
    } while (stand.replay == NULL);

    ck_assert_uint_gt(failures, 5);
    ck_assert_uint_eq(stand.replay->changed.count, 11);
}

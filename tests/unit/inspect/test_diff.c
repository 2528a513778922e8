#include "inspect/diff.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/diff_print.h"
#include "support/recursion.h"
#include "support/suite.h"
#include "support/zones.h"

enum { TEXT_MOST = 16384 };

static const struct diff_options options = {.changes_most = DIFF_CHANGES_MOST,
                                            .guard_share_percent = 10};

/* Two snapshots and the printed difference. */
static struct {
    struct policy policy;
    struct snapshot *before;
    struct snapshot *after;
    struct diff *diff;
    char lines[TEXT_MOST];
} stand;

static void set_up(void)
{
    memset(&stand, 0, sizeof stand);
    stand.policy = policy_usual();
}

static void tear_down(void)
{
    diff_free(stand.diff);
    snapshot_free(stand.before);
    snapshot_free(stand.after);
}

static void on_line(void *context, const char *line)
{
    size_t used = strlen(stand.lines);

    (void)context;
    ck_assert_uint_lt(used + strlen(line) + 1, TEXT_MOST);
    snprintf(stand.lines + used, TEXT_MOST - used, "%s\n", line);
}

static void compare(const char *before, const char *after)
{
    stand.before = snapshot_of_texts(&stand.policy, &before, 1);
    stand.after = snapshot_of_texts(&stand.policy, &after, 1);
    stand.diff = diff_new(stand.before, stand.after, &options);
    ck_assert_ptr_nonnull(stand.diff);
    diff_print(stand.diff, on_line, NULL);
}

/* zones/test-space.yaml with some words replaced; each occurs once. */
static void compare_edited(const char *const edits[][2], size_t count)
{
    char *before = zone_text("zones/test-space.yaml"), *after = strdup(before);

    for (size_t i = 0; i < count; i++) {
        char *at = strstr(after, edits[i][0]);
        ck_assert_msg(at != NULL, "%s is not there", edits[i][0]);
        size_t head = (size_t)(at - after), cut = strlen(edits[i][0]);
        char *next = NULL;
        ck_assert_int_gt(asprintf(&next, "%.*s%s%s", (int)head, after, edits[i][1], at + cut), 0);
        free(after);
        after = next;
    }
    compare(before, after);
    free(before);
    free(after);
}

#define SPACE                                                                                      \
    "space: small\ncidr: 10.4.0.0/16\nrouters: [10.4.0.37]\n"                                      \
    "peerings: [{pcx_id: pcx-1, status: active, cidr_blocks: [10.40.0.0/16]}]\n"                   \
    "apps:\n"
#define CALM "  - {name: calm-sea-1, internal_routing: true, formation: {web: {dynos: [%s]}}}\n"
#define ONE "{number: 1, private_ip: 10.4.128.9}"
#define DOWN "{number: 1, private_ip: 10.4.128.9, state: crashed}"

static void compare_apps(const char *before, const char *after)
{
    char texts[2][4096];

    snprintf(texts[0], sizeof texts[0], SPACE "%s", before);
    snprintf(texts[1], sizeof texts[1], SPACE "%s", after);
    compare(texts[0], texts[1]);
}

static const char *app(const char *dynos)
{
    static char texts[4][512];
    static unsigned next;
    char *text = texts[next++ % 4];

    snprintf(text, sizeof texts[0], CALM, dynos);
    return text;
}

FIXTURE(set_up, tear_down)

TEST(the_same_zones_change_nothing)
{
    compare_edited(NULL, 0);
    ck_assert(!diff_has_changes(stand.diff));
    ck_assert(!diff_is_refused(stand.diff));
    ck_assert_str_eq(stand.lines, "no answer changes\n");
}

/* The order of a name's addresses does not matter; the order of routers decides their names. */
TEST(the_order_of_routers_changes_only_their_names)
{
    static const char *const edits[][2] = {{"[10.0.0.37, 10.0.16.21]", "[10.0.16.21, 10.0.0.37]"}};

    compare_edited(edits, 1);
    ck_assert_str_eq(stand.lines,
                     "space test-space: no other addresses, but names of routers (A, PTR)\n");
}

TEST(a_router_less_changes_the_addresses_of_every_host)
{
    static const char *const edits[][2] = {
        {"[10.0.0.37, 10.0.16.21]", "[10.0.0.37, {ip: 10.0.16.21, state: draining}]"}};

    compare_edited(edits, 1);
    ck_assert_uint_eq(stand.diff->classes[CLIENT_SPACE].counts[DIFF_ADDRESSES], 7);
    ck_assert_uint_eq(stand.diff->classes[CLIENT_VPN].counts[DIFF_ADDRESSES], 7);
    ck_assert_uint_eq(stand.diff->change_count, 7);
    ck_assert(!diff_is_refused(stand.diff));
    ck_assert_ptr_nonnull(strstr(stand.lines, "  ~ *.apps.example.com (space, peered, vpn): "
                                              "10.0.0.37 10.0.16.21 -> 10.0.0.37\n"));
}

TEST(an_app_that_appears_is_printed_by_class)
{
    compare_apps("  []\n", app(ONE));
    ck_assert_str_eq(
        stand.lines,
        "space small, app calm-sea-1\n"
        "  + calm-sea-1.herokuapp.com (space, peered): 10.4.0.37\n"
        "  + web.calm-sea-1.app.localspace (space): 10.4.128.9\n"
        "space: 2 appear, 0 vanish, 0 change code, 0 change addresses, of 0 names\n"
        "peered: 1 appears, 0 vanish, 0 change code, 0 change addresses, of 0 names\n");
    ck_assert(!diff_is_refused(stand.diff));
}

TEST(scaling_to_zero_is_printed_and_not_refused)
{
    struct err err;

    compare_apps(app(ONE), app(DOWN));
    ck_assert_str_eq(stand.lines,
                     "space small, app calm-sea-1\n"
                     "  ~ calm-sea-1.herokuapp.com (space, peered): 10.4.0.37 -> no address, Q10\n"
                     "  ~ web.calm-sea-1.app.localspace (space): 10.4.128.9 -> no address, Q24\n"
                     "space: 0 appear, 0 vanish, 2 change code, 0 change addresses, of 2 names\n"
                     "peered: 0 appear, 0 vanish, 1 changes code, 0 change addresses, of 1 name\n");
    ck_assert(!diff_is_refused(stand.diff));
    ck_assert(diff_guard(stand.diff, &err));
}

TEST(an_app_without_addresses_has_none_to_lose)
{
    struct err err;

    compare_apps(app(DOWN), app("{number: 1, private_ip: 10.4.128.9, state: down}"));
    ck_assert_uint_eq(stand.diff->classes[CLIENT_SPACE].counts[DIFF_CODE], 1);
    ck_assert_ptr_nonnull(strstr(stand.lines, "no address, Q10 -> no address, Q14"));
    ck_assert(diff_guard(stand.diff, &err));
}

/* An edit of test-space that no name of the space shows, and the printed change. */
static const struct {
    const char *edit[2];
    const char *lines;
} quiet_edits[] = {
    {{"status: pending-acceptance", "status: active"},
     "access\n"
     "  + 10.30.0.0/16 becomes inside of test-space (peered, pcx-222bbb222): 65536 addresses\n"},
    {{"{name: branch, status: failed,", "{name: \"b\\e[2J\\x9b\\u202e\", status: active,"},
     "access\n"
     "  + 192.168.7.0/24 becomes inside of test-space (vpn, b\\x1b[2J\\xc2\\x9b"
     "<U+202E right-to-left override>): 256 addresses\n"},
    {{"routable_cidrs: [172.16.0.0/16]", "routable_cidrs: [172.16.0.0/24]"},
     "access\n"
     "  - 172.16.1.0-172.16.255.255 ceases to be inside of test-space (vpn, office): 65280 "
     "addresses\n"},
    {{"cidr_blocks: [10.20.0.0/16]", "cidr_blocks: [10.20.0.0/16, 10.21.0.7/32]"},
     "access\n"
     "  + 10.21.0.7/32 becomes inside of test-space (peered, pcx-111aaa111): 1 address\n"},
    {{"cidr: 10.0.0.0/16", "cidr: 10.0.0.0/16\nttl: {router: 5}"},
     "space test-space\n  ~ ttl.router: 30 -> 5\n"},
    {{"dyno_cidrs: [10.0.128.0/20,", "affinity: only\ndyno_cidrs: [{cidr: 10.0.128.0/20, az: a},"},
     "space test-space\n  ~ affinity: none -> only\n"},
    {{"{number: 1, private_ip: 10.0.131.7, state: crashed}",
      "{number: 3, private_ip: 10.0.131.7, state: crashed}"},
     "space test-space: no other addresses, but names of single dynos (A, PTR)\n"},
    {{"ports: {http: 8080}", "ports: {http: 8081}"},
     "space test-space: no other addresses, but ports (SRV)\n"},
};

TEST_OVER(an_edit_that_no_name_shows_is_printed, quiet_edits)
{
    compare_edited(&quiet_edits[_i].edit, 1);
    ck_assert_str_eq(stand.lines, quiet_edits[_i].lines);
    ck_assert(diff_has_changes(stand.diff));
    ck_assert(!diff_is_refused(stand.diff));
}

TEST(a_comment_changes_nothing)
{
    static const char *const edits[][2] = {{"cidr: 10.0.0.0/16", "\ncidr: 10.0.0.0/16 # ours"}};

    compare_edited(edits, 1);
    ck_assert_str_eq(stand.lines, "no answer changes\n");
}

TEST(a_class_that_goes_loses_its_names)
{
    static const char *const edits[][2] = {{"status: UP", "status: DOWN"}};

    compare_edited(edits, 1);
    ck_assert_uint_eq(stand.diff->classes[CLIENT_VPN].counts[DIFF_VANISHES], 10);
    ck_assert_uint_eq(stand.diff->classes[CLIENT_SPACE].counts[DIFF_VANISHES], 0);
    ck_assert_ptr_nonnull(strstr(
        stand.lines,
        "  - 172.16.0.0/16 ceases to be inside of test-space (vpn, office): 65536 addresses\n"));
}

TEST(static_records_are_compared_as_a_whole)
{
    static const char head[] = "space: small\ncidr: 10.4.0.0/16\nrecords:\n"
                               "  - \"db.corp.example. 60 IN A 10.4.1.5\"\n";
    char before[512], after[512];

    snprintf(before, sizeof before, "%s  - 'db.corp.example. 60 IN TXT \"one\"'\n", head);
    snprintf(after, sizeof after, "%s  - 'db.corp.example. 60 IN TXT \"two\"'\n", head);
    compare(before, after);
    ck_assert_ptr_nonnull(strstr(stand.lines, "space small, static records\n"
                                              "  ~ db.corp.example (space): 10.4.1.5 -> 10.4.1.5, "
                                              "other records\n"));
}

TEST(another_policy_answers_the_same_files_differently)
{
    struct policy policy = policy_usual();
    char *text = zone_text("zones/test-space.yaml");
    const char *texts[] = {text};
    struct snapshot *before = snapshot_of_texts(&policy, texts, 1);
    struct snapshot *after = snapshot_of_texts(&policy, texts, 1);

    after->policy.localspace_to = 1U << CLIENT_VPN;
    stand.diff = diff_new(before, after, &options);
    ck_assert_ptr_nonnull(stand.diff);
    ck_assert_uint_gt(stand.diff->classes[CLIENT_SPACE].counts[DIFF_VANISHES], 0);
    ck_assert_uint_gt(stand.diff->classes[CLIENT_VPN].counts[DIFF_APPEARS], 0);
    ck_assert_uint_eq(stand.diff->classes[CLIENT_PEERED].counts[DIFF_VANISHES], 0);
    diff_print(stand.diff, on_line, NULL);
    ck_assert_ptr_nonnull(strstr(stand.lines, "settings\n  ~ localspace_to: space -> vpn\n"));
    snapshot_free(before);
    snapshot_free(after);
    free(text);
}

/* Who gains or loses which suffixes is told by class. */
static const struct {
    const char *before, *after, *lines;
} recursions[] = {
    {"[space]", "[space, vpn]", "settings\n  ~ recursion_for: space -> space,vpn\n"},
    {"[space]", "{space: all, peered: [a.b, c.d]}",
     "settings\n  ~ recursion_for.peered: none -> a.b, c.d\n"},
    {"{space: all, peered: [a.b]}", "{space: [a.b], peered: all}",
     "settings\n  ~ recursion_for.space: all -> a.b\n  ~ recursion_for.peered: a.b -> all\n"},
    {"{vpn: [a.b, c.d]}", "{vpn: [c.d]}", "settings\n  ~ recursion_for.vpn: a.b, c.d -> c.d\n"},
};

TEST_OVER(a_class_that_gains_or_loses_suffixes_is_listed, recursions)
{
    struct policy policy = policy_usual();
    const char *text = "space: small\ncidr: 10.4.0.0/16\n";
    struct snapshot *before = snapshot_of_texts(&policy, &text, 1);
    struct snapshot *after = snapshot_of_texts(&policy, &text, 1);

    before->policy.recursion_for = recursion_of(recursions[_i].before);
    after->policy.recursion_for = recursion_of(recursions[_i].after);
    stand.diff = diff_new(before, after, &options);
    diff_print(stand.diff, on_line, NULL);
    ck_assert_msg(strstr(stand.lines, recursions[_i].lines) != NULL, "%s", stand.lines);
    snapshot_free(before);
    snapshot_free(after);
}

TEST(a_space_that_goes_takes_its_names_along)
{
    const char *before[2] = {SPACE
                             "  - {name: calm-sea-1, internal_routing: true, formation: {web: "
                             "{dynos: [{number: 1, private_ip: 10.4.128.9}]}}}\n",
                             "space: other\ncidr: 10.5.0.0/16\n"};

    stand.before = snapshot_of_texts(&stand.policy, before, 2);
    stand.after = snapshot_of_texts(&stand.policy, before + 1, 1);
    stand.diff = diff_new(stand.before, stand.after, &options);
    ck_assert_uint_eq(stand.diff->classes[CLIENT_SPACE].counts[DIFF_VANISHES], 2);
    ck_assert(diff_is_refused(stand.diff));
}

TEST(changes_beyond_the_limit_are_counted)
{
    static const char *const edits[][2] = {{"[10.0.0.37, 10.0.16.21]", "[10.0.0.37]"}};

    compare_edited(edits, 1);
    diff_free(stand.diff);
    stand.diff = diff_new(stand.before, stand.after,
                          &(struct diff_options){.changes_most = 2, .guard_share_percent = 10});
    ck_assert_uint_eq(stand.diff->change_count, 2);
    ck_assert_uint_gt(stand.diff->left_out, 0);
    ck_assert_uint_eq(stand.diff->classes[CLIENT_SPACE].counts[DIFF_ADDRESSES], 7);
}

/* The difference as JSON without blanks; free() it. */
static char *compact_json(void)
{
    char *indented = diff_to_json(stand.diff);

    ck_assert_ptr_nonnull(strstr(indented, "{\n  \"refused\": "));
    json_t *root = json_loads(indented, 0, NULL);
    char *compact = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    free(indented);
    return compact;
}

TEST(json_has_the_same_changes)
{
    compare_apps(app(ONE), app(DOWN));
    char *json = compact_json();
    ck_assert_ptr_nonnull(strstr(
        json, "{\"space\":\"small\",\"app\":\"calm-sea-1\",\"name\":\"calm-sea-1.herokuapp.com\","
              "\"change\":\"code\",\"classes\":[\"space\",\"peered\"],"
              "\"before\":{\"reason\":null,\"addresses\":[\"10.4.0.37\"]},"
              "\"after\":{\"reason\":\"Q10\",\"addresses\":[]}}"));
    ck_assert_ptr_nonnull(strstr(json, "{\"refused\":false,"));
    free(json);
}

TEST(json_has_the_access_changes_and_the_refusals)
{
    const char *before[2] = {SPACE "  []\n", "space: other\ncidr: 10.5.0.0/16\n"};
    const char *after[1] = {"space: small\ncidr: 10.4.0.0/16\nrouters: [10.4.0.37]\napps: []\n"};

    stand.before = snapshot_of_texts(&stand.policy, before, 2);
    stand.after = snapshot_of_texts(&stand.policy, after, 1);
    stand.diff = diff_new(stand.before, stand.after, &options);
    char *json = compact_json();
    ck_assert_ptr_nonnull(
        strstr(json, "{\"space\":\"small\",\"change\":\"outside\",\"class\":\"peered\","
                     "\"connection\":\"pcx-1\",\"first\":\"10.40.0.0\",\"last\":\"10.40.255.255\","
                     "\"addresses\":65536,\"asked_at\":null}"));
    ck_assert_ptr_nonnull(strstr(json, "\"guard\":[{\"cause\":\"space\",\"space\":\"other\","
                                       "\"gone\":0,\"of\":0,\"names\":\"\"}]"));
    ck_assert_ptr_nonnull(strstr(json, "{\"refused\":true,"));
    free(json);
}

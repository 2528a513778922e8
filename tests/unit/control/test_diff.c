#include "control/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/diff_tell.h"
#include "support/suite.h"
#include "support/zones.h"

enum { TEXT_MOST = 16384 };

/* Two snapshots and what is told of them. */
static struct {
    struct policy policy;
    struct snapshot *before;
    struct snapshot *after;
    struct diff *diff;
    char told[TEXT_MOST];
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
    size_t used = strlen(stand.told);

    (void)context;
    ck_assert_uint_lt(used + strlen(line) + 1, TEXT_MOST);
    snprintf(stand.told + used, TEXT_MOST - used, "%s\n", line);
}

static void compare(const char *before, const char *after)
{
    stand.before = snapshot_of_texts(&stand.policy, &before, 1);
    stand.after = snapshot_of_texts(&stand.policy, &after, 1);
    stand.diff = diff_new(stand.before, stand.after, DIFF_CHANGES_MOST);
    ck_assert_ptr_nonnull(stand.diff);
    diff_tell(stand.diff, on_line, NULL);
}

/* zones/test-space.yaml after some words, each once there, were replaced. */
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

START_TEST(the_same_zones_change_nothing)
{
    compare_edited(NULL, 0);
    ck_assert(!diff_has_changes(stand.diff));
    ck_assert(!diff_is_refused(stand.diff));
    ck_assert_str_eq(stand.told, "no answer changes\n");
}
END_TEST

START_TEST(the_order_of_addresses_and_records_does_not_matter)
{
    static const char *const edits[][2] = {{"[10.0.0.37, 10.0.16.21]", "[10.0.16.21, 10.0.0.37]"}};

    compare_edited(edits, 1);
    ck_assert(!diff_has_changes(stand.diff));
}
END_TEST

START_TEST(a_router_less_changes_the_addresses_of_every_host)
{
    static const char *const edits[][2] = {
        {"[10.0.0.37, 10.0.16.21]", "[10.0.0.37, {ip: 10.0.16.21, state: draining}]"}};

    compare_edited(edits, 1);
    ck_assert_uint_eq(stand.diff->classes[CLASS_SPACE].counts[DIFF_ADDRESSES], 7);
    ck_assert_uint_eq(stand.diff->classes[CLASS_VPN].counts[DIFF_ADDRESSES], 7);
    ck_assert_uint_eq(stand.diff->change_count, 7);
    ck_assert(!diff_is_refused(stand.diff));
    ck_assert_ptr_nonnull(strstr(stand.told, "  ~ *.apps.example.com (space, peered, vpn): "
                                             "10.0.0.37 10.0.16.21 -> 10.0.0.37\n"));
}
END_TEST

START_TEST(an_app_that_appears_is_told_by_class)
{
    compare_apps("  []\n", app(ONE));
    ck_assert_str_eq(
        stand.told, "space small, app calm-sea-1\n"
                    "  + calm-sea-1.herokuapp.com (space, peered): 10.4.0.37\n"
                    "  + web.calm-sea-1.app.localspace (space): 10.4.128.9\n"
                    "space: 2 appear, 0 vanish, 0 change code, 0 change addresses, of 0 names\n"
                    "peered: 1 appears, 0 vanish, 0 change code, 0 change addresses, of 0 names\n");
    ck_assert(!diff_is_refused(stand.diff));
}
END_TEST

START_TEST(the_guard_refuses_to_empty_an_app)
{
    struct err err;

    compare_apps(app(ONE), app(DOWN));
    ck_assert_str_eq(stand.told,
                     "space small, app calm-sea-1\n"
                     "  ~ calm-sea-1.herokuapp.com (space, peered): 10.4.0.37 -> no address, Q10\n"
                     "  ~ web.calm-sea-1.app.localspace (space): 10.4.128.9 -> no address, Q24\n"
                     "space: 0 appear, 0 vanish, 2 change code, 0 change addresses, of 2 names\n"
                     "peered: 0 appear, 0 vanish, 1 changes code, 0 change addresses, of 1 name\n"
                     "guard: app calm-sea-1 of space small loses all its addresses (1 name)\n");
    ck_assert(diff_is_refused(stand.diff));
    ck_assert(!diff_guard(stand.diff, &err));
    ck_assert_str_eq(err.text, "app calm-sea-1 of space small loses all its addresses (1 name)");
}
END_TEST

START_TEST(an_app_without_addresses_has_none_to_lose)
{
    struct err err;

    compare_apps(app(DOWN), app("{number: 1, private_ip: 10.4.128.9, state: down}"));
    ck_assert_uint_eq(stand.diff->classes[CLASS_SPACE].counts[DIFF_CODE], 1);
    ck_assert_ptr_nonnull(strstr(stand.told, "no address, Q10 -> no address, Q14"));
    ck_assert(diff_guard(stand.diff, &err));
}
END_TEST

/* Workers alone keep no internal app alive, and are all that another app has. */
START_TEST(what_an_app_loses_depends_on_how_it_is_reached)
{
    static const char *const edits[][2] = {{"10.0.130.56, state: up", "10.0.130.56, state: down"},
                                           {"10.0.151.218, state: up", "10.0.151.218, state: down"},
                                           {"10.0.132.9, state: up", "10.0.132.9, state: down"}};
    struct err err;

    compare_edited(edits, 3);
    ck_assert_uint_eq(stand.diff->lost_count, 2);
    ck_assert_str_eq(stand.diff->lost[0].app, "frozen-oasis-70544");
    ck_assert_uint_eq(stand.diff->lost[0].names, 7);
    ck_assert_str_eq(stand.diff->lost[1].app, "open-plain-1001");
    ck_assert_uint_eq(stand.diff->lost[1].names, 1);
    ck_assert(!diff_guard(stand.diff, &err));
    ck_assert_str_eq(err.text, "app frozen-oasis-70544 of space test-space loses all its addresses "
                               "(7 names), as does 1 more app");
}
END_TEST

/* An app of many process types, and how many of them go. */
static const struct {
    unsigned before, after;
    bool refused;
} shares[] = {{20, 19, false}, {20, 18, false}, {20, 17, true}, {10, 9, false}, {5, 4, true}};

static void write_types(unsigned count, char *text, size_t size)
{
    int used = snprintf(text, size, SPACE "  - {name: calm-sea-1, formation: {");

    for (unsigned i = 0; i < count; i++)
        used += snprintf(text + used, size - (size_t)used,
                         "%stype%u: {dynos: [{number: 1, private_ip: 10.4.128.%u}]}",
                         i == 0 ? "" : ", ", i, 9 + i);
    snprintf(text + used, size - (size_t)used, "}}\n");
}

START_TEST(the_guard_lets_a_tenth_of_the_names_vanish)
{
    char before[4096], after[4096];

    write_types(shares[_i].before, before, sizeof before);
    write_types(shares[_i].after, after, sizeof after);
    compare(before, after);
    ck_assert_uint_eq(stand.diff->classes[CLASS_SPACE].names, shares[_i].before);
    ck_assert_uint_eq(stand.diff->classes[CLASS_SPACE].counts[DIFF_VANISHES],
                      shares[_i].before - shares[_i].after);
    ck_assert_uint_eq(stand.diff->lost_count, 0);
    ck_assert(diff_is_refused(stand.diff) == shares[_i].refused);
    ck_assert((strstr(stand.told, "guard: ") != NULL) == shares[_i].refused);
}
END_TEST

START_TEST(a_class_that_goes_loses_its_names)
{
    static const char *const edits[][2] = {{"status: UP", "status: DOWN"}};

    compare_edited(edits, 1);
    ck_assert_uint_eq(stand.diff->classes[CLASS_VPN].counts[DIFF_VANISHES], 10);
    ck_assert_uint_eq(stand.diff->classes[CLASS_SPACE].counts[DIFF_VANISHES], 0);
    ck_assert(diff_loses_names(stand.diff, CLASS_VPN));
    ck_assert(!diff_loses_names(stand.diff, CLASS_PEERED));
    ck_assert_ptr_nonnull(
        strstr(stand.told, "guard: 10 of 10 names vanish for class vpn, more than 10 %\n"));
}
END_TEST

START_TEST(static_records_are_compared_as_a_whole)
{
    static const char head[] = "space: small\ncidr: 10.4.0.0/16\nrecords:\n"
                               "  - \"db.corp.example. 60 IN A 10.4.1.5\"\n";
    char before[512], after[512];

    snprintf(before, sizeof before, "%s  - 'db.corp.example. 60 IN TXT \"one\"'\n", head);
    snprintf(after, sizeof after, "%s  - 'db.corp.example. 60 IN TXT \"two\"'\n", head);
    compare(before, after);
    ck_assert_ptr_nonnull(strstr(stand.told, "space small, static records\n"
                                             "  ~ db.corp.example (space): 10.4.1.5 -> 10.4.1.5, "
                                             "other records\n"));
}
END_TEST

START_TEST(another_policy_answers_the_same_files_otherwise)
{
    struct policy policy = policy_usual();
    char *text = zone_text("zones/test-space.yaml");
    const char *texts[] = {text};
    struct snapshot *before = snapshot_of_texts(&policy, texts, 1);
    struct snapshot *after = snapshot_of_texts(&policy, texts, 1);

    after->policy.localspace_to = 1U << CLASS_VPN;
    stand.diff = diff_new(before, after, DIFF_CHANGES_MOST);
    ck_assert_ptr_nonnull(stand.diff);
    ck_assert_uint_gt(stand.diff->classes[CLASS_SPACE].counts[DIFF_VANISHES], 0);
    ck_assert_uint_gt(stand.diff->classes[CLASS_VPN].counts[DIFF_APPEARS], 0);
    ck_assert_uint_eq(stand.diff->classes[CLASS_PEERED].counts[DIFF_VANISHES], 0);
    ck_assert(diff_is_refused(stand.diff));
    snapshot_free(before);
    snapshot_free(after);
    free(text);
}
END_TEST

START_TEST(a_space_that_goes_takes_its_names_along)
{
    const char *before[2] = {SPACE
                             "  - {name: calm-sea-1, internal_routing: true, formation: {web: "
                             "{dynos: [{number: 1, private_ip: 10.4.128.9}]}}}\n",
                             "space: other\ncidr: 10.5.0.0/16\n"};

    stand.before = snapshot_of_texts(&stand.policy, before, 2);
    stand.after = snapshot_of_texts(&stand.policy, before + 1, 1);
    stand.diff = diff_new(stand.before, stand.after, DIFF_CHANGES_MOST);
    ck_assert_uint_eq(stand.diff->classes[CLASS_SPACE].counts[DIFF_VANISHES], 2);
    ck_assert_uint_eq(stand.diff->lost_count, 1);
}
END_TEST

START_TEST(changes_beyond_the_limit_are_counted)
{
    static const char *const edits[][2] = {{"[10.0.0.37, 10.0.16.21]", "[10.0.0.37]"}};

    compare_edited(edits, 1);
    diff_free(stand.diff);
    stand.diff = diff_new(stand.before, stand.after, 2);
    ck_assert_uint_eq(stand.diff->change_count, 2);
    ck_assert_uint_gt(stand.diff->left_out, 0);
    ck_assert_uint_eq(stand.diff->classes[CLASS_SPACE].counts[DIFF_ADDRESSES], 7);
}
END_TEST

START_TEST(json_says_the_same)
{
    compare_apps(app(ONE), app(DOWN));
    char *json = diff_to_json(stand.diff);
    ck_assert_ptr_nonnull(strstr(
        json, "{\"space\":\"small\",\"app\":\"calm-sea-1\",\"name\":\"calm-sea-1.herokuapp.com\","
              "\"change\":\"code\",\"classes\":[\"space\",\"peered\"],"
              "\"before\":{\"reason\":null,\"addresses\":[\"10.4.0.37\"]},"
              "\"after\":{\"reason\":\"Q10\",\"addresses\":[]}}"));
    ck_assert_ptr_nonnull(strstr(json, "{\"refused\":true,"));
    ck_assert_ptr_nonnull(
        strstr(json, "\"apps_lost\":[{\"space\":\"small\",\"app\":\"calm-sea-1\",\"names\":1}]"));
    free(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control/diff");
    TCase *answers = tcase_create("answers");

    tcase_add_checked_fixture(answers, set_up, tear_down);
    tcase_add_test(answers, the_same_zones_change_nothing);
    tcase_add_test(answers, the_order_of_addresses_and_records_does_not_matter);
    tcase_add_test(answers, a_router_less_changes_the_addresses_of_every_host);
    tcase_add_test(answers, an_app_that_appears_is_told_by_class);
    tcase_add_test(answers, the_guard_refuses_to_empty_an_app);
    tcase_add_test(answers, an_app_without_addresses_has_none_to_lose);
    tcase_add_test(answers, what_an_app_loses_depends_on_how_it_is_reached);
    tcase_add_loop_test(answers, the_guard_lets_a_tenth_of_the_names_vanish, 0,
                        sizeof shares / sizeof shares[0]);
    tcase_add_test(answers, a_class_that_goes_loses_its_names);
    tcase_add_test(answers, static_records_are_compared_as_a_whole);
    tcase_add_test(answers, another_policy_answers_the_same_files_otherwise);
    tcase_add_test(answers, a_space_that_goes_takes_its_names_along);
    tcase_add_test(answers, changes_beyond_the_limit_are_counted);
    tcase_add_test(answers, json_says_the_same);
    suite_add_tcase(suite, answers);
    return suite_run(suite);
}

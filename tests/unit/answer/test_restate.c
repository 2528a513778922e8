/* A key changes its formation, and nothing else is made anew. */
#include "answer/restate.h"

#include <stdlib.h>
#include <string.h>

#include "answer/segment_image.h"
#include "support/dyno_keys.h"
#include "support/suite.h"
#include "support/zones.h"

static const char one_space[] = "space: one-space\n"
                                "cidr: 10.0.0.0/16\n"
                                "dyno_cidrs: [10.0.128.0/20, 10.0.144.0/20]\n"
                                "routers: [10.0.0.37]\n"
                                "apps:\n"
                                "  - name: zoo\n"
                                "    internal_routing: true\n"
                                "    formation:\n"
                                "      web: {ports: {http: 80}}\n"
                                "      clock: {}\n"
                                "  - name: shop\n"
                                "    internal_routing: true\n"
                                "  - name: hidden\n"
                                "    internal_routing: true\n"
                                "    dns_discovery: false\n";
/* Declares dynos. */
static const char two_space[] = "space: two-space\n"
                                "cidr: 10.1.0.0/16\n"
                                "routers: [10.1.0.37]\n"
                                "apps:\n"
                                "  - name: bench\n"
                                "    internal_routing: true\n"
                                "    formation:\n"
                                "      web: {dynos: [{number: 1, private_ip: 10.1.130.1},\n"
                                "                    {number: 2, private_ip: 10.1.130.2}]}\n"
                                "      worker: {dynos: [{number: 1, private_ip: 10.1.130.3}]}\n";
/* Connections with a device: views have numbers of interfaces. */
static const char vpn_space[] = "space: vpn-space\n"
                                "cidr: 10.2.0.0/16\n"
                                "routers: [10.2.0.37]\n"
                                "vpns: [{name: office, status: active, public_ip: 35.161.69.30,\n"
                                "        device: ipsec0, routable_cidrs: [172.16.0.0/16]}]\n";

static const char *const texts[] = {one_space, two_space, vpn_space};
enum { ONE, TWO, VPN, SPACES };

static struct policy policy;
static struct snapshot *snapshot;
static struct restate_outcome outcome;

static void set_up(void)
{
    policy = policy_usual();
    snapshot = snapshot_of_texts(&policy, texts, SPACES);
    outcome = (struct restate_outcome){.report = report_new()};
}

static void tear_down(void)
{
    snapshot_free(snapshot);
    report_free(outcome.report);
    restate_outcome_close(&outcome);
}

FIXTURE(set_up, tear_down)

/* Keeps the snapshot before, for the caller to free. */
static struct snapshot *restate_keeping(const struct key_text *keys_texts, size_t count)
{
    struct keys keys = keys_of(keys_texts, count);
    struct snapshot *before = snapshot;
    struct err err;

    restate_outcome_close(&outcome);
    snapshot = snapshot_restate(before, (const struct dyno_key *const *)keys.items, keys.count,
                                before->generation + 10, &outcome, &err);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_int_eq(err.code, ERR_NONE);
    ck_assert_uint_eq(outcome.unused_count, 0);
    keys_close(&keys); /* nothing of them is borrowed */
    return before;
}

static void restate(const struct key_text *keys_texts, size_t count)
{
    snapshot_free(restate_keeping(keys_texts, count));
}

static void restate_one(const char *name, uint64_t revision, const char *value)
{
    const struct key_text text = {name, revision, value};

    restate(&text, 1);
}

static void expect(int space, const char *description)
{
    char *text = segment_describe(snapshot->segments[space]);

    ck_assert_str_eq(text, description);
    free(text);
}

#define UNTOUCHED_ONE                                                                              \
    "zoo web=0/0/0 web@0+1[] clock@0[]\n"                                                          \
    "shop web=0/0/0\n"                                                                             \
    "hidden web=0/0/0\n"
#define UNTOUCHED_TWO                                                                              \
    "bench web=2/2/0 web@0[1 up 10.1.130.1, 2 up 10.1.130.2] worker@0[1 up 10.1.130.3]\n"          \
    "10.1.130.1 bench.web.1\n"                                                                     \
    "10.1.130.2 bench.web.2\n"                                                                     \
    "10.1.130.3 bench.worker.1\n"

TEST(without_keys_a_segment_is_as_its_file_says)
{
    expect(ONE, UNTOUCHED_ONE);
    expect(TWO, UNTOUCHED_TWO);
}

TEST(a_key_gives_a_declared_formation_its_dynos)
{
    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n2 crashed\n3 starting 10.0.130.3\n");
    expect(ONE, "zoo web=3/1/1 web@7+1[1 up 10.0.130.1, 2 crashed, 3 starting 10.0.130.3] "
                "clock@0[]\n"
                "shop web=0/0/0\n"
                "hidden web=0/0/0\n"
                "10.0.130.1 zoo.web.1\n"
                "10.0.130.3 zoo.web.3\n");
}

TEST(a_state_changes_and_changes_back)
{
    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n");
    restate_one("one-space/zoo/web", 8, "1 down 10.0.130.1\n");
    expect(ONE, "zoo web=1/0/0 web@8+1[1 down 10.0.130.1] clock@0[]\n"
                "shop web=0/0/0\n"
                "hidden web=0/0/0\n");
    restate_one("one-space/zoo/web", 9, "1 up 10.0.130.1\n");
    expect(ONE, "zoo web=1/1/0 web@9+1[1 up 10.0.130.1] clock@0[]\n"
                "shop web=0/0/0\n"
                "hidden web=0/0/0\n"
                "10.0.130.1 zoo.web.1\n");
}

TEST(dynos_are_added_and_removed_and_move)
{
    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n2 up 10.0.130.2\n");
    restate_one("one-space/zoo/web", 8, "2 up 10.0.150.9\n5 up 10.0.130.1\n");
    expect(ONE, "zoo web=2/2/0 web@8+1[2 up 10.0.150.9, 5 up 10.0.130.1] clock@0[]\n"
                "shop web=0/0/0\n"
                "hidden web=0/0/0\n"
                "10.0.130.1 zoo.web.5\n"
                "10.0.150.9 zoo.web.2\n");
    restate_one("one-space/zoo/web", 9, "");
    expect(ONE, "zoo web=0/0/0 web@9+1[] clock@0[]\n"
                "shop web=0/0/0\n"
                "hidden web=0/0/0\n");
}

/* In whatever order the keys came. */
TEST(types_that_no_file_declares_follow_by_name)
{
    restate_one("one-space/zoo/run", 7, "1 up 10.0.130.1\n");
    restate_one("one-space/zoo/release", 8, "1 up 10.0.130.2\n");
    restate_one("one-space/shop/web", 9, "1 up 10.0.130.3\n");
    restate_one("one-space/zoo/urgent", 10, "");
    restate_one("one-space/zoo/clock", 11, "1 idle\n");
    expect(ONE, "zoo web=0/0/0 web@0+1[] clock@11[1 idle] release@8[1 up 10.0.130.2] "
                "run@7[1 up 10.0.130.1] urgent@10[]\n"
                "shop web=1/1/0 web@9[1 up 10.0.130.3]\n"
                "hidden web=0/0/0\n"
                "10.0.130.1 zoo.run.1\n"
                "10.0.130.2 zoo.release.1\n"
                "10.0.130.3 shop.web.1\n");
}

TEST(a_type_that_no_file_declares_goes_with_its_key)
{
    static const struct key_text at_once[] = {
        {"one-space/zoo/a", 7, "1 up 10.0.130.1\n"},
        {"one-space/zoo/run", 7, "1 up 10.0.130.2\n"},
        {"one-space/zoo/z", 7, "1 up 10.0.130.3\n"},
    };

    restate(at_once, 3);
    restate_one("one-space/zoo/run", 8, NULL);
    expect(ONE, "zoo web=0/0/0 web@0+1[] clock@0[] a@7[1 up 10.0.130.1] z@7[1 up 10.0.130.3]\n"
                "shop web=0/0/0\n"
                "hidden web=0/0/0\n"
                "10.0.130.1 zoo.a.1\n"
                "10.0.130.3 zoo.z.1\n");
    restate_one("one-space/zoo/a", 9, NULL);
    restate_one("one-space/zoo/z", 10, NULL);
    expect(ONE, UNTOUCHED_ONE);
    ck_assert_ptr_null(snapshot->segments[ONE]->revisions);
}

TEST(the_list_of_the_file_counts_again_when_its_key_is_gone)
{
    restate_one("two-space/bench/web", 7, "9 up 10.1.130.9\n");
    restate_one("two-space/bench/worker", 8, "");
    restate_one("two-space/bench/run", 9, "1 up 10.1.130.3\n");
    expect(TWO, "bench web=1/1/0 web@7[9 up 10.1.130.9] worker@8[] run@9[1 up 10.1.130.3]\n"
                "10.1.130.3 bench.run.1\n"
                "10.1.130.9 bench.web.9\n");
    restate_one("two-space/bench/web", 10, NULL);
    restate_one("two-space/bench/run", 11, NULL);
    restate_one("two-space/bench/worker", 12, NULL);
    expect(TWO, UNTOUCHED_TWO);
    ck_assert_ptr_null(snapshot->segments[TWO]->declared);
}

TEST(a_file_without_dynos_is_not_kept_twice)
{
    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n");
    ck_assert_ptr_null(snapshot->segments[ONE]->declared);
    restate_one("two-space/bench/web", 8, "");
    ck_assert_ptr_nonnull(snapshot->segments[TWO]->declared);
    restate_one("two-space/bench/worker", 9, "");
    ck_assert_ptr_null(snapshot->segments[TWO]->declared->declared);
}

TEST(a_key_that_was_not_in_force_goes_without_effect)
{
    const struct segment *before = snapshot->segments[TWO];

    restate_one("two-space/bench/web", 7, NULL);
    restate_one("two-space/bench/run", 8, NULL);
    restate_one("two-space/none/run", 9, NULL);
    restate_one("no-space/none/run", 10, NULL);
    ck_assert_ptr_eq(snapshot->segments[TWO], before);
    ck_assert_uint_eq(outcome.changed_spaces, 0);
}

TEST(an_app_without_discovery_has_no_reverse_names)
{
    restate_one("one-space/hidden/web", 7, "1 up 10.0.130.1\n");
    expect(ONE, "zoo web=0/0/0 web@0+1[] clock@0[]\n"
                "shop web=0/0/0\n"
                "hidden web=1/1/0 web@7[1 up 10.0.130.1]\n");
}

TEST(a_type_too_long_for_a_label_is_not_published)
{
    char name[100] = "one-space/shop/";

    memset(name + strlen(name), 'x', 64);
    restate_one(name, 7, "1 up 10.0.130.1\n");
    ck_assert_uint_eq(snapshot->segments[ONE]->published_count, 0);
    ck_assert_uint_eq(snapshot->segments[ONE]->formation_count, 3);
}

/* ---- what is shared ---- */

TEST(only_touched_segments_are_made_anew)
{
    static const struct key_text keys[] = {{"one-space/zoo/web", 7, "1 up 10.0.130.1\n"},
                                           {"one-space/shop/web", 7, "1 up 10.0.130.2\n"}};
    struct snapshot *before = restate_keeping(keys, 2);

    ck_assert_uint_eq(outcome.changed_spaces, 1);
    ck_assert_uint_eq(snapshot->generation, before->generation + 10);
    ck_assert_ptr_ne(snapshot->segments[ONE], before->segments[ONE]);
    ck_assert_ptr_eq(snapshot->segments[TWO], before->segments[TWO]);
    ck_assert_ptr_eq(snapshot->segments[ONE]->texts, before->segments[ONE]->texts);
    ck_assert_ptr_eq(snapshot->segments[ONE]->arena, before->segments[ONE]->arena);
    ck_assert_ptr_eq(snapshot->index.shards[0], before->index.shards[0]);
    ck_assert_ptr_eq(snapshot->access.views, before->access.views);
    ck_assert_ptr_eq(snapshot->policy.arena, before->policy.arena);
    /* The one before is as it was. */
    char *text = segment_describe(before->segments[ONE]);
    ck_assert_str_eq(text, UNTOUCHED_ONE);
    free(text);
    snapshot_free(before);
    expect(TWO, UNTOUCHED_TWO);
}

/* The last four numbers of the SOA data are refresh, retry, expire and minimum; before them:
 * serial. */
TEST(the_serial_is_the_generation)
{
    restate_one("one-space/zoo/web", 7, "");
    const uint8_t *serial = snapshot->soa_data + snapshot->soa_length - SOA_TAIL_OCTETS;
    ck_assert_uint_eq(snapshot->generation, 11);
    ck_assert_mem_eq(serial, "\0\0\0\x0b", 4);
}

TEST(numbers_of_interfaces_stay_and_are_shared)
{
    ck_assert_uint_eq(snapshot->access.device_count, 1);
    ck_assert(access_set_interface(&snapshot->access, 0, 3));
    struct snapshot *before = restate_keeping(&(struct key_text){"one-space/zoo/web", 7, ""}, 1);
    ck_assert_uint_eq(access_interface(&snapshot->access, "ipsec0"), 3);
    ck_assert(access_set_interface(&snapshot->access, 0, 4));
    ck_assert_uint_eq(access_interface(&before->access, "ipsec0"), 4);
    snapshot_free(before);
    ck_assert_uint_eq(access_interface(&snapshot->access, "ipsec0"), 4);
}

/* Whichever is freed first. */
TEST_LOOP(snapshots_are_freed_in_any_order, 0, 2)
{
    struct snapshot *before =
        restate_keeping(&(struct key_text){"two-space/bench/web", 7, "1 down\n"}, 1);

    if (_i == 1) {
        struct snapshot *after = snapshot;
        snapshot = before;
        before = after;
    }
    snapshot_free(before);
    ck_assert_uint_eq(snapshot->segments[TWO]->apps[0].web_up, _i == 1 ? 2 : 0);
}

TEST(the_memory_of_copies_is_counted)
{
    size_t before = snapshot_octets(snapshot);

    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n");
    /* A dyno of 16 octets, and revisions for two formations. */
    ck_assert_uint_eq(snapshot_octets(snapshot), before + 16 + 2 * 8);
}

/* ---- keys that wait, and keys with errors ---- */

static struct keys given;

/* As restate, but keeps the keys, whose addresses the outcome has. */
static void restate_given(const struct key_text *keys_texts, size_t count)
{
    struct snapshot *before = snapshot;
    struct err err;

    given = keys_of(keys_texts, count);
    snapshot = snapshot_restate(before, (const struct dyno_key *const *)given.items, given.count,
                                before->generation + 1, &outcome, &err);
    ck_assert_ptr_nonnull(snapshot);
    snapshot_free(before);
}

TEST(keys_without_their_app_or_space_are_given_back)
{
    static const struct key_text keys[] = {
        {"no-space/zoo/web", 7, "1 down\n"},    {"one-space/later/web", 7, "1 down\n"},
        {"one-space/zoo/web", 7, "1 down\n"},   {"one-space/zoology/web", 7, "1 down\n"},
        {"vpn-space/later/web", 7, "1 down\n"}, {"zero/a/web", 7, NULL},
    };

    restate_given(keys, 6);
    ck_assert_uint_eq(outcome.unused_count, 4);
    ck_assert_ptr_eq(outcome.unused[0], given.items[0]);
    ck_assert_ptr_eq(outcome.unused[1], given.items[1]);
    ck_assert_ptr_eq(outcome.unused[2], given.items[3]);
    ck_assert_ptr_eq(outcome.unused[3], given.items[4]);
    ck_assert_uint_eq(outcome.refused_count, 0);
    ck_assert_uint_eq(snapshot->segments[ONE]->apps[0].web_count, 1);
    keys_close(&given);
}

static const struct {
    const char *what;
    struct key_text key;
    enum finding_code code;
    unsigned line;
    const char *file;
} refused[] = {
    {"an address outside",
     {"one-space/zoo/web", 9, "1 up 10.0.130.1\n2 up 10.0.160.1\n"},
     FINDING_DYNO_IP,
     2,
     "d/one-space/zoo/web@9"},
    {"the case of a declared type",
     {"one-space/zoo/Clock", 9, ""},
     FINDING_PROC_CASE,
     0,
     "d/one-space/zoo/Clock@9"},
    {"the case of a key's type",
     {"one-space/zoo/RUN", 9, ""},
     FINDING_PROC_CASE,
     0,
     "d/one-space/zoo/RUN@9"},
};

TEST_OVER(a_key_with_errors_leaves_what_is_in_force, refused)
{
    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.9\n");
    restate_one("one-space/zoo/run", 8, "");
    restate_given(&refused[_i].key, 1);
    expect(ONE, "zoo web=1/1/0 web@7+1[1 up 10.0.130.9] clock@0[] run@8[]\n"
                "shop web=0/0/0\n"
                "hidden web=0/0/0\n"
                "10.0.130.9 zoo.web.1\n");
    ck_assert_uint_eq(outcome.refused_count, 1);
    ck_assert_ptr_eq(outcome.refused[0], given.items[0]);
    ck_assert_uint_eq(outcome.unused_count, 0);
    ck_assert_uint_eq(report_total(outcome.report), 1);
    const struct finding *finding = report_findings(outcome.report);
    ck_assert_int_eq(finding->code, refused[_i].code);
    ck_assert_uint_eq(finding->at.line, refused[_i].line);
    ck_assert_str_eq(finding->file, refused[_i].file);
    keys_close(&given);
}

TEST(a_bad_key_changes_nothing)
{
    struct dyno_key *key = dyno_key_gone("one-space", "zoo", "web", 9);
    struct err err;

    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.9\n");
    key->is_gone = false;
    key->is_bad = true;
    struct snapshot *before = snapshot;
    snapshot =
        snapshot_restate(before, (const struct dyno_key *const *)&key, 1, 12, &outcome, &err);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_ptr_eq(snapshot->segments[ONE], before->segments[ONE]);
    ck_assert_uint_eq(outcome.refused_count, 1);
    snapshot_free(before);
    dyno_key_free(key);
}

/* Two new types at once, of which the second is refused; then one goes as the other comes. */
TEST(types_that_differ_by_case_are_one)
{
    static const struct key_text both[] = {{"one-space/zoo/Run", 7, ""},
                                           {"one-space/zoo/run", 7, ""}};
    static const struct key_text change[] = {{"one-space/zoo/Run", 8, NULL},
                                             {"one-space/zoo/run", 8, ""}};
    static const struct key_text back[] = {{"one-space/zoo/Run", 9, ""},
                                           {"one-space/zoo/run", 9, NULL}};

    restate(both, 2);
    ck_assert_uint_eq(outcome.refused_count, 1);
    expect(ONE, "zoo web=0/0/0 web@0+1[] clock@0[] Run@7[]\nshop web=0/0/0\nhidden web=0/0/0\n");
    restate(change, 2);
    ck_assert_uint_eq(outcome.refused_count, 0);
    expect(ONE, "zoo web=0/0/0 web@0+1[] clock@0[] run@8[]\nshop web=0/0/0\nhidden web=0/0/0\n");
    restate(back, 2);
    expect(ONE, "zoo web=0/0/0 web@0+1[] clock@0[] Run@9[]\nshop web=0/0/0\nhidden web=0/0/0\n");
}

TEST(a_name_longer_than_dns_allows_is_refused)
{
    /* 1.web.zoo.app.SUFFIX */
    ((struct segment *)snapshot->segments[ONE])->suffix_octets = 253 - 14;
    restate_one("one-space/zoo/web", 7, "1 down\n");
    ck_assert_uint_eq(outcome.refused_count, 0);
    restate_given(&(struct key_text){"one-space/zoo/web", 8, "10 down\n"}, 1);
    ck_assert_uint_eq(outcome.refused_count, 1);
    ck_assert_int_eq(report_findings(outcome.report)->code, FINDING_NAME_LONG);
    keys_close(&given);
}

/* ---- one address, two dynos ---- */

#define OTHERS "shop web=0/0/0\nhidden web=0/0/0\n"

TEST(the_newer_key_owns_the_reverse_name)
{
    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n2 up 10.0.130.2\n");
    restate_one("one-space/shop/web", 8, "1 up 10.0.130.1\n");
    expect(ONE, "zoo web=2/2/0 web@7+1[1 up 10.0.130.1, 2 up 10.0.130.2] clock@0[]\n"
                "shop web=1/1/0 web@8[1 up 10.0.130.1]\n"
                "hidden web=0/0/0\n"
                "10.0.130.1 shop.web.1\n"
                "10.0.130.2 zoo.web.2\n");
    ck_assert_uint_eq(report_total(outcome.report), 1);
    const struct finding *finding = report_findings(outcome.report);
    ck_assert_int_eq(finding->code, FINDING_DYNO_IP_MOVED);
    ck_assert_str_eq(finding->file, "d/one-space/zoo/web@7");
    ck_assert_uint_eq(finding->at.line, 1);
    ck_assert_ptr_nonnull(strstr(finding->sentence, "web.1 in d/one-space/shop/web@8"));
}

TEST(a_move_is_reported_once)
{
    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n");
    restate_one("one-space/shop/web", 8, "1 up 10.0.130.1\n");
    restate_one("one-space/shop/web", 9, "1 up 10.0.130.1\n2 up 10.0.130.3\n");
    restate_one("one-space/zoo/clock", 10, "1 up 10.0.130.4\n");
    ck_assert_uint_eq(report_total(outcome.report), 1);
}

/* The one that comes later is not always the newer one: a load applies what waited. */
TEST(an_older_key_that_comes_later_owns_nothing)
{
    restate_one("one-space/shop/web", 8, "1 up 10.0.130.1\n");
    restate_one("one-space/zoo/web", 7, "1 starting 10.0.130.1\n");
    ck_assert_uint_eq(snapshot->segments[ONE]->published_count, 1);
    expect(ONE, "zoo web=1/0/0 web@7+1[1 starting 10.0.130.1] clock@0[]\n"
                "shop web=1/1/0 web@8[1 up 10.0.130.1]\n"
                "hidden web=0/0/0\n"
                "10.0.130.1 shop.web.1\n");
    ck_assert_uint_eq(report_total(outcome.report), 1);
    ck_assert_str_eq(report_findings(outcome.report)->file, "d/one-space/zoo/web@7");
}

/* The owner is stopped, then its key goes: the other has the name again. */
TEST_LOOP(the_older_has_the_name_again_when_the_owner_is_no_more, 0, 2)
{
    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n");
    restate_one("one-space/shop/web", 8, "1 up 10.0.130.1\n");
    restate_one("one-space/shop/web", 9, _i == 0 ? "1 down 10.0.130.1\n" : NULL);
    ck_assert_uint_eq(snapshot->segments[ONE]->published_count, 1);
    ck_assert_uint_eq(segment_find_dyno(snapshot->segments[ONE], 0x0a008201), 0);
    ck_assert_uint_eq(segment_formation_of(snapshot->segments[ONE], 0)->app, 0);
}

TEST(of_one_revision_the_first_in_the_segment_owns_the_name)
{
    static const struct key_text at_once[] = {{"one-space/shop/web", 7, "1 up 10.0.130.1\n"},
                                              {"one-space/zoo/web", 7, "1 up 10.0.130.1\n"}};

    restate(at_once, 2);
    expect(ONE, "zoo web=1/1/0 web@7+1[1 up 10.0.130.1] clock@0[]\n"
                "shop web=1/1/0 web@7[1 up 10.0.130.1]\n"
                "hidden web=0/0/0\n"
                "10.0.130.1 zoo.web.1\n");
}

TEST(a_key_takes_an_address_over_from_a_file)
{
    restate_one("two-space/bench/run", 7, "1 up 10.1.130.2\n");
    expect(TWO, "bench web=2/2/0 web@0[1 up 10.1.130.1, 2 up 10.1.130.2] "
                "worker@0[1 up 10.1.130.3] run@7[1 up 10.1.130.2]\n"
                "10.1.130.1 bench.web.1\n"
                "10.1.130.2 bench.run.1\n"
                "10.1.130.3 bench.worker.1\n");
    const struct finding *finding = report_findings(outcome.report);
    ck_assert_str_eq(finding->file, snapshot->segments[TWO]->file);
    ck_assert_uint_eq(finding->at.line, 9);
}

TEST(an_address_moves_within_a_revision_without_a_word)
{
    static const struct key_text at_once[] = {{"one-space/shop/web", 8, "1 up 10.0.130.1\n"},
                                              {"one-space/zoo/web", 8, "1 down 10.0.130.1\n"}};

    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n");
    restate(at_once, 2);
    ck_assert_uint_eq(report_total(outcome.report), 0);
    ck_assert_uint_eq(snapshot->segments[ONE]->published_count, 1);
}

/* ---- keys in force ---- */

static bool note_key(void *context, const struct dyno_key *view)
{
    char file[DYNO_KEY_FILE_OCTETS];
    size_t length = 0;
    char *value = dyno_key_write(view, &length);

    dyno_key_file(view, file);
    fprintf(context, "%s: %s", file, value);
    free(value);
    return true;
}

static bool end_walk(void *context, const struct dyno_key *view)
{
    (void)view;
    ++*(int *)context;
    return false;
}

TEST(keys_in_force_are_walked)
{
    static const struct key_text keys[] = {{"one-space/shop/run", 8, "2 down\n1 down\n"},
                                           {"one-space/zoo/web", 7, "1 up 10.0.130.1\n"}};
    char text[200] = "";
    int seen = 0;
    FILE *out = fmemopen(text, sizeof text, "w");

    ck_assert(segment_walk_keys(snapshot->segments[ONE], note_key, out));
    restate(keys, 2);
    ck_assert(segment_walk_keys(snapshot->segments[ONE], note_key, out));
    ck_assert(segment_walk_keys(snapshot->segments[TWO], note_key, out));
    fclose(out);
    ck_assert_str_eq(text, "d/one-space/zoo/web@7: 1 up 10.0.130.1\n"
                           "d/one-space/shop/run@8: 2 down\n1 down\n");
    ck_assert(!segment_walk_keys(snapshot->segments[ONE], end_walk, &seen));
    ck_assert_int_eq(seen, 1);
}

TEST(a_key_in_force_is_found)
{
    uint64_t revision = 0;

    restate_one("one-space/zoo/web", 7, "1 up 10.0.130.1\n");
    const struct segment *segment = snapshot->segments[ONE];
    ck_assert(segment_find_key(segment, "zoo", "web", &revision));
    ck_assert_uint_eq(revision, 7);
    ck_assert(!segment_find_key(segment, "zoo", "clock", &revision));
    ck_assert(!segment_find_key(segment, "zoo", "we", &revision));
    ck_assert(!segment_find_key(segment, "zo", "web", &revision));
    ck_assert(!segment_find_key(snapshot->segments[TWO], "bench", "web", &revision));
}

/* ---- many keys at once, as after a full read ---- */

TEST(many_keys_find_their_apps)
{
    enum { APPS = 40 };
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    fputs("space: big-space\ncidr: 10.3.0.0/16\nrouters: [10.3.0.37]\napps:\n", out);
    for (int i = 0; i < APPS; i++)
        fprintf(out, "  - {name: app-%d}\n", i * 7 % APPS);
    fclose(out);
    snapshot_free(snapshot);
    snapshot = snapshot_of_texts(&policy, (const char *const *)&text, 1);
    struct key_text keys[APPS];
    char names[APPS][40];
    for (int i = 0; i < APPS; i++) {
        snprintf(names[i], sizeof names[i], "big-space/app-%d/web", i);
        keys[i] = (struct key_text){names[i], 100 + (uint64_t)i, "1 up 10.3.130.1\n"};
    }
    restate(keys, APPS);
    for (int i = 0; i < APPS; i++) {
        char app[40];
        uint64_t revision = 0;
        snprintf(app, sizeof app, "app-%d", i);
        ck_assert(segment_find_key(snapshot->segments[0], app, "web", &revision));
        ck_assert_uint_eq(revision, 100 + (uint64_t)i);
    }
    ck_assert_uint_eq(snapshot->segments[0]->published_count, 1);
    free(text);
}

/* ---- what is stored ---- */

/* Keys are the registry's to keep: a start with other ones finds none of these. */
TEST_LOOP(an_image_is_without_keys, ONE, TWO + 1)
{
    static const char *const untouched[] = {UNTOUCHED_ONE, UNTOUCHED_TWO};
    static const struct key_text keys[] = {{"one-space/zoo/a", 7, "1 up 10.0.130.1\n"},
                                           {"one-space/zoo/web", 7, "1 up 10.0.130.2\n"},
                                           {"two-space/bench/a", 7, "1 up 10.1.130.9\n"},
                                           {"two-space/bench/web", 7, "1 crashed\n"}};
    size_t length = 0;

    restate(keys, 4);
    const struct segment *segment = snapshot->segments[_i];
    uint8_t *octets = segment_image_make(segment, &segment->identity, &length);
    uint8_t *aligned = aligned_alloc(
        SEGMENT_IMAGE_ALIGNMENT, (length / SEGMENT_IMAGE_ALIGNMENT + 1) * SEGMENT_IMAGE_ALIGNMENT);
    memcpy(aligned, octets, length);
    struct segment *used = segment_image_use(aligned, length);
    free(aligned);
    free(octets);
    char *text = segment_describe(used);
    ck_assert_str_eq(text, untouched[_i]);
    free(text);
    segment_release(used);
}

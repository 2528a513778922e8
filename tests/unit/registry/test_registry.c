/* A replica's side of a registry, with a scripted etcd at the other end. */
#include "registry/registry.h"

#include <stdio.h>
#include <string.h>

#include "support/registry_rig.h"
#include "support/suite.h"

static struct registry_rig rig;

static void set_up(void)
{
    rig_init(&rig);
}

static void tear_down(void)
{
    rig_close(&rig);
}

FIXTURE(set_up, tear_down)

/* Two spaces with dynos, followed and in force. */
static void follow_two(void)
{
    rig_put_space(&rig, "ant", "bill! shop");
    rig_put_space(&rig, "bee", "news!");
    rig_put(&rig, "d/ant/bill/web", "1 up 10.0.130.1");
    rig_start(&rig);
    rig_follow(&rig);
}

static const char *bill(void)
{
    static char text[256];

    snprintf(text, sizeof text, "%s", rig_dynos(&rig, "ant", "bill", "web"));
    text[strcspn(text, "@")] = '\0';
    return text;
}

static void expect_connected(bool is_connected)
{
    ck_assert(rig_status(&rig).is_connected == is_connected);
}

/* ---- the first read ---- */

TEST(everything_is_read_and_served)
{
    follow_two();
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_str_eq(rig_dynos(&rig, "ant", "bill", "web"), "1 up 10.0.130.1 @4");
    ck_assert_str_eq(rig_dynos(&rig, "ant", "shop", "web"), "-");
    ck_assert_uint_eq(rig.loads, 1);
    struct registry_status status = rig_status(&rig);
    ck_assert(status.is_connected);
    ck_assert_str_eq(status.id, "one");
    ck_assert_str_eq(status.server_version, "3.4.23");
    ck_assert(status.is_old);
    ck_assert_uint_eq(status.revision, (uint64_t)rig.store->revision);
    ck_assert_uint_eq(status.in_force, status.revision);
    ck_assert_uint_eq(status.document_count, 2);
    ck_assert_uint_eq(status.full_reads, 1);
    ck_assert_uint_eq(rig.current->generation, status.revision);
}

static const size_t pieces[] = {1, 7, 100};

TEST_OVER(octets_may_come_in_pieces, pieces)
{
    rig.piece = pieces[_i];
    follow_two();
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_str_eq(bill(), "1 up 10.0.130.1 ");
}

TEST(an_empty_registry_is_followed)
{
    rig.is_bare = true;
    rig_start(&rig);
    rig_follow(&rig);
    ck_assert_str_eq(rig_served(&rig), "");
    rig_put_space(&rig, "ant", "bill!");
    rig_run(&rig, 1000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill)");
}

TEST(a_cell_without_any_key_is_told)
{
    rig.is_bare = true;
    rig_start(&rig);
    rig_follow(&rig);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_READ], "no key /spacedns/eu/meta"));
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "registry:init"));
    rig_put(&rig, "meta", "format: 1\nid: one\n");
    rig_follow(&rig);
    ck_assert_str_eq(rig_status(&rig).problem, "");
}

TEST(nothing_is_known_before_the_first_read)
{
    rig.is_cut = true;
    rig_start(&rig);
    rig_run(&rig, 60000);
    ck_assert(!registry_is_known(rig.registry));
    ck_assert_uint_ge(rig.opens, 20);
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "connection refused"));
    ck_assert(rig_status(&rig).is_stale);
    ck_assert_uint_le(rig.told[REGISTRY_LOST], 2);
}

TEST(documents_come_in_pages_and_dynos_space_by_space)
{
    char key[32], value[96];
    enum { SPACES = 230 };

    for (int i = 0; i < SPACES; i++) {
        snprintf(key, sizeof key, "z/s-%03d", i);
        snprintf(value, sizeof value,
                 "space: s-%03d\ncidr: 10.%d.0.0/16\nrouters: [10.%d.0.37]\napps:\n  - {name: "
                 "a-%d}\n",
                 i, i, i, i);
        rig_put(&rig, key, value);
        snprintf(key, sizeof key, "d/s-%03d/a-%d/web", i, i);
        rig_put(&rig, key, "1 crashed");
    }
    rig_put(&rig, "d/nowhere/a/web", "1 down");
    rig_start(&rig);
    rig_follow(&rig);
    ck_assert_uint_eq(rig_status(&rig).document_count, SPACES);
    ck_assert_uint_eq(rig_status(&rig).waiting_count, 1 + SPACES * 0);
    ck_assert_uint_ge(etcd_peer_calls(rig.peer, ETCD_RANGE), SPACES);
}

/* "d/a-b/" comes before "d/ant/". */
TEST(spaces_whose_names_begin_alike_are_read_each)
{
    static const char *const names[] = {"abc", "abc-d", "abc0", "abcd", "abcde"};
    char key[32], value[128];

    for (int i = 0; i < 5; i++) {
        snprintf(key, sizeof key, "z/%s", names[i]);
        snprintf(value, sizeof value,
                 "space: %s\ncidr: 10.%d.0.0/16\nrouters: [10.%d.0.37]\napps:\n  - {name: x-%d}\n",
                 names[i], i, i, i);
        rig_put(&rig, key, value);
        snprintf(key, sizeof key, "d/%s/x-%d/web", names[i], i);
        rig_put(&rig, key, "1 down");
    }
    rig_start(&rig);
    rig_follow(&rig);
    for (int i = 0; i < 5; i++) {
        char app[16];
        snprintf(app, sizeof app, "x-%d", i);
        ck_assert_str_ne(rig_dynos(&rig, names[i], app, "web"), "-");
    }
}

/* ---- changes ---- */

TEST(a_dyno_change_is_a_restate)
{
    follow_two();
    rig_put(&rig, "d/ant/bill/web", "1 down\n2 up 10.0.130.2");
    rig_run(&rig, 10);
    ck_assert_str_eq(bill(), "1 down, 2 up 10.0.130.2 ");
    ck_assert_uint_eq(rig.loads, 1);
    ck_assert_uint_eq(rig.restates, 1);
    rig_delete(&rig, "d/ant/bill/web");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_dynos(&rig, "ant", "bill", "web"), "-");
}

TEST(a_revision_of_documents_and_dynos_is_one_load)
{
    follow_two();
    etcd_store_begin(rig.store);
    rig_put_space(&rig, "cat", "new");
    rig_put(&rig, "d/cat/new/web", "1 up 10.2.130.1");
    rig_put(&rig, "d/ant/bill/web", "1 down");
    etcd_store_commit(rig.store);
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news) cat(new)");
    ck_assert_str_ne(rig_dynos(&rig, "cat", "new", "web"), "-");
    ck_assert_str_eq(bill(), "1 down ");
    ck_assert_uint_eq(rig.loads, 2);
    ck_assert_uint_eq(rig.restates, 0);
    ck_assert_uint_eq(rig.current->generation, (uint64_t)rig.store->revision);
}

TEST(dynos_of_an_app_that_no_document_has_wait_for_it)
{
    follow_two();
    rig_put(&rig, "d/ant/later/web", "1 up 10.0.130.9");
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).waiting_count, 1);
    rig_put_space(&rig, "ant", "bill! later");
    rig_run(&rig, 10);
    ck_assert_str_ne(rig_dynos(&rig, "ant", "later", "web"), "-");
    ck_assert_uint_eq(rig_status(&rig).waiting_count, 0);
    rig_put_space(&rig, "ant", "bill!");
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).waiting_count, 1);
}

TEST(what_comes_during_a_take_is_for_the_next_one)
{
    struct registry_keys keys;

    follow_two();
    rig.is_lazy = true;
    rig_put_space(&rig, "ant", "bill! shop more");
    rig_run(&rig, 10);
    ck_assert(registry_has_documents(rig.registry));
    ck_assert(registry_take(rig.registry, REGISTRY_LOAD, &keys));
    uint64_t taken = keys.revision;
    rig_put_space(&rig, "ant", "other");
    rig_put(&rig, "d/ant/bill/web", "1 down");
    rig_run(&rig, 10);
    ck_assert(!registry_has_documents(rig.registry) && !registry_has_keys(rig.registry));
    struct source_stamp stamp =
        registry_source(rig.registry)->stamp(registry_source(rig.registry), "z/ant");
    ck_assert_uint_eq(stamp.words[0], taken);
    registry_note_failed(rig.registry);
    rig.is_lazy = false;
    rig_adopt(&rig);
    ck_assert_str_eq(rig_served(&rig), "ant(other) bee(news)");
}

static const struct {
    const char *key, *value;
    bool is_judged_again;
} during_holds[] = {
    {"d/bee/news/web", "1 up 10.1.130.1", true},    {"d/bee/news/run", "1 up 10.1.130.1", false},
    {"d/bee/nobody/web", "1 up 10.1.130.1", false}, {"d/bee/news/web", "one up", false},
    {"d/ant/shop/web", "1 up 10.0.130.2", false},
};

TEST_OVER(a_load_that_holds_is_followed_by_one_when_the_first_web_key_of_an_app_came, during_holds)
{
    char file[] = "z/bee", space[] = "bee";
    struct load_last_good held = {.file = file, .space = space, .keeping = LOAD_HELD};
    const struct load_outcome outcome = {.last_good = &held, .last_good_count = 1};
    struct registry_keys keys;

    follow_two();
    rig.is_lazy = true;
    rig_put_space(&rig, "bee", "news! more");
    rig_run(&rig, 10);
    ck_assert(registry_take(rig.registry, REGISTRY_LOAD, &keys));
    rig_put(&rig, during_holds[_i].key, during_holds[_i].value);
    rig_run(&rig, 10);
    registry_note_loaded(rig.registry, &outcome, rig.current);
    ck_assert(registry_has_documents(rig.registry) == during_holds[_i].is_judged_again);
}

/* Whatever comes together: what is taken at once here is taken one by one there. */
static const char *const steps[] = {
    "d/ant/bill/web 1 up 10.0.130.7",
    "beat at_ms: 1",
    "d/ant/nobody/web 1 up 10.0.130.8",
    "-d/ant/nobody/web",
    "config what: nothing",
    "x/y 1",
    "force why: nothing",
    "z/cat space: cat\ncidr: 10.2.0.0/16\nrouters: [10.2.0.37]\n",
    "pause by: x",
    "z/bee space: bee\ncidr: nonsense\n",
    "-pause",
    "beat at_ms: 2",
    "-d/ant/bill/web",
    "beat at_ms: 3",
};

static void make_step(const char *step)
{
    char key[64];
    size_t length = strcspn(step, " ");

    snprintf(key, sizeof key, "%.*s", (int)length, step);
    if (key[0] == '-')
        rig_delete(&rig, key + 1);
    else
        rig_put(&rig, key, step + length + 1);
}

/* The generation after each step; `apart`: all steps before are taken one by one, else together. */
static uint64_t generation_after(size_t count, bool apart)
{
    tear_down();
    set_up();
    follow_two();
    for (size_t i = 0; i < count; i++) {
        rig.is_lazy = !apart && i + 1 < count;
        make_step(steps[i]);
        rig_run(&rig, 10);
    }
    return rig.current->generation;
}

TEST(replicas_at_rest_have_one_generation)
{
    for (size_t count = 1; count <= sizeof steps / sizeof steps[0]; count++)
        ck_assert_uint_eq(generation_after(count, false), generation_after(count, true));
    ck_assert_uint_lt(rig.current->generation, (uint64_t)rig.store->revision);
    ck_assert_uint_eq(rig_status(&rig).in_force, (uint64_t)rig.store->revision);
}

/* As when a name is forgotten. */
TEST(what_is_served_without_a_take_is_looked_at_and_gets_its_generation_back)
{
    follow_two();
    uint64_t generation = rig.current->generation;
    unsigned restates = rig.restates;
    struct snapshot *next = snapshot_renew(rig.current, generation + 1, NULL);
    ck_assert_ptr_nonnull(next);
    registry_note_replaced(rig.registry, next);
    snapshot_free(rig.current);
    rig.current = next;
    ck_assert(registry_has_keys(rig.registry));
    ck_assert(rig_adopt(&rig));
    ck_assert_uint_eq(rig.restates, restates + 1);
    ck_assert_uint_eq(rig.current->generation, generation);
    ck_assert(!registry_has_keys(rig.registry));
}

/* Compacted past what is followed: everything is read again. */
static void read_again(void)
{
    rig_put(&rig, "beat", "at_ms: 1");
    etcd_store_compact(rig.store, rig.store->revision);
    rig_follow(&rig);
    ck_assert_uint_eq(rig_status(&rig).full_reads, 2);
}

TEST(a_full_read_of_what_is_in_force_keeps_the_generation)
{
    follow_two();
    rig_put(&rig, "d/ant/bill/web", "1 down");
    rig_run(&rig, 10);
    uint64_t generation = rig.current->generation;
    rig_cut(&rig);
    rig_put(&rig, "beat", "at_ms: 1");
    read_again();
    ck_assert_uint_eq(rig.current->generation, generation);
}

TEST(a_full_read_with_a_change_has_its_revision_as_generation)
{
    follow_two();
    rig_put(&rig, "d/ant/bill/web", "1 down");
    rig_run(&rig, 10);
    rig_cut(&rig);
    rig_delete(&rig, "d/ant/bill/web");
    read_again();
    ck_assert_uint_eq(rig.current->generation, (uint64_t)rig.store->revision);
}

TEST(a_document_with_errors_is_kept_out_until_it_is_mended)
{
    follow_two();
    rig_put(&rig, "z/ant", "space: ant\ncidr: nonsense\n");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    struct registry_status status = rig_status(&rig);
    ck_assert_uint_eq(status.kept_count, 1);
    ck_assert_str_eq(status.kept[0].space, "ant");
    ck_assert_int_eq(status.kept[0].kind, REGISTRY_KEPT);
    rig_put(&rig, "d/ant/bill/web", "1 crashed");
    rig_run(&rig, 10);
    ck_assert_str_eq(bill(), "1 crashed ");
    rig_put_space(&rig, "ant", "mended");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(mended) bee(news)");
    ck_assert_uint_eq(rig_status(&rig).kept_count, 0);
}

TEST(a_key_with_errors_leaves_what_is_in_force)
{
    follow_two();
    rig_put(&rig, "d/ant/bill/web", "1 flying 10.0.130.1");
    rig_run(&rig, 10);
    ck_assert_str_eq(bill(), "1 up 10.0.130.1 ");
    ck_assert_ptr_nonnull(strstr(rig.findings, "d/ant/bill/web@"));
    ck_assert_uint_eq(rig_status(&rig).bad_count, 1);
    rig_put(&rig, "d/ant/bill/web", "1 down");
    rig_run(&rig, 10);
    ck_assert_str_eq(bill(), "1 down ");
    ck_assert_uint_eq(rig_status(&rig).bad_count, 0);
}

static const struct {
    const char *value, *code;
} refused[] = {
    {"1 flying 10.0.130.1", "E-ENUM"},
    {"1 up 192.168.0.1", "E-DYNO-IP"},
};

/* Whether a restate refuses it, or a load after it. */
TEST_OVER(a_key_that_is_refused_is_bad_and_named_with_its_reason, refused)
{
    follow_two();
    rig_put(&rig, "d/ant/bill/web", refused[_i].value);
    rig_put(&rig, "d/ant/later/web", "1 down");
    rig_run(&rig, 10);
    struct registry_status status = rig_status(&rig);
    ck_assert_uint_eq(status.waiting_count, 1);
    ck_assert_uint_eq(status.bad_count, 1);
    ck_assert_str_eq(status.bad[0].key, "d/ant/bill/web@6");
    ck_assert_str_eq(status.bad[0].code, refused[_i].code);
    ck_assert_str_ne(status.bad[0].cause, "");
    rig_put_space(&rig, "ant", "bill! later");
    rig_run(&rig, 10);
    status = rig_status(&rig);
    ck_assert_uint_eq(status.waiting_count, 0);
    ck_assert_uint_eq(status.bad_count, 1);
    ck_assert_str_eq(status.bad[0].code, refused[_i].code);
    rig_put(&rig, "d/ant/bill/web", "1 down");
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).bad_count, 0);
}

TEST(a_load_names_the_keys_that_it_refuses)
{
    rig_put(&rig, "d/ant/shop/web", "1 up 192.168.0.1");
    follow_two();
    struct registry_status status = rig_status(&rig);
    ck_assert_uint_eq(status.waiting_count, 0);
    ck_assert_uint_eq(status.bad_count, 1);
    ck_assert_str_eq(status.bad[0].key, "d/ant/shop/web@2");
    ck_assert_str_eq(status.bad[0].code, "E-DYNO-IP");
}

TEST(keys_outside_of_the_layout_are_counted_and_ignored)
{
    follow_two();
    rig_put(&rig, "x/y", "1");
    rig_put(&rig, "d/ant/bill", "1");
    rig_put(&rig, "z/ant/b", "1");
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).ignored_count, 3);
    ck_assert_uint_eq(rig.loads, 1);
}

/* ---- the connection ---- */

TEST(a_lost_connection_is_resumed_without_a_full_read)
{
    follow_two();
    rig_put(&rig, "d/ant/bill/web", "1 crashed");
    rig_run(&rig, 10);
    rig_cut(&rig);
    expect_connected(false);
    rig_put(&rig, "d/ant/bill/web", "1 crashed");
    rig_follow(&rig);
    ck_assert_str_eq(bill(), "1 crashed ");
    ck_assert_uint_eq(rig_status(&rig).full_reads, 1);
    ck_assert_uint_eq(rig.told[REGISTRY_LOST], 1);
    ck_assert_uint_eq(rig.told[REGISTRY_CONNECTED], 2);
}

TEST(a_silent_member_is_left_within_8_s)
{
    follow_two();
    rig_run(&rig, 10);
    etcd_peer_set_silent(rig.peer, true);
    rig_run(&rig, 5900);
    expect_connected(true);
    unsigned opens = rig.opens;
    rig_run(&rig, 3000);
    ck_assert_uint_gt(rig.opens, opens);
    rig_follow(&rig);
    expect_connected(true);
}

TEST(a_member_that_goes_away_is_left)
{
    follow_two();
    etcd_peer_go_away(rig.peer, true, "bye");
    rig_settle(&rig);
    rig_put(&rig, "d/ant/bill/web", "1 crashed");
    rig_follow(&rig);
    rig_run(&rig, 3000);
    ck_assert_str_eq(bill(), "1 crashed ");
}

TEST(a_watch_that_ends_is_made_again)
{
    follow_two();
    etcd_peer_end_streams(rig.peer, ETCD_UNAVAILABLE, "etcdserver: no leader");
    rig_settle(&rig);
    expect_connected(false);
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "no leader"));
    rig_follow(&rig);
    expect_connected(true);
}

TEST(without_a_leader_a_fresh_replica_still_reads)
{
    rig_put_space(&rig, "ant", "bill!");
    rig.store->has_no_leader = true;
    rig_start(&rig);
    rig_run(&rig, 30000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill)");
    expect_connected(false);
    rig.store->has_no_leader = false;
    rig_put_space(&rig, "ant", "shop");
    rig_follow(&rig);
    rig_run(&rig, 1000);
    ck_assert_str_eq(rig_served(&rig), "ant(shop)");
}

/* ---- history ---- */

TEST(compacted_history_is_read_in_full)
{
    follow_two();
    rig_cut(&rig);
    rig.is_cut = true;
    rig_run(&rig, 1000);
    rig_put_space(&rig, "bee", "gone");
    rig_put(&rig, "d/ant/bill/web", "1 idle");
    rig_delete(&rig, "z/bee");
    rig_put_space(&rig, "cat", "new");
    etcd_store_compact(rig.store, rig.store->revision);
    rig.is_cut = false;
    rig_run(&rig, 90000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) cat(new)");
    ck_assert_str_eq(bill(), "1 idle ");
    ck_assert_uint_eq(rig_status(&rig).full_reads, 2);
}

/* etcd 3.4 passes over it: neither event nor error. */
TEST(a_deletion_that_history_was_compacted_to_is_found)
{
    follow_two();
    rig_put(&rig, "d/ant/shop/web", "1 crashed");
    rig_run(&rig, 10);
    rig_cut(&rig);
    rig_delete(&rig, "d/ant/shop/web");
    etcd_store_compact(rig.store, rig.store->revision);
    rig_run(&rig, 120000);
    ck_assert_str_eq(rig_dynos(&rig, "ant", "shop", "web"), "-");
}

/* The revision that is known to the follower is the deletion's: nothing has changed since. */
TEST(history_compacted_to_the_deletion_that_is_known_is_no_other_one)
{
    follow_two();
    rig_put(&rig, "d/ant/shop/web", "1 crashed");
    rig_delete(&rig, "d/ant/shop/web");
    rig_run(&rig, 10);
    etcd_store_compact(rig.store, rig.store->revision);
    rig_cut(&rig);
    rig_run(&rig, 3000);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_RESET], "compacted to revision 7, the last"));
    rig_follow(&rig);
    ck_assert_uint_eq(rig.told[REGISTRY_RESET], 1);
    ck_assert_uint_eq(rig_status(&rig).full_reads, 2);
    rig_cut(&rig);
    rig_follow(&rig);
    ck_assert_uint_eq(rig_status(&rig).full_reads, 2);
}

TEST(a_watch_is_resumed_after_a_deletion_that_history_still_has)
{
    follow_two();
    rig_put(&rig, "d/ant/shop/web", "1 crashed");
    rig_delete(&rig, "d/ant/shop/web");
    rig_run(&rig, 10);
    rig_cut(&rig);
    rig_put(&rig, "d/ant/bill/web", "1 idle");
    rig_follow(&rig);
    ck_assert_str_eq(bill(), "1 idle ");
    ck_assert_uint_eq(rig.told[REGISTRY_RESET], 0);
    ck_assert_uint_eq(rig_status(&rig).full_reads, 1);
}

TEST(a_key_that_waited_and_went_meanwhile_waits_no_more)
{
    follow_two();
    rig_put(&rig, "d/ant/later/web", "1 idle");
    rig_put(&rig, "d/cow/later/web", "1 idle");
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).waiting_count, 2);
    rig_cut(&rig);
    rig_delete(&rig, "d/ant/later/web");
    rig_delete(&rig, "d/cow/later/web");
    rig_put(&rig, "beat", "at_ms: 1\n");
    etcd_store_compact(rig.store, rig.store->revision);
    rig_run(&rig, 90000);
    ck_assert_uint_eq(rig_status(&rig).full_reads, 2);
    ck_assert_uint_eq(rig_status(&rig).waiting_count, 0);
}

TEST(a_registry_that_went_back_is_followed_after_a_full_read)
{
    follow_two();
    struct etcd_store *backup = etcd_store_backup(rig.store);
    rig_put_space(&rig, "cat", "later");
    rig_put(&rig, "d/ant/bill/web", "1 crashed");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news) cat(later)");
    etcd_store_restore(rig.store, backup);
    etcd_store_free(backup);
    rig_cut(&rig);
    rig_run(&rig, 90000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_str_eq(bill(), "1 up 10.0.130.1 ");
    ck_assert_uint_eq(rig.told[REGISTRY_RESET], 1);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_RESET], "went back"));
}

/* The revisions are those that were used before, for something else. */
TEST(a_restored_registry_that_has_passed_ours_is_found_out)
{
    follow_two();
    struct etcd_store *backup = etcd_store_backup(rig.store);
    rig_put_space(&rig, "ant", "bill! first");
    rig_put(&rig, "d/ant/bill/web", "1 crashed");
    rig_run(&rig, 10);
    rig_cut(&rig);
    etcd_store_restore(rig.store, backup);
    etcd_store_free(backup);
    rig_put_space(&rig, "ant", "bill! other");
    rig_put(&rig, "d/ant/bill/web", "1 idle");
    rig_put_space(&rig, "bee", "news! more");
    rig_run(&rig, 90000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,other) bee(news,more)");
    ck_assert_str_eq(bill(), "1 idle ");
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_RESET], "another history"));
}

TEST(another_registry_is_judged_by_the_guard)
{
    follow_two();
    rig_put(&rig, "meta", "format: 1\nid: two\n");
    rig_delete(&rig, "z/ant");
    rig.refused = "ant";
    rig_run(&rig, 90000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_uint_eq(rig.told[REGISTRY_OTHER], 1);
    ck_assert_str_eq(rig_status(&rig).id, "two");
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
    ck_assert_int_eq(rig_status(&rig).kept[0].kind, REGISTRY_HELD);
}

/* etcdctl del --prefix: meta goes with all the rest, in one revision. */
TEST(a_deleted_prefix_changes_nothing_until_it_is_restored)
{
    follow_two();
    etcd_store_delete(rig.store, "/spacedns/eu/", "/spacedns/eu0");
    rig_run(&rig, 90000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_str_eq(bill(), "1 up 10.0.130.1 ");
    expect_connected(false);
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "has no key /spacedns/eu/meta"));
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "correct registry.root"));
    rig_put(&rig, "meta", "format: 1\nid: one\n");
    rig_put_space(&rig, "ant", "bill! shop");
    rig_put_space(&rig, "bee", "later");
    rig_put(&rig, "d/ant/bill/web", "1 idle");
    rig_run(&rig, 40000);
    expect_connected(true);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(later)");
    ck_assert_str_eq(bill(), "1 idle ");
}

TEST(another_id_after_none_is_named)
{
    follow_two();
    etcd_store_delete(rig.store, "/spacedns/eu/", "/spacedns/eu0");
    rig_run(&rig, 10);
    rig_put(&rig, "meta", "format: 1\nid: two\n");
    rig.refused = "ant";
    rig_run(&rig, 120000);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_OTHER], "its id is two instead of one"));
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
}

TEST(a_newer_format_changes_nothing)
{
    follow_two();
    etcd_store_begin(rig.store);
    rig_put(&rig, "meta", "format: 2\nid: one\n");
    rig_delete(&rig, "d/ant/bill/web");
    etcd_store_commit(rig.store);
    rig_run(&rig, 5000);
    expect_connected(false);
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "format 2"));
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    unsigned opens = rig.opens;
    rig_run(&rig, 20000);
    ck_assert_uint_le(rig.opens, opens + 1);
}

/* ---- rights ---- */

TEST(a_replica_logs_in_and_renews_its_token)
{
    rig.store->user = "replica";
    rig.store->password = "secret";
    rig.options.user = "replica";
    rig.options.password = "secret";
    follow_two();
    etcd_store_expire_tokens(rig.store);
    rig_cut(&rig);
    rig_put(&rig, "d/ant/bill/web", "1 idle");
    rig_follow(&rig);
    ck_assert_str_eq(bill(), "1 idle ");
}

TEST(a_token_that_runs_out_in_a_read_is_renewed)
{
    char space[16];

    rig.store->user = "replica";
    rig.store->password = "secret";
    rig.options.user = "replica";
    rig.options.password = "secret";
    for (int i = 0; i < 26; i++) {
        snprintf(space, sizeof space, "%c", 'a' + i);
        rig_put_space(&rig, space, "bill!");
    }
    rig_start(&rig);
    rig_follow(&rig);
    rig_run(&rig, 5000);
    etcd_peer_cancel_watches(rig.peer, 1000, "compacted");
    etcd_store_fail(rig.store, ETCD_RANGE, ETCD_UNAUTHENTICATED, "etcdserver: invalid auth token",
                    16);
    rig.store->faults[ETCD_RANGE].spares = 3; /* meta, and two pages: then dynos, 16 at once */
    rig_run(&rig, 61000);
    expect_connected(true);
    ck_assert_uint_eq(rig_status(&rig).full_reads, 2);
    ck_assert_uint_eq(rig.told[REGISTRY_DENIED], 0);
    ck_assert_uint_eq(rig.store->faults[ETCD_RANGE].status, ETCD_OK);
}

TEST(a_wrong_password_is_told_and_tried_slowly)
{
    rig.store->user = "replica";
    rig.store->password = "secret";
    rig.options.user = "replica";
    rig.options.password = "wrong";
    rig_start(&rig);
    rig_run(&rig, 20000);
    ck_assert_uint_eq(rig.told[REGISTRY_DENIED], 1);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_DENIED], "user replica"));
    ck_assert_uint_le(rig.opens, 2);
    /* An operator corrects the file and has it read. */
    registry_change(rig.registry,
                    &(struct registry_live){.password = "secret", .stale_after_ms = 60000});
    registry_request_audit(rig.registry, rig.now_ms);
    rig_run(&rig, 1000);
    expect_connected(true);
}

TEST(a_prefix_that_may_not_be_read_is_told)
{
    rig.store->denied = octets_of("/spacedns/eu/");
    rig_start(&rig);
    rig_run(&rig, 1000);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_DENIED], "/spacedns/eu/"));
    rig.store->denied = (struct octets){.length = 0};
    rig_follow(&rig);
}

/* ---- guard, force, pause, canary ---- */

static void remove_held(void)
{
    follow_two();
    rig.refused = "bee";
    rig_delete(&rig, "z/bee");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
}

TEST(a_removal_that_is_held_can_be_accepted)
{
    remove_held();
    rig_put(&rig, "force", "by: me\naccept: ant\n");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    rig_put(&rig, "force", "by: me\naccept: bee\n");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop)");
    ck_assert_uint_eq(rig_status(&rig).kept_count, 0);
}

TEST(an_accept_is_for_what_was_held_then)
{
    remove_held();
    rig_put(&rig, "force", "by: me\naccept: all\n");
    rig_run(&rig, 10);
    rig_put_space(&rig, "bee", "again");
    rig_run(&rig, 10);
    rig_delete(&rig, "z/bee");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(again)");
}

TEST(force_of_the_same_revision_lets_through)
{
    follow_two();
    rig.refused = "bee";
    etcd_store_begin(rig.store);
    rig_put(&rig, "force", "by: me\nwhy: it is meant\n");
    rig_delete(&rig, "z/bee");
    etcd_store_commit(rig.store);
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop)");
}

TEST(force_of_another_revision_does_not)
{
    follow_two();
    rig.refused = "bee";
    rig_put(&rig, "force", "by: me\nwhy: it is meant\n");
    rig_put_space(&rig, "bee", "other");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
}

static const struct {
    bool is_before; /* it is written before the document that is served */
    const char *force, *served;
} removals[] = {
    {false, "by: me\nwhy: it is meant\nremove: bee\n", "ant(bill,shop)"},
    {false, "by: me\nwhy: it is meant\nremove: ant\n", "ant(bill,shop) bee(news)"},
    {true, "by: me\nwhy: it is meant\nremove: bee\n", "ant(bill,shop) bee(news)"},
};

/* Neither the removal nor its revision was seen: history is gone. */
TEST_OVER(a_removal_while_away_goes_by_the_force_that_names_it, removals)
{
    if (removals[_i].is_before)
        rig_put(&rig, "force", removals[_i].force);
    follow_two();
    rig.refused = "bee";
    rig_cut(&rig);
    etcd_store_begin(rig.store);
    if (!removals[_i].is_before)
        rig_put(&rig, "force", removals[_i].force);
    rig_delete(&rig, "z/bee");
    etcd_store_commit(rig.store);
    rig_put(&rig, "beat", "at_ms: 1\n");
    rig_put(&rig, "d/ant/bill/web", "1 idle");
    etcd_store_compact(rig.store, rig.store->revision);
    rig_run(&rig, 90000);
    ck_assert_uint_eq(rig_status(&rig).full_reads, 2);
    ck_assert_str_eq(rig_served(&rig), removals[_i].served);
}

TEST(while_paused_documents_stay_and_dynos_go_on)
{
    follow_two();
    rig_put(&rig, "pause", "by: me\nwhy: maintenance\n");
    rig_run(&rig, 10);
    ck_assert(rig_status(&rig).is_paused);
    ck_assert_str_eq(rig_status(&rig).pause, "me: maintenance");
    rig_put_space(&rig, "bee", "other");
    rig_put_space(&rig, "cat", "new");
    rig_delete(&rig, "z/ant");
    rig_put(&rig, "d/ant/bill/web", "1 idle");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_str_eq(bill(), "1 idle ");
    rig_delete(&rig, "pause");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "bee(other) cat(new)");
    ck_assert_uint_eq(rig.told[REGISTRY_PAUSED], 1);
    ck_assert_uint_eq(rig.told[REGISTRY_RESUMED], 1);
}

static const struct {
    const char *value, *said;
} pauses[] = {
    {"", "no name and no reason are known"},
    {"by: me\n", "me"},
    {"why: maintenance\n", "maintenance"},
    {"yes please", "no name and no reason are known"},
};

TEST_OVER(a_pause_is_one_whatever_its_value, pauses)
{
    follow_two();
    rig_put(&rig, "pause", pauses[_i].value);
    rig_run(&rig, 10);
    ck_assert(rig_status(&rig).is_paused);
    ck_assert_str_eq(rig_status(&rig).pause, pauses[_i].said);
}

TEST(an_endless_pause_is_one)
{
    static char value[(64 << 10) + 2];

    memset(value, '#', sizeof value - 1);
    follow_two();
    rig_put(&rig, "pause", value);
    rig_run(&rig, 10);
    ck_assert(rig_status(&rig).is_paused);
}

/* There is nothing yet that a pause could keep as it is. */
TEST(a_fresh_replica_serves_although_paused)
{
    rig_put(&rig, "pause", "by: me\n");
    follow_two();
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    rig_put_space(&rig, "bee", "other");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
}

static void put_candidates(void)
{
    rig_put(&rig, "next/ant",
            "space: ant\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
            "apps:\n  - {name: candidate}\n");
    rig_put(&rig, "next/bee", "-");
    rig_run(&rig, 10);
}

TEST(candidates_are_for_canaries)
{
    rig.options.is_canary = true;
    follow_two();
    put_candidates();
    ck_assert_str_eq(rig_served(&rig), "ant(candidate)");
    ck_assert_uint_eq(rig_status(&rig).candidate_count, 2);
    rig_delete(&rig, "next/ant");
    rig_delete(&rig, "next/bee");
    rig_run(&rig, 3000); /* their documents are read again */
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
}

TEST(others_only_count_candidates)
{
    follow_two();
    put_candidates();
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_uint_eq(rig_status(&rig).candidate_count, 2);
    ck_assert_uint_eq(rig.loads, 1);
}

TEST(names_let_go_on_purpose_are_handed_over_once)
{
    follow_two();
    rig.released[0] = '\0';
    etcd_store_begin(rig.store);
    rig_put(&rig, "config", "by: me\nrelease: a.example\nrelease: b.example\n");
    rig_put_space(&rig, "ant", "bill!");
    etcd_store_commit(rig.store);
    rig_run(&rig, 10);
    ck_assert_str_eq(rig.released, "a.example b.example ");
    rig_put_space(&rig, "ant", "bill! shop");
    rig_run(&rig, 10);
    ck_assert_str_eq(rig.released, "a.example b.example ");
}

TEST(a_document_unlike_what_is_fixed_is_kept_out)
{
    follow_two();
    etcd_store_begin(rig.store);
    rig_put_space(&rig, "cat", "new");
    rig_put(&rig, "f/cat",
            "space cidr=10.99.0.0/16 data_cidr=- region=- generation=cedar "
            "shield=false id=-\n");
    etcd_store_commit(rig.store);
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
    ck_assert_str_eq(rig_status(&rig).kept[0].code, "E-IMMUTABLE");
    rig_put(&rig, "f/cat",
            "space cidr=10.2.0.0/16 data_cidr=- region=- generation=cedar "
            "shield=false id=-\n");
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).kept_count, 0);
}

TEST(what_is_fixed_and_cannot_be_read_keeps_no_document_out)
{
    static const char document[] =
        "space: cat\ncidr: 10.2.0.0/16\ndata_cidr: 172.23.0.0/20\nrouters: [10.2.0.37]\n"
        "apps:\n  - {name: new}\n";

    follow_two();
    etcd_store_begin(rig.store);
    rig_put(&rig, "z/cat", document);
    rig_put(&rig, "f/cat", "fixed: {cidr: 10.2.0.0/16}\n");
    etcd_store_commit(rig.store);
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).kept_count, 0);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news) cat(new)");
}

/* While paused, what is shown is not the document that f/SPACE came with. */
TEST(a_document_is_compared_with_what_is_fixed_with_it)
{
    struct registry_keys keys;

    follow_two();
    rig_put(&rig, "pause", "by: me\nwhy: a test\n");
    etcd_store_begin(rig.store);
    rig_put(&rig, "z/bee", "space: bee\ncidr: 10.1.0.0/16\nregion: oregon\nrouters: [10.1.0.37]\n");
    rig_put(&rig, "f/bee", "space cidr=10.1.0.0/16 region=oregon\n");
    etcd_store_commit(rig.store);
    rig_run(&rig, 10);
    for (int paused = 1; paused >= 0; paused--) {
        rig.is_lazy = true;
        ck_assert(registry_take(rig.registry, REGISTRY_LOAD, &keys));
        ck_assert(registry_has_new_fixed(rig.registry, "bee") == (paused == 0));
        ck_assert(!registry_has_new_fixed(rig.registry, "ant"));
        registry_note_failed(rig.registry);
        rig_delete(&rig, "pause");
        rig_run(&rig, 10);
    }
}

TEST(a_selection_is_all_there_is)
{
    static const char *const selected[] = {"bee"};

    rig.options.spaces = selected;
    rig.options.space_count = 1;
    rig_put(&rig, "d/bee/news/web", "1 crashed");
    follow_two();
    ck_assert_str_eq(rig_served(&rig), "bee(news)");
    ck_assert_str_ne(rig_dynos(&rig, "bee", "news", "web"), "-");
    rig_put_space(&rig, "ant", "other");
    rig_put_space(&rig, "cat", "other");
    rig_put(&rig, "d/ant/bill/web", "1 idle");
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig.loads, 1);
    ck_assert_uint_eq(rig_status(&rig).waiting_count, 0);
}

/* ---- audits ---- */

/* What a faulty etcd does: a change without an event. */
static void change_in_silence(const char *key, const char *value)
{
    if (value == NULL)
        rig_delete(&rig, key);
    else
        rig_put(&rig, key, value);
    etcd_peer_lose_changes(rig.peer);
}

static const struct {
    const char *key, *value;
} silent_changes[] = {
    {"d/ant/bill/web", "1 crashed"},
    {"d/ant/bill/web", NULL},
    {"d/ant/bill/run", "1 crashed"},
};

TEST_OVER(an_audit_finds_and_mends_a_lost_change, silent_changes)
{
    follow_two();
    change_in_silence(silent_changes[_i].key, silent_changes[_i].value);
    rig_put(&rig, "beat", "at_ms: 1\n");
    rig_run(&rig, 180000);
    ck_assert_uint_eq(rig_status(&rig).audit_differences, 1);
    ck_assert_uint_eq(rig.told[REGISTRY_AUDIT], 1);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_AUDIT], "space ant "));
    ck_assert_ptr_nonnull(
        strstr(rig.texts[REGISTRY_AUDIT], ": 1 of its keys differed, and is as it is there now;"));
    if (silent_changes[_i].value == NULL)
        ck_assert_str_eq(rig_dynos(&rig, "ant", "bill", "web"), "-");
    rig_run(&rig, 600000);
    ck_assert_uint_eq(rig_status(&rig).audit_differences, 1);
}

#define FIXED_OF(cidr)                                                                             \
    "space cidr=" cidr " data_cidr=- region=- generation=cedar shield=false id=-\n"

static const struct {
    const char *key, *value;
    size_t kept; /* spaces, once it is known */
    const char *served;
} silent_names[] = {
    {"f/dog", FIXED_OF("10.99.0.0/16"), 1, "ant(bill,shop) bee(news)"},
    {"f/bee", NULL, 0, "ant(bill,shop) bee(news)"},
    {"next/ant",
     "space: ant\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\napps:\n  - {name: candidate}\n", 0,
     "ant(candidate) bee(news)"},
    {"next/bee", "-", 0, "ant(bill,shop)"},
    {"next/cat", NULL, 0, "ant(bill,shop) bee(news)"},
};

/* On channel canary, where candidates count. */
TEST_OVER(an_audit_finds_every_key_that_was_lost, silent_names)
{
    rig.options.is_canary = true;
    rig_put(&rig, "f/bee", FIXED_OF("10.1.0.0/16"));
    rig_put(&rig, "next/cat",
            "space: cat\ncidr: 10.2.0.0/16\nrouters: [10.2.0.37]\napps:\n  - {name: new}\n");
    follow_two();
    change_in_silence(silent_names[_i].key, silent_names[_i].value);
    rig_put(&rig, "beat", "at_ms: 1\n");
    rig_run(&rig, 10);
    registry_request_audit(rig.registry, rig.now_ms);
    rig_run(&rig, 5000);
    ck_assert_uint_eq(rig_status(&rig).audit_differences, 1);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_AUDIT], "1 key of the registry was not known"));
    if (strcmp(silent_names[_i].key, "next/cat") != 0)
        ck_assert_ptr_nonnull(strstr(rig_served(&rig), silent_names[_i].served));
    else
        ck_assert_str_eq(rig_served(&rig), silent_names[_i].served);
    if (silent_names[_i].kept == 0)
        return;
    rig_put_space(&rig, "dog", "other");
    rig_run(&rig, 10);
    struct registry_status status = rig_status(&rig);
    ck_assert_uint_eq(status.kept_count, silent_names[_i].kept);
    ck_assert_str_eq(status.kept[0].code, "E-IMMUTABLE");
}

TEST(an_audit_finds_a_force_that_was_lost)
{
    remove_held();
    change_in_silence("force", "by: me\naccept: bee\n");
    rig_put(&rig, "beat", "at_ms: 1\n");
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
    registry_request_audit(rig.registry, rig.now_ms);
    rig_run(&rig, 5000);
    ck_assert_uint_eq(rig_status(&rig).kept_count, 0);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop)");
    ck_assert_uint_eq(rig_status(&rig).audit_differences, 1);
}

TEST(audits_of_what_is_right_find_nothing)
{
    follow_two();
    rig_put(&rig, "d/ant/bill/web", "1 flying");
    rig_put(&rig, "d/ant/later/web", "1 down");
    rig_put(&rig, "d/ant/shop/web", "1 up 192.168.0.1");
    rig_put(&rig, "z/bee", "nonsense: [");
    rig_run(&rig, 900000);
    ck_assert_uint_ge(rig_status(&rig).audits, 10);
    ck_assert_uint_eq(rig_status(&rig).audit_differences, 0);
    rig_put_space(&rig, "ant", "bill!");
    rig_run(&rig, 900000);
    ck_assert_uint_eq(rig_status(&rig).audit_differences, 0);
}

TEST(an_audit_knows_of_a_deletion_that_waits_for_the_end_of_a_take)
{
    struct registry_keys keys;

    follow_two();
    rig.is_lazy = true;
    rig_put(&rig, "d/ant/nobody/run", "1 idle");
    rig_run(&rig, 10);
    ck_assert(registry_take(rig.registry, REGISTRY_RESTATE, &keys));
    rig_delete(&rig, "d/ant/nobody/run");
    rig_run(&rig, 10);
    registry_request_audit(rig.registry, rig.now_ms);
    rig_run(&rig, 5000);
    ck_assert_uint_gt(rig_status(&rig).audits, 0);
    ck_assert_uint_eq(rig_status(&rig).audit_differences, 0);
    registry_note_failed(rig.registry);
    rig.is_lazy = false;
    rig_adopt(&rig);
    ck_assert_uint_eq(rig_status(&rig).waiting_count, 0);
}

TEST(an_audit_of_everything_can_be_asked_for)
{
    follow_two();
    uint64_t before = rig_status(&rig).audits;
    registry_request_audit(rig.registry, rig.now_ms);
    rig_run(&rig, 100);
    ck_assert_uint_ge(rig_status(&rig).audits, before + 2);
}

TEST(a_document_that_an_audit_finds_comes_with_its_dynos)
{
    follow_two();
    rig_put_space(&rig, "cat", "milk!");
    rig_put(&rig, "d/cat/milk/web", "1 crashed");
    etcd_peer_lose_changes(rig.peer);
    rig_put(&rig, "beat", "at_ms: 1\n");
    rig_run(&rig, 100);
    registry_request_audit(rig.registry, rig.now_ms);
    rig_run(&rig, 1000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news) cat(milk)");
    ck_assert_str_ne(rig_dynos(&rig, "cat", "milk", "web"), "-");
    uint64_t audits = rig_status(&rig).audits;
    rig_run(&rig, 2000);
    ck_assert_uint_le(rig_status(&rig).audits, audits + 1);
}

TEST(an_audit_without_a_reply_ends_the_connection)
{
    follow_two();
    etcd_store_silence(rig.store, ETCD_RANGE);
    registry_request_audit(rig.registry, rig.now_ms);
    rig_run(&rig, 25000);
    expect_connected(true);
    rig_run(&rig, 10000);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_LOST], "no reply to an audit"));
    etcd_store_heal(rig.store);
    rig_follow(&rig);
    registry_request_audit(rig.registry, rig.now_ms);
    uint64_t before = rig_status(&rig).audits;
    rig_run(&rig, 100);
    ck_assert_uint_ge(rig_status(&rig).audits, before + 2);
}

/* ---- responses that are none ---- */

TEST(a_call_has_one_response)
{
    rig_put_space(&rig, "ant", "bill! shop");
    etcd_store_repeat(rig.store, ETCD_RANGE, 5);
    rig_start(&rig);
    rig_run(&rig, 5000);
    ck_assert(!registry_is_known(rig.registry));
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_LOST], "two responses to one call"));
    etcd_store_heal(rig.store);
    rig_follow(&rig);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop)");
    etcd_store_repeat(rig.store, ETCD_RANGE, 3);
    registry_request_audit(rig.registry, rig.now_ms);
    rig_run(&rig, 1000);
    etcd_store_heal(rig.store);
    rig_follow(&rig);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop)");
}

TEST(a_call_that_ends_well_without_a_response_has_failed)
{
    follow_two();
    etcd_store_repeat(rig.store, ETCD_RANGE, 0);
    registry_request_audit(rig.registry, rig.now_ms);
    rig_run(&rig, 1000);
    etcd_store_heal(rig.store);
    registry_request_audit(rig.registry, rig.now_ms);
    uint64_t before = rig_status(&rig).audits;
    rig_run(&rig, 100);
    ck_assert_uint_ge(rig_status(&rig).audits, before + 2);
    etcd_store_repeat(rig.store, ETCD_RANGE, 0);
    rig_cut(&rig);
    rig_run(&rig, 2000);
    expect_connected(false);
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "without a response"));
}

/* ---- liveness ---- */

TEST(age_and_lag_are_the_beats)
{
    char value[64];

    follow_two();
    ck_assert_int_eq(rig_status(&rig).lag_ms, -1);
    snprintf(value, sizeof value, "at_ms: %llu\nby: scheduler\n",
             (unsigned long long)rig.now_ms + 1000000 - 250);
    rig_put(&rig, "beat", value);
    rig_run(&rig, 0);
    ck_assert_int_eq(rig_status(&rig).lag_ms, 250);
    ck_assert_int_eq(rig_status(&rig).age_ms, 0);
    rig_run(&rig, 59000);
    ck_assert(!rig_status(&rig).is_stale);
    ck_assert_int_eq(rig_status(&rig).age_ms, 59000);
    rig_run(&rig, 2000);
    ck_assert(rig_status(&rig).is_stale);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
}

TEST(a_beat_without_its_time_has_an_age_and_no_lag)
{
    follow_two();
    rig_put(&rig, "beat", "1796119828 by the scheduler");
    rig_run(&rig, 3000);
    ck_assert_int_eq(rig_status(&rig).lag_ms, -1);
    ck_assert_int_eq(rig_status(&rig).age_ms, 3000);
}

TEST(a_replica_announces_soon_what_it_has_taken)
{
    rig.options.announces = true;
    rig.options.server_id = "ns1";
    follow_two();
    rig_run(&rig, 2500);
    const char *value = etcd_store_value(rig.store, "/spacedns-replicas/eu/ns1");
    ck_assert_ptr_nonnull(value);
    ck_assert_ptr_null(strstr(value, "revision: 0\n"));
    rig_run(&rig, 8000);
    rig_put(&rig, "z/bee", "nonsense: [");
    rig_run(&rig, 2500);
    ck_assert_ptr_nonnull(
        strstr(etcd_store_value(rig.store, "/spacedns-replicas/eu/ns1"), "kept: bee "));
}

TEST(a_replica_announces_that_changes_wait_for_long)
{
    static const char key[] = "/spacedns-replicas/eu/ns1";
    char known[32];

    rig.options.announces = true;
    rig.options.server_id = "ns1";
    follow_two();
    rig_run(&rig, 10000);
    rig.is_lazy = true;
    rig_put(&rig, "d/ant/bill/web", "1 crashed");
    snprintf(known, sizeof known, "\nknown: %lld\nwaits_ms: ", (long long)rig.store->revision);
    rig_run(&rig, 30000);
    ck_assert_ptr_nonnull(strstr(etcd_store_value(rig.store, key), known));
    rig.is_lazy = false;
    rig_run(&rig, 30000);
    ck_assert_ptr_null(strstr(etcd_store_value(rig.store, key), "known"));
    ck_assert_ptr_null(strstr(etcd_store_value(rig.store, key), "waits_ms"));
}

TEST(an_announcement_that_etcd_has_no_space_for_is_no_missing_right)
{
    rig.options.announces = true;
    rig.options.server_id = "ns1";
    rig_put_space(&rig, "ant", "bill! shop");
    rig_start(&rig);
    etcd_store_fail(rig.store, ETCD_PUT, ETCD_RESOURCE_EXHAUSTED,
                    "etcdserver: mvcc: database space exceeded", 0);
    rig_follow(&rig);
    rig_run(&rig, 2500);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_DENIED], "etcdctl alarm disarm"));
    ck_assert_ptr_null(strstr(rig.texts[REGISTRY_DENIED], "give its role"));
}

TEST(a_replica_that_serves_nothing_yet_is_not_listed)
{
    rig.options.announces = true;
    rig.options.server_id = "ns1";
    rig.is_lazy = true;
    rig_put_space(&rig, "ant", "bill!");
    rig_start(&rig);
    rig_run(&rig, 30000);
    expect_connected(true);
    ck_assert_ptr_null(etcd_store_value(rig.store, "/spacedns-replicas/eu/ns1"));
    rig.is_lazy = false;
    rig_run(&rig, 1000);
    const char *value = etcd_store_value(rig.store, "/spacedns-replicas/eu/ns1");
    ck_assert_ptr_nonnull(value);
    ck_assert_ptr_null(strstr(value, "revision: 0\n"));
}

TEST(a_replica_announces_itself_on_a_lease)
{
    rig.options.announces = true;
    rig.options.server_id = "ns1";
    follow_two();
    rig_put(&rig, "z/bee", "nonsense: [");
    rig_run(&rig, 30000);
    const char *value = etcd_store_value(rig.store, "/spacedns-replicas/eu/ns1");
    ck_assert_ptr_nonnull(value);
    ck_assert_ptr_nonnull(strstr(value, "version: 1\nformat: 1\nchannel: stable\nkept: bee "));
    ck_assert_uint_ge(etcd_peer_calls(rig.peer, ETCD_LEASE_KEEP_ALIVE), 1);
    const struct etcd_version *version =
        etcd_store_get(rig.store, octets_of("/spacedns-replicas/eu/ns1"), rig.store->revision);
    ck_assert_int_ne(version->lease, 0);
    ck_assert_int_eq(rig_status(&rig).is_connected, true);
}

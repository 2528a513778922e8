#include "spacedns/replica_judge.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { NOW_MS = 1000 * 1000 };

/* A cell that was changed last at revision 100. */
static struct replica_list list;
static struct replica_cell cell;
static struct keys keys;

static void open_list(void)
{
    struct err err;

    ck_assert(keys_init(&keys, "/spacedns", "eu", &err));
    list = (struct replica_list){.arena = arena_new()};
    ck_assert_ptr_nonnull(list.arena);
    cell = (struct replica_cell){.changed = 100, .changed_at = "2026-12-01T10:00:00Z"};
}

static void close_list(void)
{
    replica_list_close(&list);
}

FIXTURE(open_list, close_list)

/* Announced at a revision of etcd, some seconds ago; `more` has other lines. */
static void announce(const char *name, int revision, int written, int seconds, const char *more)
{
    char key[128], value[1024];

    snprintf(key, sizeof key, "/spacedns-replicas/eu/%s", name);
    snprintf(value, sizeof value,
             "revision: %d\nat_ms: %d\nversion: 1.0\nformat: 1\nchannel: stable\n%s", revision,
             NOW_MS - seconds * 1000, more);
    const struct etcd_pair pair = {
        .key = octets_of(key), .value = octets_of(value), .mod_revision = written};
    ck_assert(replica_list_add(&list, &keys, &pair));
}

static struct replica_verdict judge(size_t i)
{
    return replica_judge(&list.items[i], &cell, NOW_MS);
}

static const char *state_of(size_t i)
{
    static char state[512];
    const struct replica_verdict verdict = judge(i);
    struct text text = text_over(state, sizeof state - 1);

    replica_write_state(&list.items[i], &verdict, &text);
    *text.next = '\0';
    return state;
}

static void expect_sum(bool are_well, const char *wanted)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    ck_assert_int_eq(replica_print_sum(&list, &cell, NOW_MS, out), are_well);
    fclose(out);
    ck_assert_str_eq(text, wanted);
    free(text);
}

TEST(replicas_that_have_the_last_change_are_well)
{
    announce("ns1", 100, 101, 20, "");
    announce("ns2", 140, 141, 3, "");
    ck_assert_str_eq(state_of(0), "ok");
    ck_assert_str_eq(state_of(1), "ok");
    expect_sum(true, "2 replicas, all are well\n");
}

TEST(one_replica_is_counted_as_one)
{
    announce("ns1", 100, 101, 20, "");
    expect_sum(true, "1 replica, which is well\n");
}

TEST(a_replica_that_speaks_after_a_change_without_having_it_is_behind)
{
    announce("ns1", 100, 102, 20, "");
    announce("ns2", 97, 103, 3, "");
    ck_assert(judge(0).is_well);
    ck_assert_str_eq(state_of(1), "! behind by 3 revisions since 2026-12-01T10:00:00Z");
    expect_sum(false, "2 replicas, 1 is behind (ns2): for the reason, see spacedns status and the "
                      "log there\n");
}

TEST(when_documents_were_written_past_a_push_nobody_knows)
{
    cell.changed_at[0] = '\0';
    announce("ns1", 99, 102, 20, "");
    ck_assert_str_eq(state_of(0), "! behind by 1 revision");
}

TEST(a_replica_that_has_not_spoken_since_a_change_is_not_behind)
{
    announce("ns1", 97, 98, 20, "");
    ck_assert_str_eq(state_of(0), "no word since the last change");
    expect_sum(true, "1 replica, which is well\n");
}

TEST(a_replica_that_says_that_changes_wait_is_behind)
{
    announce("ns1", 120, 131, 10, "known: 130\nwaits_ms: 990000\n");
    ck_assert_str_eq(state_of(0), "! behind by 10 revisions since 1970-01-01T00:00:00Z");
}

TEST(of_two_revisions_without_a_change_between_neither_is_behind)
{
    announce("ns1", 130, 131, 10, ""); /* has read all that etcd had */
    announce("ns2", 100, 141, 3, "");  /* has followed since the last change */
    ck_assert_str_eq(state_of(0), "ok");
    ck_assert_str_eq(state_of(1), "ok");
}

TEST(a_replica_that_misses_two_of_its_words_is_stale)
{
    announce("ns1", 100, 101, 45, "");
    announce("ns2", 100, 102, 46, "");
    ck_assert_str_eq(state_of(0), "ok");
    ck_assert_str_eq(state_of(1), "! stale");
    expect_sum(false,
               "2 replicas, 1 is stale (ns2): see whether it runs and reaches etcd, and has the "
               "right time; after a minute without a word it leaves this list\n");
}

TEST(a_replica_that_holds_the_dynos_of_apps_says_of_how_many)
{
    announce("ns1", 100, 101, 3, "held_apps: 1\n");
    announce("ns2", 100, 102, 3, "held_apps: 40\n");
    ck_assert_str_eq(state_of(0), "! holds the dynos of 1 app");
    ck_assert_str_eq(state_of(1), "! holds the dynos of 40 apps");
    expect_sum(false, "2 replicas, 2 hold deleted dynos (ns1 and 1 more): have the scheduler write "
                      "these again, or if they are meant to go: spacedns registry:accept\n");
}

TEST(a_long_list_of_spaces_is_shortened_with_a_count)
{
    announce("ns1", 100, 101, 3,
             "held: a-space\nkept: b-space E-DOM-NAME\nkept: c-space E-CUT\nkept: d-space E-CUT\n"
             "kept: e-space E-CUT\nheld: f-space\n");
    ck_assert_str_eq(state_of(0), "! holds a-space, f-space, keeps b-space (E-DOM-NAME), c-space "
                                  "(E-CUT) and 2 more");
    ck_assert_uint_eq(list.items[0].kept_count, 6);
    ck_assert(replica_keeps(&list.items[0], "e-space"));
    ck_assert(!replica_keeps(&list.items[0], "space"));
}

TEST(a_pause_is_told_though_all_are_well)
{
    cell.is_paused = true;
    strcpy(cell.paused_by, "alice@host");
    strcpy(cell.why, "storm");
    announce("ns1", 100, 101, 3, "");
    expect_sum(true,
               "1 replica, which is well; documents are paused by alice@host: storm; spacedns "
               "registry:resume ends it\n");
}

TEST(of_several_faults_each_has_its_remedy)
{
    cell.is_paused = true;
    strcpy(cell.paused_by, "alice@host");
    strcpy(cell.why, "storm");
    announce("ns1", 90, 101, 50, "held: a-space\nkept: b-space E-CUT\n");
    expect_sum(
        false,
        "1 replica, 1 is behind (ns1), 1 is stale (ns1), 1 holds spaces (ns1), 1 keeps spaces "
        "(ns1): for the reason, see spacedns status and the log there; see whether it runs and "
        "reaches etcd, and has the right time; after a minute without a word it leaves this list; "
        "put back what vanishes with spacedns push, or if it is meant: spacedns registry:accept "
        "SPACE; push their zone files without errors; documents are paused by alice@host: storm; "
        "spacedns registry:resume ends it\n");
}

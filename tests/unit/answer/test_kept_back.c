// wrap: malloc calloc realloc
// forks: its tests leave something behind
#include "answer/kept_back_change.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/allocations.h"
#include "support/packets.h"
#include "support/suite.h"
#include "support/zones.h"

enum { MANY = 20000, DEPTH_ALL = 0 };

static struct kept_back *kept;

static void tear_down(void)
{
    kept_back_release(kept);
    kept = NULL;
}

static struct name name_of(const char *text)
{
    struct name name;

    ck_assert_msg(name_from_text(text, &name), "%s", text);
    return name;
}

static void begin(struct kept_back_change *change)
{
    struct hash_key key = key_usual();

    kept_back_change_begin(change, kept, &key);
}

static void finish(struct kept_back_change *change)
{
    struct kept_back *next = kept_back_change_finish(change);

    ck_assert(!change->has_failed);
    kept_back_release(kept);
    kept = next;
}

static void add(struct kept_back_change *change, const char *text)
{
    struct name name = name_of(text);

    kept_back_change_add(change, &name, false);
}

/* One cohort of one name. */
static void keep(uint64_t generation, int64_t since_s, const char *text)
{
    struct kept_back_change change;

    begin(&change);
    kept_back_change_cohort(&change, generation, since_s, since_s, "a-space", "zones/a.yaml");
    add(&change, text);
    finish(&change);
}

static bool find(const char *text, unsigned depth, struct kept_back_entry *entry)
{
    struct name name = name_of(text);

    return kept_back_find(kept, &name, kept_back_hash(kept, &name), depth, entry);
}

static bool has(const char *text)
{
    struct kept_back_entry entry;

    return kept != NULL && find(text, DEPTH_ALL, &entry);
}

FIXTURE(NULL, tear_down)

TEST(a_name_is_found_with_what_fell_out_with_it)
{
    struct kept_back_entry entry;

    keep(7, 1000, "api.example.com");
    ck_assert(find("api.example.com", DEPTH_ALL, &entry));
    ck_assert_uint_eq(entry.cohort->generation, 7);
    ck_assert_int_eq(entry.cohort->since_s, 1000);
    ck_assert_str_eq(entry.cohort->space, "a-space");
    ck_assert_str_eq(entry.cohort->file, "zones/a.yaml");
    ck_assert(!entry.is_apex);
    ck_assert(!has("example.com") && !has("x.api.example.com") && !has("api.example.org"));
}

static const struct {
    const char *name;
    unsigned depth;
    bool is_covered;
} covered[] = {
    {"a.apps.example.com", 0, true},       {"c.b.a.apps.example.com", 0, true},
    {"*.apps.example.com", 0, true},       {"apps.example.com", 0, false},
    {"_dmarc.apps.example.com", 0, false}, {"a._b.apps.example.com", 0, false},
    {"xapps.example.com", 0, false},       {"a.apps.example.com", 3, true},
    {"a.apps.example.com", 4, false},      {"com", 0, false},
};

TEST_OVER(a_wildcard_covers_what_a_declared_one_would, covered)
{
    struct kept_back_entry entry;

    keep(1, 0, "*.apps.example.com");
    bool found = find(covered[_i].name, covered[_i].depth, &entry);
    ck_assert_msg(found == covered[_i].is_covered, "%s", covered[_i].name);
}

TEST(the_last_wildcard_of_a_depth_removes_the_depth)
{
    struct name name = name_of("*.apps.example.com");
    struct kept_back_change change;

    keep(1, 0, "*.apps.example.com");
    keep(1, 0, "plain.example.com");
    ck_assert_uint_eq(kept->wildcard_depths[0], 1 << 4);
    begin(&change);
    ck_assert(kept_back_change_remove(&change, &name));
    ck_assert(!kept_back_change_remove(&change, &name));
    finish(&change);
    ck_assert_uint_eq(kept->wildcard_depths[0], 0);
    ck_assert(!has("a.apps.example.com") && has("plain.example.com"));
}

TEST(the_table_before_stays_as_it_was)
{
    struct kept_back_entry entry;
    struct name name = name_of("one.example.com");

    keep(1, 0, "one.example.com");
    struct kept_back *before = kept_back_hold(kept);
    keep(2, 0, "two.example.com");
    keep(3, 0, "one.example.com");
    ck_assert(kept_back_find(before, &name, kept_back_hash(before, &name), 0, &entry));
    ck_assert_uint_eq(entry.cohort->generation, 1);
    ck_assert_uint_eq(before->count, 1);
    ck_assert_uint_eq(kept->count, 2);
    ck_assert(find("one.example.com", 0, &entry) && entry.cohort->generation == 3);
    kept_back_release(before);
}

TEST(a_name_twice_in_one_cohort_is_one_name)
{
    struct kept_back_change change;

    begin(&change);
    kept_back_change_cohort(&change, 1, 0, 0, "a-space", "a.yaml");
    add(&change, "one.example.com");
    add(&change, "one.example.com");
    finish(&change);
    ck_assert_uint_eq(kept->count, 1);
    ck_assert_uint_eq(kept->cohorts[0]->count, 1);
}

TEST(nothing_kept_back_is_no_table)
{
    struct kept_back_change change;
    struct name name = name_of("one.example.com");

    begin(&change);
    kept_back_change_cohort(&change, 1, 0, 0, "a-space", "a.yaml");
    finish(&change);
    ck_assert_ptr_null(kept);
    keep(1, 0, "one.example.com");
    begin(&change);
    ck_assert(kept_back_change_remove(&change, &name));
    finish(&change);
    ck_assert_ptr_null(kept);
}

TEST(names_go_when_their_time_is_over)
{
    struct kept_back_change change;

    keep(1, 100, "old.example.com");
    keep(2, 200, "young.example.com");
    begin(&change);
    ck_assert_uint_eq(kept_back_change_expire(&change, 99), 0);
    ck_assert_uint_eq(kept_back_change_expire(&change, 100), 1);
    finish(&change);
    ck_assert(!has("old.example.com") && has("young.example.com"));
    ck_assert_uint_eq(kept->pushed_out, 0);
}

TEST(the_oldest_names_go_when_there_are_too_many_and_are_counted)
{
    struct kept_back_change change;

    keep(2, 200, "young.example.com");
    begin(&change);
    kept_back_change_cohort(&change, 1, 0, 100, "a-space", "a.yaml");
    add(&change, "first.example.com");
    add(&change, "second.example.com");
    kept_back_change_cohort(&change, 1, 0, 100, "b-space", "b.yaml");
    add(&change, "third.example.com");
    ck_assert_uint_eq(kept_back_change_limit(&change, 4), 0);
    ck_assert_uint_eq(kept_back_change_limit(&change, 3), 1);
    finish(&change);
    ck_assert(has("first.example.com") != has("second.example.com"));
    ck_assert(has("third.example.com") && has("young.example.com"));
    ck_assert_uint_eq(kept->pushed_out, 1);
}

/* Compared with a plain array, over many steps. */
TEST_LOOP(it_is_the_set_that_was_added_and_not_removed, 0, 3)
{
    enum { NAMES = 500, ROUNDS = 200, STEPS = 40 };
    static bool wanted[NAMES];
    struct dice dice = {.state = 0x5eed + (uint64_t)_i};
    char text[64];

    memset(wanted, 0, sizeof wanted);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        struct kept_back_change change;
        size_t count = 0;
        begin(&change);
        kept_back_change_cohort(&change, round, 0, round, "a-space", "a.yaml");
        for (int i = 0; i < STEPS; i++) {
            uint32_t number = dice_roll(&dice, NAMES);
            snprintf(text, sizeof text, "n%u.example.com", number);
            struct name name = name_of(text);
            if (dice_roll(&dice, 2) == 0) {
                kept_back_change_add(&change, &name, false);
                wanted[number] = true;
            } else {
                ck_assert(kept_back_change_remove(&change, &name) == wanted[number]);
                wanted[number] = false;
            }
        }
        finish(&change);
        for (unsigned i = 0; i < NAMES; i++) {
            snprintf(text, sizeof text, "n%u.example.com", i);
            ck_assert_msg(has(text) == wanted[i], "%s in round %u", text, round);
            count += wanted[i];
        }
        ck_assert_uint_eq(kept == NULL ? 0 : kept->count, count);
    }
}

static bool count_name(void *context, const struct name *name, const struct kept_back_entry *entry)
{
    size_t *count = context;

    ck_assert_uint_gt(name->length, 1);
    ck_assert_ptr_nonnull(entry->cohort);
    ++*count;
    return true;
}

TEST(stored_names_take_16_octets_each_at_most)
{
    struct kept_back_change change;
    char text[64];
    size_t count = 0;

    begin(&change);
    kept_back_change_cohort(&change, 1, 0, 0, "a-space", "a.yaml");
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "app-%u.herokuapp.com", i);
        add(&change, text);
    }
    finish(&change);
    ck_assert_uint_eq(kept->count, MANY);
    ck_assert(kept_back_walk(kept, count_name, &count));
    ck_assert_uint_eq(count, MANY);
    kept_back_drop_names(kept);
    ck_assert_uint_le(kept_back_octets(kept), (size_t)16 * MANY + sizeof *kept);
    ck_assert(has("app-7.herokuapp.com"));
    count = 0;
    ck_assert(kept_back_walk(kept, count_name, &count));
    ck_assert_uint_eq(count, 0);
}

TEST(a_change_without_memory_changes_nothing)
{
    struct kept_back_change change;
    struct name gone = name_of("*.two.example.com");
    struct kept_back *next;
    size_t failures = 0;

    keep(1, 100, "one.example.com");
    keep(2, 200, "*.two.example.com");
    do {
        allocations_fail(++failures);
        begin(&change);
        kept_back_change_cohort(&change, 3, 0, 300, "a-space", "a.yaml");
        add(&change, "three.example.com");
        add(&change, "one.example.com");
        kept_back_change_remove(&change, &gone);
        kept_back_change_expire(&change, 99);
        kept_back_change_limit(&change, 1);
        next = kept_back_change_finish(&change);
        allocations_fail(0);
        ck_assert(has("one.example.com") && has("a.two.example.com"));
        ck_assert_uint_eq(kept->count, 2);
        ck_assert((next == NULL) == change.has_failed);
    } while (change.has_failed);
    ck_assert_uint_gt(failures, 8);
    ck_assert_uint_eq(next->count, 1);
    kept_back_release(next);
}

/* ---- our own mistakes ---- */

static void remove_one(const char *text)
{
    struct kept_back_change change;
    struct name name = name_of(text);

    begin(&change);
    kept_back_change_remove(&change, &name);
}

static void release_twice(void)
{
    kept->holds = 0;
    kept_back_release(kept);
}

static void add_to_no_cohort(void)
{
    struct kept_back_change change;

    begin(&change);
    add(&change, "two.example.com");
}

static void remove_more_than_all(void)
{
    kept->count = 0;
    remove_one("one.example.com");
}

static void remove_more_than_a_cohort(void)
{
    kept->alive[0] = 0;
    remove_one("one.example.com");
}

static void move_more_than_a_cohort(void)
{
    kept->alive[0] = 0;
    keep(2, 0, "one.example.com");
}

static void remove_more_than_a_depth(void)
{
    kept->wildcard_counts[3] = 0;
    remove_one("*.example.com");
}

static void find_beyond_the_cohorts(void)
{
    kept->cohort_count = 0;
    has("one.example.com");
}

static void (*const mistakes[])(void) = {
    release_twice,           add_to_no_cohort,
    remove_more_than_all,    remove_more_than_a_cohort,
    move_more_than_a_cohort, remove_more_than_a_depth,
    find_beyond_the_cohorts,
};

TEST_OVER_SIGNAL(counters_that_disagree_end_the_process, mistakes, SIGABRT)
{
    struct kept_back_change change;

    begin(&change);
    kept_back_change_cohort(&change, 1, 0, 0, "a-space", "a.yaml");
    add(&change, "one.example.com");
    add(&change, "*.example.com");
    finish(&change);
    mistakes[_i]();
}

#include "registry/dyno_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static void put(struct dyno_table *table, const char *space, const char *app, uint64_t revision)
{
    ck_assert(dyno_table_put(table, dyno_key_gone(space, app, "web", revision), 0));
}

static uint64_t revision_of(const struct dyno_table *table, const char *space, const char *app)
{
    const struct dyno_slot *slot = dyno_table_find(table, space, app, "web");

    return slot == NULL ? 0 : slot->key->revision;
}

TEST(a_key_is_found_by_its_three_names)
{
    struct dyno_table table = {.count = 0};

    ck_assert_ptr_null(dyno_table_find(&table, "s", "a", "web"));
    put(&table, "s", "a", 1);
    put(&table, "s", "b", 2);
    put(&table, "sa", "", 3);
    ck_assert_uint_eq(revision_of(&table, "s", "a"), 1);
    ck_assert_uint_eq(revision_of(&table, "s", "b"), 2);
    ck_assert_ptr_null(dyno_table_find(&table, "s", "a", "run"));
    dyno_table_close(&table);
}

TEST(the_last_of_a_name_counts)
{
    struct dyno_table table = {.count = 0};

    put(&table, "s", "a", 1);
    put(&table, "s", "a", 2);
    ck_assert_uint_eq(table.count, 1);
    ck_assert_uint_eq(revision_of(&table, "s", "a"), 2);
    dyno_table_close(&table);
}

TEST(a_key_that_is_taken_is_the_callers)
{
    struct dyno_table table = {.count = 0};

    put(&table, "s", "a", 1);
    struct dyno_key *key = dyno_table_take(&table, "s", "a", "web");
    ck_assert_uint_eq(key->revision, 1);
    ck_assert_uint_eq(table.count, 0);
    ck_assert_ptr_null(dyno_table_take(&table, "s", "a", "web"));
    dyno_key_free(key);
    dyno_table_close(&table);
}

/* Slots that a probe has passed move up when one before them is emptied. */
TEST(all_others_are_found_whatever_is_taken_out)
{
    enum { KEYS = 3000 };
    struct dyno_table table = {.count = 0};
    char app[16];

    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(app, sizeof app, "app-%u", i);
        put(&table, "s", app, i + 1);
    }
    for (unsigned i = 0; i < KEYS; i += 3) {
        snprintf(app, sizeof app, "app-%u", i);
        dyno_table_drop(&table, "s", app, "web");
    }
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(app, sizeof app, "app-%u", i);
        ck_assert_uint_eq(revision_of(&table, "s", app), i % 3 == 0 ? 0 : i + 1);
    }
    ck_assert_uint_eq(table.count, KEYS - KEYS / 3);
    dyno_table_close(&table);
}

TEST(keys_are_listed_in_order)
{
    struct dyno_table table = {.count = 0};
    const struct dyno_key *keys[3];

    put(&table, "b", "a", 1);
    put(&table, "a", "b", 2);
    put(&table, "a", "a", 3);
    ck_assert_uint_eq(dyno_table_list(&table, keys), 3);
    ck_assert_uint_eq(keys[0]->revision, 3);
    ck_assert_uint_eq(keys[1]->revision, 2);
    ck_assert_uint_eq(keys[2]->revision, 1);
    dyno_table_close(&table);
}

TEST(what_is_moved_does_not_replace)
{
    struct dyno_table to = {.count = 0}, from = {.count = 0};

    put(&to, "s", "a", 2);
    put(&from, "s", "a", 1);
    put(&from, "s", "b", 1);
    ck_assert(dyno_table_move(&to, &from));
    ck_assert_uint_eq(from.count, 0);
    ck_assert_uint_eq(revision_of(&to, "s", "a"), 2);
    ck_assert_uint_eq(revision_of(&to, "s", "b"), 1);
    dyno_table_close(&to);
}

enum { MODEL_APPS = 97, MODEL_STEPS = 50000 };

/* A few keys that come and go for long: what the table says, an array says. */
TEST(keys_that_come_and_go_are_as_an_array_has_them)
{
    static uint64_t revisions[MODEL_APPS];
    struct dyno_table table = {.count = 0};
    const struct dyno_key *listed[MODEL_APPS];
    uint64_t random = 1;
    size_t count = 0;

    for (uint64_t step = 1; step <= MODEL_STEPS; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t app = (size_t)(random >> 33) % MODEL_APPS;
        char name[16];
        snprintf(name, sizeof name, "a%zu", app);
        bool was_there = revisions[app] != 0;
        ck_assert_uint_eq(revision_of(&table, "s", name), revisions[app]);
        revisions[app] = random >> 62 == 0 ? step : 0;
        count = count - was_there + (revisions[app] != 0);
        if (revisions[app] != 0)
            put(&table, "s", name, step);
        else
            dyno_table_drop(&table, "s", name, "web");
        ck_assert_uint_eq(table.count, count);
    }
    ck_assert_uint_le(table.capacity, 256);
    ck_assert_uint_eq(dyno_table_list(&table, listed), count);
    for (size_t i = 1; i < count; i++)
        ck_assert_int_lt(dyno_key_compare(listed[i - 1], listed[i]), 0);
    dyno_table_close(&table);
}

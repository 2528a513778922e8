#include "traffic/busiest.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum {
    BEGAN_S = 1700000000, /* the beginning of a pane */
    KEYS = 20000,
    STEPS = 400000,
    FLOOD = 2000000,
    LABEL_OCTETS = 32,
    FEW = 5,
};

static struct busiest *busiest;
static struct busiest_thing things[BUSIEST_LISTED_MOST];

static void set_up(void)
{
    busiest = busiest_new(LABEL_OCTETS);
    ck_assert_ptr_nonnull(busiest);
}

static void tear_down(void)
{
    busiest_free(busiest);
}

FIXTURE(set_up, tear_down)

/* Spreads numbers over all bits, as the hash of a name does. */
static uint64_t key_of(uint64_t number)
{
    number = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return number ^ number >> 31;
}

/* Labels are the numbers that the keys are of. */
static bool raise(uint64_t number, uint32_t at_s, uint32_t count, uint32_t failed)
{
    char *label = busiest_raise(busiest, key_of(number), at_s, count, failed);

    if (label != NULL)
        snprintf(label, LABEL_OCTETS, "%llu", (unsigned long long)number);
    return label != NULL;
}

static size_t list(uint32_t now_s, enum busiest_order order)
{
    return busiest_list(busiest, now_s, order, things, BUSIEST_LISTED_MOST);
}

static void expect_thing(size_t place, const char *label, uint64_t least, uint64_t most,
                         uint64_t failed)
{
    ck_assert_str_eq(things[place].label, label);
    ck_assert_uint_eq(things[place].counts.count - things[place].counts.error, least);
    ck_assert_uint_eq(things[place].counts.count, most);
    ck_assert_uint_eq(things[place].counts.failed, failed);
}

TEST(nothing_was_counted_yet)
{
    ck_assert_uint_eq(list(BEGAN_S, BUSIEST_BY_COUNT), 0);
}

TEST(a_few_things_are_counted_exactly)
{
    for (unsigned i = 0; i < BUSIEST_THINGS; i++)
        ck_assert(raise(i, BEGAN_S, i + 1, 0));
    for (unsigned i = 0; i < BUSIEST_THINGS; i++)
        ck_assert(!raise(i, BEGAN_S + 1, 1, i % 2));
    ck_assert_uint_eq(list(BEGAN_S + 2, BUSIEST_BY_COUNT), BUSIEST_LISTED_MOST);
    for (unsigned i = 0; i < BUSIEST_LISTED_MOST; i++) {
        char label[LABEL_OCTETS];
        snprintf(label, sizeof label, "%u", BUSIEST_THINGS - 1 - i);
        expect_thing(i, label, BUSIEST_THINGS - i + 1, BUSIEST_THINGS - i + 1,
                     (BUSIEST_THINGS - 1 - i) % 2);
    }
}

TEST(the_list_has_as_many_as_are_wanted)
{
    for (unsigned i = 0; i < FEW; i++)
        raise(i, BEGAN_S, 10 * (i + 1), 0);
    ck_assert_uint_eq(busiest_list(busiest, BEGAN_S, BUSIEST_BY_COUNT, things, 2), 2);
    expect_thing(0, "4", 50, 50, 0);
    expect_thing(1, "3", 40, 40, 0);
    ck_assert_uint_eq(busiest_list(busiest, BEGAN_S, BUSIEST_BY_COUNT, things, 0), 0);
    ck_assert_uint_eq(list(BEGAN_S, BUSIEST_BY_COUNT), FEW);
}

TEST(those_that_failed_most_are_listed_first_if_that_is_wanted)
{
    raise(1, BEGAN_S, 100, 2);
    raise(2, BEGAN_S, 10, 9);
    raise(3, BEGAN_S, 50, 2);
    ck_assert_uint_eq(list(BEGAN_S, BUSIEST_BY_FAILED), 3);
    expect_thing(0, "2", 10, 10, 9);
    expect_thing(1, "1", 100, 100, 2);
    expect_thing(2, "3", 50, 50, 2);
}

TEST(a_new_thing_takes_the_place_of_the_one_counted_least)
{
    for (unsigned i = 0; i < BUSIEST_THINGS; i++)
        raise(i, BEGAN_S, i == 7 ? 3 : 100 + i, i == 7);
    ck_assert(raise(5000, BEGAN_S, 2000, 5));
    ck_assert_uint_ge(list(BEGAN_S, BUSIEST_BY_COUNT), 1);
    expect_thing(0, "5000", 2000, 2003, 5);
    ck_assert(!raise(5000, BEGAN_S, 1, 0));
    ck_assert(raise(7, BEGAN_S, 1, 0)); /* the one that had to go is new again */
}

TEST(each_time_it_is_the_one_counted_least_that_has_to_go)
{
    for (unsigned i = 0; i < BUSIEST_THINGS; i++)
        raise(i, BEGAN_S, 100 + (i * 7) % BUSIEST_THINGS, 0);
    for (unsigned i = 0; i < BUSIEST_LISTED_MOST; i++)
        ck_assert(raise(5000 + i, BEGAN_S, 9000 - i, 0));
    ck_assert_uint_eq(list(BEGAN_S, BUSIEST_BY_COUNT), BUSIEST_LISTED_MOST);
    for (unsigned i = 0; i < BUSIEST_LISTED_MOST; i++) {
        char label[LABEL_OCTETS];
        snprintf(label, sizeof label, "%u", 5000 + i);
        expect_thing(i, label, 9000 - i, 9000 - i + 100 + i, 0);
    }
}

/* ---- the minute ---- */

TEST(the_panes_of_a_minute_are_added_up)
{
    for (unsigned i = 0; i < BUSIEST_PANES; i++)
        ck_assert(raise(1, BEGAN_S + i * BUSIEST_PANE_S, 1U << i, 1));
    list(BEGAN_S + (BUSIEST_PANES - 1) * BUSIEST_PANE_S, BUSIEST_BY_COUNT);
    expect_thing(0, "1", 63, 63, BUSIEST_PANES);
    ck_assert_uint_eq(busiest_since(BEGAN_S + (BUSIEST_PANES - 1) * BUSIEST_PANE_S), BEGAN_S);
    ck_assert_uint_eq(busiest_since(BEGAN_S + BUSIEST_PANES * BUSIEST_PANE_S - 1), BEGAN_S);
}

TEST(a_pane_is_forgotten_after_a_minute)
{
    raise(1, BEGAN_S, 1000, 0);
    raise(2, BEGAN_S + BUSIEST_PANE_S, 5, 0);
    ck_assert_uint_eq(list(BEGAN_S + BUSIEST_PANES * BUSIEST_PANE_S - 1, BUSIEST_BY_COUNT), 2);
    ck_assert_uint_eq(list(BEGAN_S + BUSIEST_PANES * BUSIEST_PANE_S, BUSIEST_BY_COUNT), 1);
    expect_thing(0, "2", 5, 5, 0);
    raise(3, BEGAN_S + BUSIEST_PANES * BUSIEST_PANE_S, 7, 0); /* in the place of the first pane */
    ck_assert_uint_eq(list(BEGAN_S + BUSIEST_PANES * BUSIEST_PANE_S, BUSIEST_BY_COUNT), 2);
    expect_thing(0, "3", 7, 7, 0);
    ck_assert_uint_eq(list(BEGAN_S + 1000, BUSIEST_BY_COUNT), 0);
}

TEST(what_comes_late_is_counted_in_its_own_pane)
{
    raise(1, BEGAN_S + 2 * BUSIEST_PANE_S, 5, 0);
    raise(1, BEGAN_S, 6, 0);
    list(BEGAN_S + 2 * BUSIEST_PANE_S, BUSIEST_BY_COUNT);
    expect_thing(0, "1", 11, 11, 0);
    list(BEGAN_S + BUSIEST_PANES * BUSIEST_PANE_S, BUSIEST_BY_COUNT);
    expect_thing(0, "1", 5, 5, 0);
}

TEST(what_is_to_come_is_not_listed)
{
    raise(1, BEGAN_S + BUSIEST_PANE_S, 5, 0);
    ck_assert_uint_eq(list(BEGAN_S, BUSIEST_BY_COUNT), 0);
    ck_assert_uint_eq(list(BEGAN_S + BUSIEST_PANE_S, BUSIEST_BY_COUNT), 1);
}

TEST(a_clock_that_was_set_back_begins_anew)
{
    raise(1, BEGAN_S, 1000, 0);
    raise(2, BEGAN_S - 3610, 5, 0);
    ck_assert_uint_eq(list(BEGAN_S - 3610, BUSIEST_BY_COUNT), 1);
    expect_thing(0, "2", 5, 5, 0);
    ck_assert_uint_eq(list(BEGAN_S, BUSIEST_BY_COUNT), 0);
}

TEST(what_a_full_pane_does_not_have_may_have_been_counted_there)
{
    for (unsigned i = 0; i < BUSIEST_THINGS; i++)
        raise(1000 + i, BEGAN_S, 9 + i, 0);
    raise(1, BEGAN_S + BUSIEST_PANE_S, 5000, 0);
    list(BEGAN_S + BUSIEST_PANE_S, BUSIEST_BY_COUNT);
    expect_thing(0, "1", 5000, 5009, 0);
    expect_thing(1, "1999", 9 + BUSIEST_THINGS - 1, 9 + BUSIEST_THINGS - 1, 0);
}

/* ---- against exact counts ---- */

struct exact {
    uint64_t count, failed;
};

static uint64_t state;

static uint64_t next(void)
{
    return key_of(state++);
}

/* Few things are asked for often, and many seldom. */
static uint64_t draw(void)
{
    uint64_t range = KEYS;

    for (uint64_t coins = next(); (coins & 1) == 1 && range > 8; coins >>= 1)
        range /= 2;
    return next() % range;
}

static void check_bounds(const struct exact *exact, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct busiest_counts *counts = &things[i].counts;
        const struct exact *is = &exact[strtoul(things[i].label, NULL, 10)];
        ck_assert_uint_le(counts->count - counts->error, is->count);
        ck_assert_uint_ge(counts->count, is->count);
        ck_assert_uint_le(counts->failed, is->failed);
        ck_assert_uint_ge(counts->failed + counts->error, is->failed);
    }
}

/* The share of all that a pane always has: those with more are listed, if there is room. */
static void check_heavy(const struct exact *exact, uint64_t sum, size_t count)
{
    for (size_t key = 0; key < KEYS; key++) {
        bool is_listed = false;
        char label[LABEL_OCTETS];
        if (exact[key].count <= sum / 50)
            continue;
        snprintf(label, sizeof label, "%zu", key);
        for (size_t i = 0; i < count; i++)
            is_listed |= strcmp(things[i].label, label) == 0;
        ck_assert_msg(is_listed, "%s, counted %llu of %llu", label,
                      (unsigned long long)exact[key].count, (unsigned long long)sum);
    }
}

TEST_LOOP(what_was_counted_is_within_the_bounds, 0, FEW)
{
    struct exact *exact = calloc(KEYS, sizeof *exact);
    uint64_t sum = 0;

    state = (uint64_t)_i << 40;
    for (unsigned i = 0; i < STEPS; i++) {
        uint64_t number = draw();
        uint32_t count = 1 + (uint32_t)(next() % 4), failed = next() % 8 == 0 ? count : 0;
        raise(number, BEGAN_S + (uint32_t)((uint64_t)i * BUSIEST_PANES * BUSIEST_PANE_S / STEPS),
              count, failed);
        exact[number].count += count;
        exact[number].failed += failed;
        sum += count;
    }
    uint32_t now_s = BEGAN_S + BUSIEST_PANES * BUSIEST_PANE_S - 1;
    size_t count = list(now_s, BUSIEST_BY_FAILED);
    ck_assert_uint_eq(count, BUSIEST_LISTED_MOST);
    check_bounds(exact, count);
    count = list(now_s, BUSIEST_BY_COUNT);
    ck_assert_uint_eq(count, BUSIEST_LISTED_MOST);
    check_bounds(exact, count);
    check_heavy(exact, sum, count);
    free(exact);
}

/* ---- a flood of things that are all different ---- */

static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

TEST(two_million_things_need_no_more_memory_than_the_first_and_hide_nothing)
{
    size_t before = in_use();

    for (unsigned i = 0; i < FLOOD; i++) {
        raise(1000 + i, BEGAN_S + (uint32_t)((uint64_t)i * 60 / FLOOD), 1, 0);
        if (i % 500 == 0) /* twice the share that is always there */
            raise(1, BEGAN_S + (uint32_t)((uint64_t)i * 60 / FLOOD), 1, 1);
    }
    ck_assert_uint_eq(list(BEGAN_S + 59, BUSIEST_BY_COUNT), BUSIEST_LISTED_MOST);
    ck_assert_str_eq(things[0].label, "1");
    ck_assert_uint_ge(things[0].counts.count, FLOOD / 500);
    ck_assert_uint_le(things[0].counts.count - things[0].counts.error, FLOOD / 500);
    ck_assert_uint_eq(list(BEGAN_S + 59, BUSIEST_BY_FAILED), BUSIEST_LISTED_MOST);
    ck_assert_str_eq(things[0].label, "1");
    ck_assert_uint_le(in_use(), before);
}

#include "serve/querylog_history.h"

#include <stdlib.h>

#include "support/suite.h"

static const uint64_t second_ns = 1000000000;
static const struct querylog_filter all, failed = {.is_failed = true};

static struct querylog_history history;

static void set_up(void)
{
    ck_assert(querylog_history_init(&history));
}

static void tear_down(void)
{
    querylog_history_close(&history);
}

FIXTURE(set_up, tear_down)

static void add(enum querylog_kind kind, uint64_t second, uint16_t octets)
{
    const struct querylog_record record = {
        .kind = (uint8_t)kind, .added_ns = second * second_ns, .reply_octets = octets};

    querylog_history_add(&history, &record);
}

static void expect(const struct querylog_filter *filter, size_t most, size_t count,
                   uint64_t left_out)
{
    struct querylog_found found;

    querylog_history_find(&history, filter, most, &found);
    ck_assert_uint_eq(found.count, count);
    ck_assert_uint_eq(found.left_out, left_out);
    free(found.records);
}

TEST(an_empty_history_has_nothing)
{
    expect(&all, 100, 0, 0);
}

TEST(the_last_records_of_both_kinds_come_in_their_order)
{
    struct querylog_found found;

    for (uint16_t i = 0; i < 10; i++)
        add(i % 3 == 0 ? QUERYLOG_FAILURE : QUERYLOG_OTHER, 1, i);
    querylog_history_find(&history, &all, 4, &found);
    ck_assert_uint_eq(found.count, 4);
    for (uint16_t i = 0; i < 4; i++)
        ck_assert_uint_eq(found.records[i].reply_octets, 6 + i);
    free(found.records);
    querylog_history_find(&history, &failed, 2, &found);
    ck_assert_uint_eq(found.count, 2);
    ck_assert_uint_eq(found.records[0].reply_octets, 6);
    ck_assert_uint_eq(found.records[1].reply_octets, 9);
    free(found.records);
}

TEST(each_kind_has_its_own_rate)
{
    for (unsigned i = 0; i < 1000; i++)
        add(QUERYLOG_OTHER, 1, 1);
    add(QUERYLOG_FAILURE, 1, 2);
    expect(&all, 10000, QUERYLOG_KEPT_RATE + 1, 1000 - QUERYLOG_KEPT_RATE);
    expect(&failed, 10000, 1, 0);
}

/* Only what was left out after the first record listed matters to whoever reads the list. */
TEST(what_was_left_out_is_counted_where_it_was)
{
    for (unsigned second = 1; second <= 2; second++)
        for (unsigned i = 0; i < QUERYLOG_KEPT_RATE + 50; i++)
            add(QUERYLOG_FAILURE, second, 1);
    add(QUERYLOG_FAILURE, 3, 1);
    expect(&all, 1, 1, 0);
    expect(&all, 2, 2, 50);
    expect(&all, QUERYLOG_KEPT_RATE + 1, QUERYLOG_KEPT_RATE + 1, 50);
    expect(&all, QUERYLOG_KEPT_RATE + 2, QUERYLOG_KEPT_RATE + 2, 100);
    querylog_history_skip(&history, QUERYLOG_FAILURE, 7);
    expect(&all, 1, 1, 7);
}

TEST(good_answers_push_no_failure_out)
{
    add(QUERYLOG_FAILURE, 1, 77);
    for (unsigned i = 0; i < 3 * QUERYLOG_KEPT_OF_KIND; i++)
        add(QUERYLOG_OTHER, 2 + i / 100, 1);
    expect(&all, QUERYLOG_KEPT_MOST, QUERYLOG_KEPT_OF_KIND + 1, 0);
    expect(&failed, QUERYLOG_KEPT_MOST, 1, 0);
}

TEST(no_more_are_found_than_are_kept)
{
    for (unsigned i = 0; i < 2 * QUERYLOG_KEPT_OF_KIND; i++)
        add(QUERYLOG_FAILURE, 1 + i / 100, 1);
    expect(&all, SIZE_MAX, QUERYLOG_KEPT_OF_KIND, 0);
}

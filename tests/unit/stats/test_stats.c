#include "stats/stats.h"

#include <string.h>

#include "support/suite.h"

TEST(workers_add_up)
{
    struct stats workers[2] = {0};
    struct totals totals = {0};

    stats_count(&workers[0], COUNTER_UDP_REQUESTS, 64);
    stats_count(&workers[0], COUNTER_UDP_REQUESTS, 1);
    stats_count(&workers[1], COUNTER_UDP_REQUESTS, 5);
    stats_count(&workers[1], COUNTER_TRUNCATED, 2);
    for (size_t i = 0; i < 2; i++)
        stats_add_to(&totals, &workers[i]);
    ck_assert_uint_eq(totals.counters[COUNTER_UDP_REQUESTS], 70);
    ck_assert_uint_eq(totals.counters[COUNTER_TRUNCATED], 2);
    ck_assert_uint_eq(totals.counters[COUNTER_TCP_REQUESTS], 0);
}

TEST(replies_count_by_code_and_reason)
{
    struct stats stats = {0};
    struct totals totals = {0};

    stats_count_reply(&stats, 3, 0);
    stats_count_reply(&stats, 3, 7);
    stats_add_to(&totals, &stats);
    ck_assert_uint_eq(totals.rcodes[3], 2);
    ck_assert_uint_eq(totals.reasons[0], 1);
    ck_assert_uint_eq(totals.reasons[7], 1);
}

TEST(codes_beyond_the_table_share_its_last_line)
{
    struct stats stats = {0};
    struct totals totals = {0};

    stats_count_reply(&stats, 4095, 4095);
    stats_add_to(&totals, &stats);
    ck_assert_uint_eq(totals.rcodes[STATS_RCODES - 1], 1);
    ck_assert_uint_eq(totals.reasons[0], 1);
}

TEST(two_workers_never_share_a_cache_line)
{
    ck_assert_uint_eq(sizeof(struct stats) % STATS_LINE_OCTETS, 0);
    ck_assert_uint_eq(_Alignof(struct stats), STATS_LINE_OCTETS);
}

TEST(every_counter_has_a_name_of_its_own_and_help)
{
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        ck_assert_uint_gt(strlen(counter_help((enum counter)i)), 0);
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(counter_name((enum counter)i), counter_name((enum counter)j));
    }
}

// forks: its tests leave something behind
#include "stats/stats.h"

#include <string.h>

#include "support/suite.h"

TEST(workers_add_up)
{
    static struct stats workers[2];
    static struct totals totals;

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

TEST(replies_count_by_class_transport_code_and_reason)
{
    static struct stats workers[2];
    static struct totals totals;

    stats_count_reply(&workers[0], &(struct stats_reply){.rcode = 3});
    stats_count_reply(&workers[0], &(struct stats_reply){.class = 3, .rcode = 3, .reason = 7});
    stats_count_reply(&workers[1], &(struct stats_reply){.class = 3, .transport = 1, .rcode = 5});
    for (size_t i = 0; i < 2; i++)
        stats_add_to(&totals, &workers[i]);
    ck_assert_uint_eq(totals.replies[0][0][3][0], 1);
    ck_assert_uint_eq(totals.replies[3][0][3][7], 1);
    ck_assert_uint_eq(totals.replies[3][1][5][0], 1);
    ck_assert_uint_eq(totals.rcodes[3], 2);
    ck_assert_uint_eq(totals.rcodes[5], 1);
    ck_assert_uint_eq(totals.reasons[0], 2);
    ck_assert_uint_eq(totals.reasons[7], 1);
}

TEST(codes_beyond_the_table_share_its_last_line)
{
    static struct stats stats;
    static struct totals totals;

    stats_count_reply(&stats, &(struct stats_reply){.rcode = 4095, .reason = 4095});
    stats_add_to(&totals, &stats);
    ck_assert_uint_eq(totals.rcodes[STATS_RCODES - 1], 1);
    ck_assert_uint_eq(totals.reasons[0], 1);
}

/* A duration and its bucket. */
static const struct {
    uint64_t ns;
    size_t bucket;
} durations[] = {
    {0, 0},
    {25000, 0},
    {25001, 1},
    {1000000, 5},
    {5000000000, STATS_DURATIONS - 2},
    {5000000001, STATS_DURATIONS - 1},
    {UINT32_MAX * (uint64_t)1000000, STATS_DURATIONS - 1},
};

TEST_OVER(a_duration_counts_in_the_first_bucket_that_holds_it, durations)
{
    static struct stats stats;
    static struct totals totals;

    stats_count_durations(&stats, STATS_CACHE, durations[_i].ns, 3);
    stats_add_to(&totals, &stats);
    ck_assert_uint_eq(totals.durations[STATS_CACHE][durations[_i].bucket], 3);
    ck_assert_uint_eq(totals.duration_ns[STATS_CACHE], 3 * durations[_i].ns);
    ck_assert_uint_eq(totals.durations[STATS_LOCAL][durations[_i].bucket], 0);
}

TEST(the_bounds_of_durations_ascend)
{
    for (size_t i = 1; i < STATS_DURATIONS - 1; i++)
        ck_assert_uint_lt(stats_duration_bounds_us[i - 1], stats_duration_bounds_us[i]);
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

#include "stats/minute.h"

#include "support/suite.h"

static const uint64_t second_ns = UINT64_C(1000000000);
static const uint64_t began_ns = UINT64_C(5000) * 1000000000;

static struct minute minute;
static struct totals totals;
static struct minute_sum sum;

static void set_up(void)
{
    minute = (struct minute){.count = 0};
    totals = (struct totals){.counters = {0}};
}

static void tear_down(void)
{
}

FIXTURE(set_up, tear_down)

static void reply(unsigned class, unsigned transport, unsigned rcode, unsigned reason,
                  uint64_t count)
{
    totals.replies[class][transport][rcode][reason] += count;
    totals.rcodes[rcode] += count;
    totals.reasons[reason] += count;
}

static void note(uint64_t second)
{
    minute_note(&minute, &totals, began_ns + second * second_ns);
}

static void read_at(uint64_t second)
{
    minute_read(&minute, &totals, began_ns + second * second_ns, &sum);
}

TEST(without_a_sample_all_is_counted_over_no_time)
{
    reply(0, 0, 0, 0, 5);
    read_at(0);
    ck_assert_uint_eq(sum.ms, 0);
    ck_assert_uint_eq(sum.counts.replies, 5);
    ck_assert_uint_eq(sum.seconds, 0);
    ck_assert_uint_eq(sum.per_second, 0);
}

TEST(what_was_counted_before_the_minute_is_subtracted_from_everything)
{
    reply(1, 0, 3, 2, 100);
    totals.counters[COUNTER_UDP_REQUESTS] = 100;
    totals.durations[STATS_CACHE][4] = 100;
    note(0);
    reply(1, 0, 3, 2, 7);
    reply(3, 1, 5, 0, 2);
    totals.counters[COUNTER_UDP_REQUESTS] += 7;
    totals.durations[STATS_CACHE][4] += 7;
    read_at(1);
    ck_assert_uint_eq(sum.ms, 1000);
    ck_assert_uint_eq(sum.counts.replies, 9);
    ck_assert_uint_eq(sum.counts.classes[1], 7);
    ck_assert_uint_eq(sum.counts.classes[3], 2);
    ck_assert_uint_eq(sum.counts.transports[0], 7);
    ck_assert_uint_eq(sum.counts.transports[1], 2);
    ck_assert_uint_eq(sum.counts.rcodes[3], 7);
    ck_assert_uint_eq(sum.counts.rcodes[5], 2);
    ck_assert_uint_eq(sum.counts.reasons[2], 7);
    ck_assert_uint_eq(sum.counts.counters[COUNTER_UDP_REQUESTS], 7);
    ck_assert_uint_eq(sum.counts.durations[STATS_CACHE][4], 7);
}

TEST(the_oldest_of_sixty_seconds_is_the_beginning)
{
    for (unsigned i = 0; i < 200; i++) {
        note(i);
        reply(0, 0, 0, 0, i);
    }
    read_at(199);
    ck_assert_uint_eq(sum.ms, 60000);
    ck_assert_uint_eq(sum.seconds, MINUTE_SECONDS);
    for (unsigned i = 0; i < MINUTE_SECONDS; i++)
        ck_assert_uint_eq(sum.by_second[i], 139 + i);
    ck_assert_uint_eq(sum.per_second, 198);
    ck_assert_uint_eq(sum.counts.replies, (139 + 199) * 61 / 2);
}

TEST(a_sample_of_another_minute_does_not_count)
{
    note(0);
    reply(0, 0, 0, 0, 1000);
    note(3600); /* the process stood still */
    reply(0, 0, 0, 0, 3);
    read_at(3601);
    ck_assert_uint_eq(sum.ms, 1000);
    ck_assert_uint_eq(sum.counts.replies, 3);
    ck_assert_uint_eq(sum.seconds, 0);
}

TEST(a_rate_is_of_the_time_between_two_samples)
{
    note(0);
    reply(0, 0, 0, 0, 1000);
    minute_note(&minute, &totals, began_ns + 5 * second_ns / 2);
    read_at(3);
    ck_assert_uint_eq(sum.per_second, 400);
    ck_assert_uint_eq(sum.by_second[0], 1000);
}

static const struct {
    unsigned buckets[4]; /* numbers */
    uint64_t counts[4];
    unsigned percent;
    uint32_t us;
} percentiles[] = {
    {{0}, {0}, 50, 0},
    {{0, 1}, {1, 0}, 99, 25},
    {{0, 1}, {50, 50}, 50, 25},
    {{0, 1}, {49, 51}, 50, 50},
    {{0, 5, 16}, {989, 1, 10}, 99, 1000},
    {{0, 5, 16}, {980, 1, 19}, 99, 5000000},
    {{0, 17}, {98, 2}, 99, UINT32_MAX},
    {{0, 17}, {98, 2}, 90, 25},
};

TEST_OVER(a_percentile_is_the_bound_of_its_bucket, percentiles)
{
    uint64_t durations[STATS_DURATIONS] = {0};

    for (unsigned i = 0; i < 4; i++)
        durations[percentiles[_i].buckets[i]] += percentiles[_i].counts[i];
    ck_assert_uint_eq(minute_percentile_us(durations, percentiles[_i].percent), percentiles[_i].us);
}

// forks: its tests leave something behind
#include "forward/resolver.h"

#include "support/suite.h"

enum { MS = 1000 };

/* Three resolvers of one route; the second is `resolvers[1]`, and so on. */
static const struct resolver_set set = {.numbers = {0, 1, 2}, .count = 3};
static const struct resolver_set only_first = {.numbers = {0}, .count = 1};

static struct upstream upstreams[3];
static struct standing standing[3];
static struct resolver resolvers[3];

static void set_up(void)
{
    for (size_t i = 0; i < 3; i++)
        resolver_init(&resolvers[i], &upstreams[i], &standing[i]);
}

static void put_in_doubt(struct resolver *resolver)
{
    for (int i = 0; i < STANDING_SILENT_MOST; i++)
        standing_on_silence(resolver->standing, 1000, 1000);
    ck_assert_int_eq(standing_state(resolver->standing), STANDING_IN_DOUBT);
}

static void make_failing(struct resolver *resolver)
{
    put_in_doubt(resolver);
    for (int i = 0; i < STANDING_PROBES_MOST; i++)
        standing_on_probe_silence(resolver->standing, 1000);
    ck_assert(resolver_is_failing(resolver));
}

static void reply_often(struct resolver *resolver, uint32_t rtt_us)
{
    for (int i = 0; i < 100; i++)
        resolver_on_reply(resolver, false, rtt_us, 1);
}

FIXTURE(set_up, NULL)

TEST(a_new_server_has_the_initial_rank_and_wait)
{
    ck_assert(!resolver_is_failing(&resolvers[0]));
    /* RFC 6298: 100 ms and four times a variation of half of it. */
    ck_assert_uint_eq(resolver_wait_ms(&resolvers[0]), 300);
}

TEST(the_first_round_trip_counts_whole_and_later_ones_by_an_eighth)
{
    ck_assert(!resolver_on_reply(&resolvers[0], false, 8 * MS, 1));
    ck_assert_uint_eq(resolvers[0].srtt_us, 8 * MS);
    ck_assert_uint_eq(resolvers[0].rttvar_us, 4 * MS);
    resolver_on_reply(&resolvers[0], false, 16 * MS, 2);
    ck_assert_uint_eq(resolvers[0].srtt_us, 9 * MS);
    ck_assert_uint_eq(resolvers[0].rttvar_us, 5 * MS);
    resolver_on_reply(&resolvers[0], false, 1 * MS, 3);
    ck_assert_uint_eq(resolvers[0].srtt_us, 8 * MS);
}

/* Round trips that repeat, and how long is waited then. */
static const struct {
    uint32_t rtt_us;
    uint32_t wait_ms;
} waits[] = {{0, 250}, {1 * MS, 250}, {200 * MS, 250}, {400 * MS, 400}, {5000 * MS, 800}};

TEST_OVER(a_wait_follows_the_round_trip_within_its_bounds, waits)
{
    reply_often(&resolvers[0], waits[_i].rtt_us);
    ck_assert_uint_ge(resolver_wait_ms(&resolvers[0]), waits[_i].wait_ms);
    ck_assert_uint_le(resolver_wait_ms(&resolvers[0]), waits[_i].wait_ms + 1);
}

TEST(silence_takes_longer_than_a_retry_and_longer_with_slow_replies)
{
    ck_assert_uint_eq(resolver_silence_ms(&resolvers[0]), RESOLVER_SILENCE_LEAST_MS);
    ck_assert_uint_eq(resolver_probe_silence_ms(&resolvers[0]), RESOLVER_PROBE_LEAST_MS);
    reply_often(&resolvers[0], 2500 * MS);
    ck_assert_uint_ge(resolver_silence_ms(&resolvers[0]), 2500);
    ck_assert_uint_ge(resolver_probe_silence_ms(&resolvers[0]), 2500);
    reply_often(&resolvers[0], 9000 * MS);
    ck_assert_uint_eq(resolver_silence_ms(&resolvers[0]), RESOLVER_SILENCE_MOST_MS);
}

TEST(any_reply_brings_a_failing_server_back)
{
    make_failing(&resolvers[0]);
    ck_assert(resolver_on_reply(&resolvers[0], false, MS, 2000));
    ck_assert(!resolver_is_failing(&resolvers[0]));
    ck_assert(!resolver_on_reply(&resolvers[0], false, MS, 2000));
}

TEST(of_equal_servers_the_first_listed_is_asked)
{
    ck_assert_uint_eq(resolver_choose(resolvers, &set, 0), 0);
    for (size_t i = 0; i < 3; i++)
        reply_often(&resolvers[i], 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(resolver_choose(resolvers, &set, 0), 0);
}

TEST(the_server_of_the_lowest_rank_is_asked)
{
    reply_often(&resolvers[0], 20 * MS);
    reply_often(&resolvers[1], 5 * MS);
    reply_often(&resolvers[2], 10 * MS);
    ck_assert_uint_eq(resolver_choose(resolvers, &set, 0), 1);
}

TEST(every_good_server_gets_its_turn)
{
    unsigned asked[3] = {0};

    reply_often(&resolvers[0], 5 * MS);
    reply_often(&resolvers[1], 20 * MS);
    reply_often(&resolvers[2], 80 * MS);
    for (int i = 0; i < 2000; i++) {
        static const uint32_t rtts[] = {5 * MS, 20 * MS, 80 * MS};
        uint8_t index = resolver_choose(resolvers, &set, 0);
        asked[index]++;
        resolver_on_reply(&resolvers[index], false, rtts[index], 1);
    }
    ck_assert_uint_gt(asked[0], 1500);
    ck_assert_uint_gt(asked[1], 5);
    ck_assert_uint_gt(asked[2], 5);
}

TEST(a_server_that_loses_half_of_the_questions_is_asked_seldom)
{
    unsigned asked[3] = {0};

    for (int i = 0; i < 2000; i++) {
        uint8_t index = resolver_choose(resolvers, &set, 0);
        bool is_lost = index == 0 && asked[0] % 2 == 0;
        asked[index]++;
        if (is_lost)
            resolver_defer(&resolvers[index]);
        else
            resolver_on_reply(&resolvers[index], false, index == 0 ? 1 * MS : 5 * MS, 1);
    }
    ck_assert_uint_lt(asked[0], 200);
    ck_assert_uint_gt(asked[0], 5);
}

TEST(servers_that_were_tried_are_skipped_while_there_is_another)
{
    reply_often(&resolvers[0], 1 * MS);
    reply_often(&resolvers[1], 2 * MS);
    reply_often(&resolvers[2], 3 * MS);
    ck_assert_uint_eq(resolver_choose(resolvers, &set, 1), 1);
    ck_assert_uint_eq(resolver_choose(resolvers, &set, 3), 2);
    ck_assert_uint_eq(resolver_choose(resolvers, &set, 7), 0);
    ck_assert_uint_eq(resolver_choose(resolvers, &only_first, 1), 0);
}

TEST(a_server_in_doubt_is_asked_and_a_failing_one_is_not)
{
    put_in_doubt(&resolvers[0]);
    ck_assert_uint_eq(resolver_choose(resolvers, &set, 0), 0);
    make_failing(&resolvers[1]);
    ck_assert_uint_eq(resolver_choose(resolvers, &set, 1), 2);
    ck_assert_uint_eq(resolver_choose(resolvers, &set, 5), 0);
    ck_assert(!resolver_set_is_failing(resolvers, &set));
}

TEST(no_server_is_chosen_when_all_are_failing)
{
    for (size_t i = 0; i < 3; i++) {
        ck_assert(!resolver_set_is_failing(resolvers, &set));
        make_failing(&resolvers[i]);
    }
    ck_assert(resolver_set_is_failing(resolvers, &set));
    ck_assert_uint_eq(resolver_choose(resolvers, &set, 0), RESOLVER_NONE);
}

TEST(a_server_is_probed_for_the_root_or_the_zone_it_is_asked_for)
{
    struct name zone;

    ck_assert_uint_eq(resolvers[0].probe_type, 2);
    ck_assert_uint_eq(resolvers[0].probe_name.length, 1);
    ck_assert(name_from_text("corp.example", &zone));
    resolver_set_probe_zone(&resolvers[0], &zone);
    ck_assert_uint_eq(resolvers[0].probe_type, 6);
    ck_assert(name_equals(&resolvers[0].probe_name, zone.octets, zone.length));
}

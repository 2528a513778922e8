// forks: its tests leave something behind
#include "base/rate.h"

#include <stdbool.h>
#include <uv.h>

#include "support/suite.h"

enum { KEYS_MOST = 100, SECOND = RATE_SECOND_US };

static const uint64_t second_us = SECOND;

static const struct hash_key hash_key = {.first = 0x0123456789abcdef, .second = 0xfedcba9876543211};

/* A token bucket as textbooks have it: credit grows with time, up to a second's worth. */
struct bucket {
    uint64_t credit_us;
    uint64_t seen_us;
    bool is_dry;
};

static struct bucket buckets[KEYS_MOST];
static struct rate_table *table;

static uint64_t random_state;

/* Marsaglia's xorshift: the same numbers in every run. */
static uint32_t random_below(uint32_t end)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % end;
}

static void set_up(void)
{
    random_state = 88172645463325252;
    for (size_t i = 0; i < KEYS_MOST; i++)
        buckets[i] = (struct bucket){.credit_us = SECOND};
}

static void tear_down(void)
{
    rate_table_free(table);
    table = NULL;
}

static void fill(struct bucket *bucket, uint32_t interval_us, uint64_t now_us)
{
    bucket->credit_us += now_us - bucket->seen_us;
    bucket->seen_us = now_us;
    if (bucket->credit_us >= SECOND + interval_us)
        bucket->is_dry = false;
    if (bucket->credit_us > SECOND)
        bucket->credit_us = SECOND;
}

static enum rate_grant bucket_take(struct bucket *bucket, uint32_t interval_us, uint64_t now_us)
{
    fill(bucket, interval_us, now_us);
    if (bucket->credit_us >= interval_us) {
        bucket->credit_us -= interval_us;
        return bucket->is_dry ? RATE_GRANTED_DRY : RATE_GRANTED;
    }
    bucket->is_dry = true;
    return RATE_REFUSED;
}

static unsigned take_often(uint64_t key, uint32_t per_second, uint64_t now_us, unsigned times)
{
    unsigned granted = 0;

    for (unsigned i = 0; i < times; i++)
        granted += rate_take(table, key, rate_interval_us(per_second), now_us) != RATE_REFUSED;
    return granted;
}

FIXTURE(set_up, tear_down)

static const uint32_t rates[] = {1, 2, 3, 7, 20, 999, 1000, 65536, 100000};

TEST_OVER(a_key_gets_a_seconds_worth_and_then_its_rate, rates)
{
    uint32_t rate = SECOND / rate_interval_us(rates[_i]); /* of whole microseconds */
    uint64_t now_us = 5 * second_us;

    table = rate_table_new(4, hash_key);
    ck_assert_uint_eq(take_often(1, rates[_i], now_us, 2 * rate), rate);
    for (unsigned second = 0; second < 3; second++) {
        unsigned granted = 0;
        for (unsigned i = 0; i < 1000; i++)
            granted += take_often(1, rates[_i], now_us += SECOND / 1000, rate / 500 + 1);
        ck_assert_uint_ge(granted, rate - 1);
        ck_assert_uint_le(granted, rate + 1);
    }
    ck_assert_uint_eq(take_often(1, rates[_i], now_us + 2 * second_us, 2 * rate), rate);
}

TEST(keys_do_not_share_a_bucket)
{
    table = rate_table_new(10, hash_key);
    ck_assert_uint_eq(take_often(1, 20, SECOND, 30), 20);
    for (uint64_t key = 2; key < 200; key++)
        ck_assert_uint_eq(take_often(key, 20, SECOND, 1), 1);
    ck_assert_uint_eq(take_often(1, 20, SECOND, 30), 0);
}

/* As many keys as a set has slots never take a slot from each other. */
TEST(the_table_agrees_with_a_textbooks_token_bucket)
{
    uint64_t now_us = 7 * second_us;

    table = rate_table_new(1, hash_key);
    for (unsigned i = 0; i < 400000; i++) {
        uint32_t key = random_below(RATE_WAYS);
        uint32_t interval_us = rate_interval_us(rates[random_below(sizeof rates / 4 - 2)]);
        now_us += random_below(8) == 0 ? random_below(20000) : 0;
        now_us += random_below(2000) == 0 ? random_below(2 * SECOND) : 0;
        enum rate_grant wanted = bucket_take(&buckets[key], interval_us, now_us);
        ck_assert_int_eq(rate_take(table, key, interval_us, now_us), wanted);
    }
}

/*
 * Many keys in a table of eight slots: nobody gains. What is granted to a key, its own bucket alone
 * would have granted, and within a second of a refusal every grant says that the bucket was dry.
 */
TEST_OVER(a_crowd_of_keys_gains_no_key_more_than_its_rate, rates)
{
    static uint64_t refused_us[KEYS_MOST];
    uint32_t interval_us = rate_interval_us(rates[_i]);
    uint64_t now_us = 7 * second_us, granted = 0;

    table = rate_table_new(1, hash_key);
    for (unsigned i = 0; i < 400000; i++) {
        /* Some keys come far more often than others. */
        uint32_t key = random_below(1 + random_below(KEYS_MOST));
        now_us += random_below(50) == 0 ? random_below(2 * interval_us) : 0;
        enum rate_grant grant = rate_take(table, key, interval_us, now_us);
        fill(&buckets[key], interval_us, now_us);
        if (grant == RATE_REFUSED) {
            refused_us[key] = now_us;
            continue;
        }
        ck_assert_uint_ge(buckets[key].credit_us, interval_us);
        buckets[key].credit_us -= interval_us;
        if (grant == RATE_GRANTED_DRY)
            continue;
        ck_assert(refused_us[key] == 0 || now_us >= refused_us[key] + SECOND);
        granted++;
    }
    ck_assert_uint_gt(granted, 0);
}

/* Eight slots grant no more than eight keys could get, however many keys there are. */
TEST(a_crowd_of_keys_gets_what_its_slots_would_get)
{
    unsigned granted = 0;

    table = rate_table_new(1, hash_key);
    for (uint64_t key = 0; key < 100000; key++)
        granted += take_often(key, 20, SECOND, 1);
    ck_assert_uint_eq(granted, (uintmax_t)2 * RATE_WAYS * 20);
}

static _Atomic unsigned granted_by_all;

static void take_on_a_thread(void *context)
{
    (void)context;
    granted_by_all += take_often(1, 1000, SECOND, 20000);
}

TEST(threads_together_get_one_rate)
{
    uv_thread_t threads[4];

    table = rate_table_new(4, hash_key);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(uv_thread_create(&threads[i], take_on_a_thread, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        uv_thread_join(&threads[i]);
    ck_assert_uint_eq(granted_by_all, 1000);
}

#include "traffic/lately.h"

#include "support/suite.h"

enum { NOW = 1700000040, STEPS = 3000 }; /* a full minute */

TEST(the_last_minute_has_its_sixty_seconds)
{
    struct lately lately = {0};

    lately_add(&lately, NOW, 3);
    lately_add(&lately, NOW + 30, 4);
    ck_assert_uint_eq(lately_last_minute(&lately, NOW + 30), 7);
    ck_assert_uint_eq(lately_last_minute(&lately, NOW + 59), 7);
    ck_assert_uint_eq(lately_last_minute(&lately, NOW + 60), 4);
    ck_assert_uint_eq(lately_last_minute(&lately, NOW + 90), 0);
    ck_assert_uint_eq(lately_last_minute(&(struct lately){0}, NOW), 0);
}

TEST(the_last_hour_has_its_minutes)
{
    struct lately lately = {0};
    uint32_t counts[LATELY_SLOTS];

    lately_add(&lately, NOW, 1);
    lately_add(&lately, NOW + 59, 2);
    lately_add(&lately, NOW + 60, 4);
    lately_last_hour(&lately, NOW + 60, counts);
    ck_assert_uint_eq(counts[59], 4);
    ck_assert_uint_eq(counts[58], 3);
    lately_last_hour(&lately, NOW + 59 * 60 + 59, counts);
    ck_assert_uint_eq(counts[0], 3);
    lately_last_hour(&lately, NOW + 60 * 60, counts);
    ck_assert_uint_eq(counts[0], 4);
    lately_last_hour(&lately, NOW + 61 * 60, counts);
    ck_assert_uint_eq(counts[0], 0);
}

TEST(what_comes_late_is_counted_where_it_was)
{
    struct lately lately = {0};
    uint32_t counts[LATELY_SLOTS];

    lately_add(&lately, NOW + 60, 1);
    lately_add(&lately, NOW + 55, 2);
    lately_last_hour(&lately, NOW + 60, counts);
    ck_assert_uint_eq(counts[58], 2);
    ck_assert_uint_eq(lately_last_minute(&lately, NOW + 60), 3);
}

TEST(a_clock_that_is_set_back_begins_anew)
{
    struct lately lately = {0};

    lately_add(&lately, NOW, 5);
    lately_add(&lately, NOW - 86400, 2);
    ck_assert_uint_eq(lately_last_minute(&lately, NOW - 86400), 2);
    ck_assert_uint_eq(lately_last_minute(&lately, NOW), 0);
}

TEST(both_agree_with_a_plain_count)
{
    static uint32_t asked[STEPS * 40];
    struct lately lately = {0};
    uint32_t at = 0, counts[LATELY_SLOTS];

    for (uint32_t step = 1; step < STEPS; step++) {
        at += step * 7 % 39;
        asked[at] += step % 5;
        lately_add(&lately, NOW + at, step % 5);
        uint64_t minute = 0, hour = 0, hour_found = 0;
        for (uint32_t i = 0; i < 60 && i <= at; i++)
            minute += asked[at - i];
        for (uint32_t i = 0; i < 59 * 60 + at % 60 + 1 && i <= at; i++)
            hour += asked[at - i];
        lately_last_hour(&lately, NOW + at, counts);
        for (uint32_t i = 0; i < LATELY_SLOTS; i++)
            hour_found += counts[i];
        ck_assert_uint_eq(lately_last_minute(&lately, NOW + at), minute);
        ck_assert_uint_eq(hour_found, hour);
    }
}

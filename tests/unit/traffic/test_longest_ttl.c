#include "traffic/longest_ttl.h"

#include "support/snapshot_fixture.h"
#include "support/suite.h"

enum { NOW_S = 1700000000 };

TEST(an_answer_lasts_for_the_ttl_and_the_second_it_was_given_in)
{
    struct longest_ttl longest = {.ttl_s = 0};

    ck_assert(longest_ttl_raise(&longest, 10));
    ck_assert(!longest_ttl_raise(&longest, 10));
    ck_assert_uint_eq(longest_ttl_until(&longest, NOW_S), NOW_S + 11);
}

TEST(a_ttl_that_is_lowered_holds_for_the_answers_before)
{
    struct longest_ttl longest = {.ttl_s = 300};

    ck_assert(!longest_ttl_raise(&longest, 10));
    ck_assert_uint_eq(longest_ttl_until(&longest, NOW_S), NOW_S + 301);
    longest_ttl_set(&longest, 10, NOW_S);
    ck_assert_uint_eq(longest_ttl_until(&longest, NOW_S + 20), NOW_S + 301);
    longest_ttl_set(&longest, 5, NOW_S + 30);
    ck_assert_uint_eq(longest_ttl_until(&longest, NOW_S + 20), NOW_S + 301);
    ck_assert_uint_eq(longest_ttl_until(&longest, NOW_S + 299), NOW_S + 305);
}

TEST(what_another_server_answered_may_last_longer)
{
    struct longest_ttl longest = {.ttl_s = 10};

    longest_ttl_add(&longest, &(struct longest_ttl){.ttl_s = 60, .until_s = NOW_S + 90});
    ck_assert_uint_eq(longest_ttl_until(&longest, NOW_S), NOW_S + 90);
    ck_assert_uint_eq(longest_ttl_until(&longest, NOW_S + 50), NOW_S + 50 + 61);
}

TEST(a_clock_that_ends_is_no_time_before_now)
{
    const struct longest_ttl longest = {.ttl_s = 0x7fffffff};

    ck_assert_uint_eq(longest_ttl_until(&longest, UINT32_MAX - 5), UINT32_MAX);
}

static const struct {
    struct longest_ttl before;
    uint32_t lasts_s; /* from now on */
} set_back[] = {
    {{.ttl_s = 10}, 301},
    {{.ttl_s = 3600}, 3601},
    {{.ttl_s = 10, .until_s = NOW_S + 900000, .most_s = 3600}, 3601},
};

TEST_OVER(a_clock_that_is_set_back_bounds_what_may_last, set_back)
{
    struct longest_ttl longest = set_back[_i].before;

    ck_assert_uint_eq(longest_ttl_set_back(&longest, NOW_S), NOW_S + set_back[_i].lasts_s);
    ck_assert_uint_le(longest_ttl_until(&longest, NOW_S), NOW_S + set_back[_i].lasts_s);
}

TEST(a_longest_ttl_whose_answers_have_expired_is_forgotten)
{
    struct longest_ttl longest = {.ttl_s = 3600};

    longest_ttl_set(&longest, 10, NOW_S);
    longest_ttl_set(&longest, 10, NOW_S + 3601);
    ck_assert_uint_eq(longest_ttl_set_back(&longest, NOW_S + 3000), NOW_S + 3000 + 301);
}

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST(the_longest_of_any_space_counts)
{
    uint32_t longest = longest_ttl_of(fixture.snapshot);

    ck_assert_uint_eq(longest, 20);
}

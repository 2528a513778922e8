#include "spacedns/watch_pace.h"

#include "support/suite.h"

static const struct {
    uint64_t failures, next_ms;
} waits[] = {{0, 30000}, {1, 1000}, {2, 2000}, {3, 4000}, {5, 16000}, {6, 20000}, {1000000, 20000}};

TEST_OVER(each_failure_doubles_the_wait_up_to_a_bound, waits)
{
    const struct pace pace = {
        .every_ms = 30000, .first_ms = 1000, .most_ms = 20000, .failures = waits[_i].failures};

    ck_assert_uint_eq(pace_next_ms(&pace), waits[_i].next_ms);
}

TEST(the_same_failure_is_printed_once_until_it_is_old)
{
    struct pace pace = {.every_ms = 1};

    ck_assert(pace_fail(&pace, 7, 1000));
    ck_assert(!pace_fail(&pace, 7, 2000));
    ck_assert(pace_fail(&pace, 8, 3000));
    ck_assert(!pace_fail(&pace, 8, 3000 + PACE_REMIND_MS - 1));
    ck_assert(pace_fail(&pace, 8, 3000 + PACE_REMIND_MS));
    ck_assert_uint_eq(pace.failures, 5);
}

TEST(a_failure_after_a_success_is_printed)
{
    struct pace pace = {.every_ms = 1};

    ck_assert(pace_fail(&pace, 7, 1000));
    pace_succeed(&pace);
    ck_assert_uint_eq(pace_next_ms(&pace), 1);
    ck_assert(pace_fail(&pace, 7, 1001));
}

// forks: its tests leave something behind
#include "spacednsd/reasons_lately.h"

#include <string.h>

#include "decide/reason.h"
#include "support/suite.h"

enum { NOW_S = 1000000 * 60, MINUTE_S = 60 };

static struct reasons_lately reasons;
static struct totals totals;
static json_t *printed;

static void give(enum reason reason, uint64_t count, uint32_t at_s)
{
    totals.reasons[reason] += count;
    reasons_lately_add(&reasons, &totals, at_s);
}

static const json_t *print(uint32_t now_s)
{
    json_decref(printed);
    printed = reasons_lately_json(&reasons, now_s);
    return json_object_get(printed, "reasons");
}

static void tear_down(void)
{
    json_decref(printed);
}

FIXTURE(NULL, tear_down)

static void check_reason(const json_t *list, size_t index, const char *code, json_int_t count)
{
    const json_t *reason = json_array_get(list, index);

    ck_assert_str_eq(json_string_value(json_object_get(reason, "reason")), code);
    ck_assert_int_eq(json_integer_value(json_object_get(reason, "last_hour")), count);
}

static json_int_t minute_of(const json_t *list, size_t index, size_t minute)
{
    const json_t *minutes = json_object_get(json_array_get(list, index), "by_minute");

    ck_assert_uint_eq(json_array_size(minutes), LATELY_SLOTS);
    return json_integer_value(json_array_get(minutes, minute));
}

TEST(what_was_never_given_is_not_listed)
{
    give(REASON_NONE, 7, NOW_S);
    ck_assert_uint_eq(json_array_size(print(NOW_S)), 0);
}

TEST(only_what_is_new_counts)
{
    give(REASON_CRASHED, 3, NOW_S);
    give(REASON_CRASHED, 0, NOW_S + MINUTE_S);
    give(REASON_CRASHED, 2, NOW_S + MINUTE_S);
    const json_t *list = print(NOW_S + MINUTE_S);
    check_reason(list, 0, "Q10", 5);
    ck_assert_int_eq(minute_of(list, 0, LATELY_SLOTS - 2), 3);
    ck_assert_int_eq(minute_of(list, 0, LATELY_SLOTS - 1), 2);
    ck_assert_int_eq(minute_of(list, 0, 0), 0);
}

TEST(an_hour_is_enough)
{
    give(REASON_CRASHED, 3, NOW_S);
    ck_assert_uint_eq(json_array_size(print(NOW_S + 59 * MINUTE_S)), 1);
    ck_assert_uint_eq(json_array_size(print(NOW_S + 60 * MINUTE_S)), 0);
}

TEST(the_most_frequent_is_the_first)
{
    give(REASON_CRASHED, 3, NOW_S);
    give(REASON_OUTSIDE, 30, NOW_S);
    give(REASON_NO_WEB, 4, NOW_S);
    const json_t *list = print(NOW_S);
    check_reason(list, 0, "Q18", 30);
    check_reason(list, 1, "Q14", 4);
    check_reason(list, 2, "Q10", 3);
}

TEST(reasons_of_one_code_are_one)
{
    give(REASON_UPSTREAM, 3, NOW_S);
    give(REASON_UPSTREAM_NETWORK, 2, NOW_S);
    const json_t *list = print(NOW_S);
    ck_assert_uint_eq(json_array_size(list), 1);
    check_reason(list, 0, "Q22", 5);
    ck_assert_int_eq(minute_of(list, 0, LATELY_SLOTS - 1), 5);
}

#include "inspect/stats_visit.h"

#include <stdio.h>
#include <string.h>

#include "decide/reason.h"
#include "support/suite.h"
#include "wire/types.h"

struct seen {
    char lines[8192]; /* "KEY=VALUE\n" of those that are not zero */
    char keys[128][40];
    size_t count;
};

static void note(void *context, const struct stats_value *value)
{
    struct seen *seen = context;
    size_t length = strlen(seen->lines);

    ck_assert_uint_lt(seen->count, sizeof seen->keys / sizeof seen->keys[0]);
    ck_assert_uint_gt(strlen(value->help), 0);
    snprintf(seen->keys[seen->count++], sizeof seen->keys[0], "%s", value->key);
    if (value->value > 0)
        snprintf(seen->lines + length, sizeof seen->lines - length, "%s=%llu\n", value->key,
                 (unsigned long long)value->value);
}

TEST(counters_come_first_then_response_codes_then_reasons)
{
    struct totals totals = {.counters = {[COUNTER_UDP_REQUESTS] = 9, [COUNTER_DROPPED] = 2},
                            .rcodes = {[RCODE_NOERROR] = 5, [RCODE_NXDOMAIN] = 1, [20] = 1},
                            .reasons = {[REASON_NONE] = 4, [REASON_NO_WEB] = 3}};
    struct seen seen = {.count = 0};

    stats_visit(&totals, note, &seen);
    ck_assert_str_eq(seen.lines, "udp_requests=9\ndropped=2\nrcode_NOERROR=5\nrcode_NXDOMAIN=1\n"
                                 "rcode_RCODE20=1\nreason_Q14=3\n");
}

TEST(a_counter_that_is_zero_is_visited_but_no_code_or_reason)
{
    const struct totals totals = {.counters = {0}};
    struct seen seen = {.count = 0};

    stats_visit(&totals, note, &seen);
    ck_assert_uint_eq(seen.count, COUNTER_COUNT);
    ck_assert_str_eq(seen.keys[0], "udp_requests");
}

TEST(no_key_comes_twice_although_reasons_share_codes)
{
    struct totals totals = {.counters = {0}};
    struct seen seen = {.count = 0};

    memset(totals.rcodes, 1, sizeof totals.rcodes);
    for (unsigned i = 0; i < STATS_REASONS; i++)
        totals.reasons[i] = 1;
    stats_visit(&totals, note, &seen);
    for (size_t i = 0; i < seen.count; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(seen.keys[i], seen.keys[j]);
    ck_assert_ptr_nonnull(strstr(seen.lines, "reason_Q22=2\n"));
    ck_assert_ptr_nonnull(strstr(seen.lines, "reason_Q41=3\n"));
}

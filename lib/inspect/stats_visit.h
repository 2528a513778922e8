#pragma once
/**
 * Everything that is counted, one value after the other, for every printer of counters: the
 * counters event, status in lines and as JSON.
 *
 *     udp_requests          each counter of stats/counters.def, also at 0
 *     rcode_NXDOMAIN        replies of each response code, if there were any
 *     reason_Q14            replies that gave each reason, if there were any
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdint.h>

#include "stats/stats.h"

struct stats_value {
    const char *key;  /* lower-case words for counters; unique */
    const char *help; /* one line */
    uint64_t value;
};

/** The value and its texts are borrowed for the call. */
typedef void stats_on_value(void *context, const struct stats_value *value);

/** Calls on_value for each, in the order above. Reasons of one code are one value. */
void stats_visit(const struct totals *totals, stats_on_value *on_value, void *context);

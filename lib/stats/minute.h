#pragma once
/**
 * What was counted in the last minute: the totals of each second are kept, and subtracted.
 *
 *     sample   60 s ago ─ 59 s ago ─ ... ─ 1 s ago ─ newest ─ now
 *              └────────────── minute_read: counts ─────────────┘
 *
 * Right after the start there are fewer samples, and the counts are of less than a minute.
 *
 * Threads: one.  Memory: never allocates.
 */
#include "stats/stats.h"

enum { MINUTE_SECONDS = 60, MINUTE_SAMPLES = MINUTE_SECONDS + 1 };

/** A part of struct totals, or the difference of two. */
struct minute_counts {
    uint64_t counters[COUNTER_COUNT];
    uint64_t replies;
    uint64_t classes[STATS_CLASSES];
    uint64_t transports[STATS_TRANSPORTS];
    uint64_t rcodes[STATS_RCODES];
    uint64_t reasons[STATS_REASONS];
    uint64_t durations[STATS_SOURCES][STATS_DURATIONS];
};

struct minute_sample {
    uint64_t at_ns;
    struct minute_counts counts;
};

/** Zeroed: no samples. */
struct minute {
    struct minute_sample samples[MINUTE_SAMPLES]; /* a ring */
    size_t count;
    size_t newest;
};

struct minute_sum {
    uint64_t ms; /* the time that is counted */
    struct minute_counts counts;
    uint64_t by_second[MINUTE_SECONDS]; /* replies between two samples each, oldest first */
    size_t seconds;                     /* in by_second */
    uint64_t per_second;                /* replies, between the last two samples */
};

/** Adds a sample, to be called each second. */
void minute_note(struct minute *minute, const struct totals *totals, uint64_t at_ns);

/** Subtracts the oldest sample of the last minute from what is counted now. */
void minute_read(const struct minute *minute, const struct totals *now, uint64_t now_ns,
                 struct minute_sum *sum);

/**
 * The bound, in microseconds, that so many percent of the durations did not exceed: that of a
 * bucket. 0: there were none; UINT32_MAX: it is beyond the last bucket.
 */
uint32_t minute_percentile_us(const uint64_t durations[STATS_DURATIONS], unsigned percent);

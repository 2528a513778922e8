#include "stats/minute.h"

#include <string.h>

enum { NS_PER_MS = 1000000, MS_PER_SECOND = 1000, PERCENT = 100 };

/* A sample may be late, but not by so much that what it has is of another minute. */
static const uint64_t oldest_ns = (uint64_t)(MINUTE_SECONDS + 2) * MS_PER_SECOND * NS_PER_MS;

static void read_replies(const struct totals *totals, struct minute_counts *counts)
{
    for (size_t class = 0; class < STATS_CLASSES; class ++)
        for (size_t transport = 0; transport < STATS_TRANSPORTS; transport++) {
            const uint64_t *replies = &totals->replies[class][transport][0][0];
            uint64_t sum = 0;
            for (size_t i = 0; i < (size_t)STATS_RCODES * STATS_REASONS; i++)
                sum += replies[i];
            counts->classes[class] += sum;
            counts->transports[transport] += sum;
            counts->replies += sum;
        }
}

static struct minute_counts read_counts(const struct totals *totals)
{
    struct minute_counts counts = {.replies = 0};

    memcpy(counts.counters, totals->counters, sizeof counts.counters);
    memcpy(counts.rcodes, totals->rcodes, sizeof counts.rcodes);
    memcpy(counts.reasons, totals->reasons, sizeof counts.reasons);
    memcpy(counts.durations, totals->durations, sizeof counts.durations);
    read_replies(totals, &counts);
    return counts;
}

void minute_note(struct minute *minute, const struct totals *totals, uint64_t at_ns)
{
    minute->newest = minute->count == 0 ? 0 : (minute->newest + 1) % MINUTE_SAMPLES;
    minute->samples[minute->newest] =
        (struct minute_sample){.at_ns = at_ns, .counts = read_counts(totals)};
    if (minute->count < MINUTE_SAMPLES)
        minute->count++;
}

/* The sample that was the newest one so many samples ago. */
static const struct minute_sample *sample_before(const struct minute *minute, size_t ago)
{
    return &minute->samples[(minute->newest + MINUTE_SAMPLES - ago) % MINUTE_SAMPLES];
}

/* How many samples ago the oldest of the last minute was the newest one. */
static size_t find_oldest(const struct minute *minute, uint64_t now_ns)
{
    size_t ago = minute->count - 1;

    while (ago > 0 && now_ns - sample_before(minute, ago)->at_ns > oldest_ns)
        ago--;
    return ago;
}

/* They are of numbers alone. */
static void subtract(struct minute_counts *counts, const struct minute_counts *before)
{
    uint64_t *to = (uint64_t *)counts;
    const uint64_t *from = (const uint64_t *)before;

    for (size_t i = 0; i < sizeof *counts / sizeof *to; i++)
        to[i] = to[i] > from[i] ? to[i] - from[i] : 0;
}

static void read_seconds(const struct minute *minute, size_t oldest, struct minute_sum *sum)
{
    for (size_t ago = oldest; ago > 0; ago--) {
        const struct minute_sample *from = sample_before(minute, ago);
        const struct minute_sample *to = sample_before(minute, ago - 1);
        uint64_t replies = to->counts.replies - from->counts.replies;
        uint64_t ms = (to->at_ns - from->at_ns) / NS_PER_MS;
        sum->by_second[sum->seconds++] = replies;
        sum->per_second = ms == 0 ? replies : (replies * MS_PER_SECOND + ms / 2) / ms;
    }
}

void minute_read(const struct minute *minute, const struct totals *now, uint64_t now_ns,
                 struct minute_sum *sum)
{
    *sum = (struct minute_sum){.counts = read_counts(now)};
    if (minute->count == 0)
        return;
    size_t oldest = find_oldest(minute, now_ns);
    subtract(&sum->counts, &sample_before(minute, oldest)->counts);
    sum->ms = (now_ns - sample_before(minute, oldest)->at_ns) / NS_PER_MS;
    read_seconds(minute, oldest, sum);
}

uint32_t minute_percentile_us(const uint64_t durations[STATS_DURATIONS], unsigned percent)
{
    uint64_t total = 0, sum = 0;

    for (size_t i = 0; i < STATS_DURATIONS; i++)
        total += durations[i];
    if (total == 0)
        return 0;
    for (size_t i = 0; i < STATS_DURATIONS - 1; i++) {
        sum += durations[i];
        if (sum * PERCENT >= total * percent)
            return stats_duration_bounds_us[i];
    }
    return UINT32_MAX;
}

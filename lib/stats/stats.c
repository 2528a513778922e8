#include "stats/stats.h"

#include <string.h>

struct counter_entry {
    const char *name;
    const char *help;
    enum metric metric;
    const char *labels;
};

static const struct counter_entry entries[COUNTER_COUNT] = {
#define COUNTER(symbol, name, metric, labels, help)                                                \
    [COUNTER_##symbol] = {name, help, METRIC_##metric, labels},
#include "stats/counters.def"
#undef COUNTER
};

static const struct metric_entry metrics[METRIC_COUNT] = {
#define METRIC(symbol, kind, name, unit, labels, help)                                             \
    [METRIC_##symbol] = {name, METRIC_KIND_##kind, unit, labels, help},
#include "stats/metrics.def"
#undef METRIC
};

const uint32_t stats_duration_bounds_us[STATS_DURATIONS - 1] = {
    25,    50,    100,    250,    500,    1000,    2500,    5000,    10000,
    25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000,
};

static const char *const source_texts[STATS_SOURCES] = {
    [STATS_LOCAL] = "local",
    [STATS_CACHE] = "cache",
    [STATS_UPSTREAM] = "upstream",
};

static void add_all(uint64_t *totals, const _Atomic uint64_t *counters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        totals[i] += atomic_load_explicit(&counters[i], memory_order_relaxed);
}

/* The replies by response code and by reason alone. */
static void sum_replies(struct totals *totals)
{
    memset(totals->rcodes, 0, sizeof totals->rcodes);
    memset(totals->reasons, 0, sizeof totals->reasons);
    for (size_t i = 0; i < (size_t)STATS_CLASSES * STATS_TRANSPORTS; i++)
        for (size_t rcode = 0; rcode < STATS_RCODES; rcode++)
            for (size_t reason = 0; reason < STATS_REASONS; reason++) {
                uint64_t count =
                    totals->replies[i / STATS_TRANSPORTS][i % STATS_TRANSPORTS][rcode][reason];
                totals->rcodes[rcode] += count;
                totals->reasons[reason] += count;
            }
}

void stats_add_to(struct totals *totals, const struct stats *stats)
{
    add_all(totals->counters, stats->counters, COUNTER_COUNT);
    add_all(&totals->replies[0][0][0][0], &stats->replies[0][0][0][0],
            sizeof totals->replies / sizeof totals->replies[0][0][0][0]);
    add_all(&totals->durations[0][0], &stats->durations[0][0],
            sizeof totals->durations / sizeof totals->durations[0][0]);
    add_all(totals->duration_ns, stats->duration_ns, STATS_SOURCES);
    sum_replies(totals);
}

void stats_count_durations(struct stats *stats, enum stats_source source, uint64_t ns,
                           uint64_t count)
{
    size_t bucket = 0;

    while (bucket < STATS_DURATIONS - 1 && ns > stats_duration_bounds_us[bucket] * (uint64_t)1000)
        bucket++;
    stats_raise(&stats->durations[source][bucket], count);
    stats_raise(&stats->duration_ns[source], ns * count);
}

const char *stats_source_text(enum stats_source source)
{
    return source_texts[source];
}

const char *counter_name(enum counter counter)
{
    return entries[counter].name;
}

const char *counter_help(enum counter counter)
{
    return entries[counter].help;
}

enum metric counter_metric(enum counter counter)
{
    return entries[counter].metric;
}

const char *counter_labels(enum counter counter)
{
    return entries[counter].labels;
}

const struct metric_entry *metric_entry(enum metric metric)
{
    return &metrics[metric];
}

#include "stats/stats.h"

struct counter_entry {
    const char *name;
    const char *help;
};

static const struct counter_entry entries[COUNTER_COUNT] = {
#define COUNTER(symbol, name, help) [COUNTER_##symbol] = {name, help},
#include "stats/counters.def"
#undef COUNTER
};

static void add_all(uint64_t *totals, const _Atomic uint64_t *counters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        totals[i] += atomic_load_explicit(&counters[i], memory_order_relaxed);
}

void stats_add_to(struct totals *totals, const struct stats *stats)
{
    add_all(totals->counters, stats->counters, COUNTER_COUNT);
    add_all(totals->rcodes, stats->rcodes, STATS_RCODES);
    add_all(totals->reasons, stats->reasons, STATS_REASONS);
}

const char *counter_name(enum counter counter)
{
    return entries[counter].name;
}

const char *counter_help(enum counter counter)
{
    return entries[counter].help;
}

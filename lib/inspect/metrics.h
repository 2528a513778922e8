#pragma once
/**
 * Prints metrics for a scrape: OpenMetrics, or the older text format of Prometheus.
 *
 *     # TYPE spacedns_requests counter
 *     # HELP spacedns_requests Requests received, also those that get no reply.
 *     spacedns_requests_total{transport="udp"} 70
 *     spacedns_requests_total{transport="tcp"} 3
 *     # EOF
 *
 * The totals give what counters.def and the table of replies have. Everything else is a series that
 * the server adds: a metric, the values of its labels, a value. A metric without a series is left
 * out, and replies that never happened have no series.
 *
 *     metrics_init ─► metrics_add, for each series ─► metrics_print
 *
 * Sources: OpenMetrics 1.0; the text format 0.0.4 of Prometheus, where the type of a counter is
 * that of its whole name, with _total.
 * Threads: one.  Memory: the arena's; texts of labels are borrowed until it is printed.
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "stats/stats.h"

enum metrics_format { METRICS_TEXT, METRICS_OPENMETRICS };

enum { METRICS_LABELS_MOST = 4 };

struct metrics_series {
    enum metric metric;
    const char *labels[METRICS_LABELS_MOST]; /* values, in the order of metrics.def */
    double value;
    size_t next; /* index of the next one of its metric, plus 1; 0: it is the last */
};

struct metrics {
    struct arena *arena;
    struct totals totals;
    struct metrics_series *series;
    size_t first[METRIC_COUNT]; /* index plus 1; 0: the metric has no series */
    size_t last[METRIC_COUNT];
    size_t count;
    size_t capacity;
    bool lacks_memory; /* a series could not be added */
};

/** Begins without series, and totals of zero. */
void metrics_init(struct metrics *metrics, struct arena *arena);

/** Adds a series of a metric without labels. */
void metrics_add(struct metrics *metrics, enum metric metric, double value);

/** Adds a series of a metric with one label, two or three, in the order of metrics.def. */
void metrics_add_1(struct metrics *metrics, enum metric metric, const char *label, double value);
void metrics_add_2(struct metrics *metrics, enum metric metric, const char *label,
                   const char *second, double value);
void metrics_add_3(struct metrics *metrics, enum metric metric, const char *const labels[3],
                   double value);

/** The content type of a format, for HTTP. */
const char *metrics_content_type(enum metrics_format format);

void metrics_print(const struct metrics *metrics, enum metrics_format format, FILE *out);

#include "inspect/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "decide/client.h"
#include "decide/reason.h"
#include "wire/types.h"

enum { LABEL_NAME_MOST = 32, RCODE_OCTETS = 32, NS_PER_SECOND = 1000000000 };
static const double us_per_second = 1e6;

/* Where it is printed, and in which format. */
struct output {
    FILE *out;
    enum metrics_format format;
};

/* ---- series ---- */

void metrics_init(struct metrics *metrics, struct arena *arena)
{
    *metrics = (struct metrics){.arena = arena};
}

static void add(struct metrics *metrics, const struct metrics_series *series)
{
    struct metrics_series *grown = arena_grow(metrics->arena, metrics->series, metrics->count,
                                              &metrics->capacity, sizeof *grown);

    if (grown == NULL) {
        metrics->lacks_memory = true;
        return;
    }
    metrics->series = grown;
    metrics->series[metrics->count++] = *series;
    size_t *last = &metrics->last[series->metric];
    *(*last == 0 ? &metrics->first[series->metric] : &grown[*last - 1].next) = metrics->count;
    *last = metrics->count;
}

void metrics_add(struct metrics *metrics, enum metric metric, double value)
{
    add(metrics, &(struct metrics_series){.metric = metric, .value = value});
}

void metrics_add_1(struct metrics *metrics, enum metric metric, const char *label, double value)
{
    add(metrics, &(struct metrics_series){.metric = metric, .labels = {label}, .value = value});
}

void metrics_add_2(struct metrics *metrics, enum metric metric, const char *label,
                   const char *second, double value)
{
    add(metrics,
        &(struct metrics_series){.metric = metric, .labels = {label, second}, .value = value});
}

void metrics_add_3(struct metrics *metrics, enum metric metric, const char *const labels[3],
                   double value)
{
    add(metrics, &(struct metrics_series){.metric = metric,
                                          .labels = {labels[0], labels[1], labels[2]},
                                          .value = value});
}

/* ---- parts of a line ---- */

/* Both formats escape these three, and take every other octet of UTF-8 as it is. */
static void print_escaped(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            fputs("\\n", out);
            continue;
        }
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static bool is_whole(double value)
{
    return value > -1e15 && value < 1e15 && (double)(int64_t)value == value;
}

/* Whole numbers without a fraction, others with twelve digits. */
static void print_value(double value, FILE *out)
{
    fprintf(out, is_whole(value) ? " %.0f\n" : " %.12g\n", value);
}

/* The bound of a bucket, with a fraction or an exponent as OpenMetrics wants it: 0.001, 1.0. */
static void print_bound(uint32_t us, FILE *out)
{
    double seconds = us / us_per_second;

    fprintf(out, is_whole(seconds) ? "%.1f" : "%g", seconds);
}

/* Copies the first word of *words, and moves behind it. Returns false at the end. */
static bool next_word(const char **words, char word[LABEL_NAME_MOST])
{
    size_t length = *words == NULL ? 0 : strcspn(*words, " ");

    if (length == 0)
        return false;
    assert(length < LABEL_NAME_MOST);
    snprintf(word, LABEL_NAME_MOST, "%.*s", (int)length, *words);
    *words += length + ((*words)[length] == ' ');
    return true;
}

/* {transport="udp",rcode="NOERROR"}; nothing without labels. */
static void print_labels(const struct metric_entry *entry, const char *const *values, FILE *out)
{
    const char *names = entry->labels, *before = "{";
    char name[LABEL_NAME_MOST];

    for (size_t i = 0; next_word(&names, name); i++) {
        assert(i < METRICS_LABELS_MOST && values[i] != NULL);
        fprintf(out, "%s%s=\"", before, name);
        print_escaped(values[i], out);
        fputc('"', out);
        before = ",";
    }
    if (entry->labels != NULL)
        fputc('}', out);
}

static const char *suffix_of(enum metric_kind kind)
{
    static const char *const suffixes[] = {
        [METRIC_KIND_COUNTER] = "_total",
        [METRIC_KIND_GAUGE] = "",
        [METRIC_KIND_HISTOGRAM] = "",
        [METRIC_KIND_INFO] = "_info",
    };

    return suffixes[kind];
}

static const char *type_of(enum metric_kind kind, enum metrics_format format)
{
    static const char *const types[] = {
        [METRIC_KIND_COUNTER] = "counter",
        [METRIC_KIND_GAUGE] = "gauge",
        [METRIC_KIND_HISTOGRAM] = "histogram",
        [METRIC_KIND_INFO] = "info",
    };

    return kind == METRIC_KIND_INFO && format == METRICS_TEXT ? "gauge" : types[kind];
}

/* ---- a metric ---- */

static void print_head(const struct metric_entry *entry, const struct output *output)
{
    const char *suffix = output->format == METRICS_TEXT ? suffix_of(entry->kind) : "";

    fprintf(output->out, "# TYPE %s%s %s\n", entry->name, suffix,
            type_of(entry->kind, output->format));
    if (entry->unit != NULL && output->format == METRICS_OPENMETRICS)
        fprintf(output->out, "# UNIT %s %s\n", entry->name, entry->unit);
    fprintf(output->out, "# HELP %s%s %s\n", entry->name, suffix, entry->help);
}

static void print_sample(const struct metric_entry *entry, const char *const *labels, double value,
                         FILE *out)
{
    fprintf(out, "%s%s", entry->name, suffix_of(entry->kind));
    print_labels(entry, labels, out);
    print_value(value, out);
}

static void print_added(const struct metrics *metrics, enum metric metric,
                        const struct output *output)
{
    const struct metric_entry *entry = metric_entry(metric);

    if (metrics->first[metric] > 0)
        print_head(entry, output);
    for (size_t i = metrics->first[metric]; i > 0; i = metrics->series[i - 1].next)
        print_sample(entry, metrics->series[i - 1].labels, metrics->series[i - 1].value,
                     output->out);
}

/* ---- counters ---- */

/* "limit=external_rate action=dropped" as {limit="external_rate",action="dropped"}. */
static void print_given_labels(const char *labels, FILE *out)
{
    const char *before = "{";
    char label[LABEL_NAME_MOST * 2];

    for (const char *rest = labels; rest != NULL && *rest != '\0'; before = ",") {
        size_t length = strcspn(rest, " ");
        snprintf(label, sizeof label, "%.*s", (int)length, rest);
        char *value = strchr(label, '=');
        assert(length < sizeof label && value != NULL);
        *value = '\0';
        fprintf(out, "%s%s=\"%s\"", before, label, value + 1);
        rest += length + (rest[length] == ' ');
    }
    if (labels != NULL)
        fputc('}', out);
}

/* Returns false when no line of counters.def is a part of it. */
static bool print_counters(const struct totals *totals, enum metric metric,
                           const struct output *output)
{
    const struct metric_entry *entry = metric_entry(metric);
    bool has_head = false;

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        if (counter_metric((enum counter)i) != metric)
            continue;
        if (!has_head)
            print_head(entry, output);
        has_head = true;
        fprintf(output->out, "%s%s", entry->name, suffix_of(entry->kind));
        print_given_labels(counter_labels((enum counter)i), output->out);
        print_value((double)totals->counters[i], output->out);
    }
    return has_head;
}

/* ---- replies ---- */

/* One client class and transport. */
struct replies {
    const uint64_t (*counts)[STATS_REASONS]; /* by response code */
    const char *class;
    const char *transport;
};

static const char *code_of(unsigned reason)
{
    return reason == REASON_NONE ? "none" : reason_entry((enum reason)reason)->code;
}

/* The sum of a code's reasons, of which `first` is the first; 0 for another one. */
static uint64_t sum_code(const uint64_t *counts, unsigned first)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < REASON_COUNT; i++) {
        if (strcmp(code_of(i), code_of(first)) != 0)
            continue;
        if (i < first)
            return 0;
        sum += counts[i];
    }
    return sum;
}

static void print_replies(const struct replies *replies, const struct metric_entry *entry,
                          FILE *out)
{
    for (unsigned rcode = 0; rcode < STATS_RCODES; rcode++)
        for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
            uint64_t sum = sum_code(replies->counts[rcode], reason);
            char name[RCODE_OCTETS];
            struct text text = text_over(name, sizeof name - 1);
            if (sum == 0)
                continue;
            rcode_add(&text, (uint16_t)rcode);
            *text.next = '\0';
            const char *const labels[] = {replies->class, replies->transport, name,
                                          code_of(reason)};
            print_sample(entry, labels, (double)sum, out);
        }
}

static void print_queries(const struct totals *totals, const struct output *output)
{
    static const char *const transports[STATS_TRANSPORTS] = {"udp", "tcp"};
    const struct metric_entry *entry = metric_entry(METRIC_QUERIES);

    print_head(entry, output);
    for (unsigned class = 0; class < STATS_CLASSES; class ++)
        for (unsigned transport = 0; transport < STATS_TRANSPORTS; transport++) {
            const struct replies replies = {.counts = totals->replies[class][transport],
                                            .class = class_text((enum client_class) class),
                                            .transport = transports[transport]};
            print_replies(&replies, entry, output->out);
        }
}

/* ---- durations ---- */

static void print_buckets(const uint64_t *counts, const char *name, const char *source, FILE *out)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < STATS_DURATIONS; i++) {
        sum += counts[i];
        fprintf(out, "%s_bucket{source=\"%s\",le=\"", name, source);
        if (i < STATS_DURATIONS - 1)
            print_bound(stats_duration_bounds_us[i], out);
        else
            fputs("+Inf", out);
        fprintf(out, "\"} %" PRIu64 "\n", sum);
    }
    fprintf(out, "%s_count{source=\"%s\"} %" PRIu64 "\n", name, source, sum);
}

static void print_durations(const struct totals *totals, const struct output *output)
{
    const struct metric_entry *entry = metric_entry(METRIC_QUERY_DURATION);

    print_head(entry, output);
    for (unsigned i = 0; i < STATS_SOURCES; i++) {
        const char *source = stats_source_text((enum stats_source)i);
        print_buckets(totals->durations[i], entry->name, source, output->out);
        fprintf(output->out, "%s_sum{source=\"%s\"}", entry->name, source);
        print_value((double)totals->duration_ns[i] / NS_PER_SECOND, output->out);
    }
}

/* ---- all ---- */

const char *metrics_content_type(enum metrics_format format)
{
    return format == METRICS_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

void metrics_print(const struct metrics *metrics, enum metrics_format format, FILE *out)
{
    const struct output output = {.out = out, .format = format};

    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        enum metric metric = (enum metric)i;
        if (metric == METRIC_QUERIES)
            print_queries(&metrics->totals, &output);
        else if (metric == METRIC_QUERY_DURATION)
            print_durations(&metrics->totals, &output);
        else if (!print_counters(&metrics->totals, metric, &output))
            print_added(metrics, metric, &output);
    }
    if (format == METRICS_OPENMETRICS)
        fputs("# EOF\n", out);
}

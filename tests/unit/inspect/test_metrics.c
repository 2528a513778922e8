// wrap: malloc calloc realloc
#include "inspect/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "decide/client.h"
#include "decide/reason.h"
#include "respond/respond.h"
#include "support/allocations.h"
#include "support/suite.h"
#include "wire/types.h"

static struct metrics metrics;
static struct arena *arena;
static char *printed;
static size_t length;

static void set_up(void)
{
    arena = arena_new();
    ck_assert_ptr_nonnull(arena);
    metrics_init(&metrics, arena);
}

static void tear_down(void)
{
    arena_free(arena);
    free(printed);
    printed = NULL;
}

static const char *print(enum metrics_format format)
{
    FILE *out = open_memstream(&printed, &length);

    ck_assert_ptr_nonnull(out);
    metrics_print(&metrics, format, out);
    ck_assert_int_eq(fclose(out), 0);
    return printed;
}

/* What is printed of one metric; it is cut off behind that. */
static const char *print_one(enum metrics_format format, const char *name)
{
    char begin[96], other[96];

    free(printed);
    print(format);
    snprintf(begin, sizeof begin, "# TYPE %s", name);
    char *found = strstr(printed, begin);
    ck_assert_msg(found != NULL, "%s in: %s", begin, printed);
    snprintf(other, sizeof other, "\n# TYPE ");
    char *end = strstr(found, other);
    if (end == NULL)
        end = strstr(found, "\n# EOF");
    if (end != NULL)
        end[1] = '\0';
    return found;
}

FIXTURE(set_up, tear_down)

/* ---- series ---- */

TEST(a_gauge_has_its_unit_in_openmetrics_alone)
{
    metrics_add(&metrics, METRIC_SNAPSHOT_AGE, 1.25);
    ck_assert_str_eq(
        print_one(METRICS_OPENMETRICS, "spacedns_snapshot_age_seconds"),
        "# TYPE spacedns_snapshot_age_seconds gauge\n"
        "# UNIT spacedns_snapshot_age_seconds seconds\n"
        "# HELP spacedns_snapshot_age_seconds Time since the generation that is served was adopted "
        "by every worker.\n"
        "spacedns_snapshot_age_seconds 1.25\n");
    ck_assert_str_eq(
        print_one(METRICS_TEXT, "spacedns_snapshot_age_seconds"),
        "# TYPE spacedns_snapshot_age_seconds gauge\n"
        "# HELP spacedns_snapshot_age_seconds Time since the generation that is served was adopted "
        "by every worker.\n"
        "spacedns_snapshot_age_seconds 1.25\n");
}

TEST(a_counter_is_named_whole_in_the_text_format_alone)
{
    metrics_add(&metrics, METRIC_CACHE_EVICTED, 7);
    ck_assert_str_eq(print_one(METRICS_OPENMETRICS, "spacedns_cache_evicted"),
                     "# TYPE spacedns_cache_evicted counter\n"
                     "# HELP spacedns_cache_evicted Answers removed from the cache before they "
                     "expired, to make room.\n"
                     "spacedns_cache_evicted_total 7\n");
    ck_assert_str_eq(print_one(METRICS_TEXT, "spacedns_cache_evicted"),
                     "# TYPE spacedns_cache_evicted_total counter\n"
                     "# HELP spacedns_cache_evicted_total Answers removed from the cache before "
                     "they expired, to make room.\n"
                     "spacedns_cache_evicted_total 7\n");
}

TEST(the_version_is_info_and_for_older_readers_a_gauge)
{
    metrics_add_1(&metrics, METRIC_BUILD, "1.2.3", 1);
    ck_assert_str_eq(print_one(METRICS_OPENMETRICS, "spacedns_build"),
                     "# TYPE spacedns_build info\n"
                     "# HELP spacedns_build The version of the server, as a label; its value is "
                     "always 1.\n"
                     "spacedns_build_info{version=\"1.2.3\"} 1\n");
    ck_assert_str_eq(print_one(METRICS_TEXT, "spacedns_build"),
                     "# TYPE spacedns_build_info gauge\n"
                     "# HELP spacedns_build_info The version of the server, as a label; its value "
                     "is always 1.\n"
                     "spacedns_build_info{version=\"1.2.3\"} 1\n");
}

TEST(labels_are_escaped_and_series_of_one_metric_stand_together)
{
    metrics_add_2(&metrics, METRIC_UPSTREAM_QUERIES, "a\"b\\c\nd", ".", 1);
    metrics_add(&metrics, METRIC_SPACES, 3);
    metrics_add_2(&metrics, METRIC_UPSTREAM_QUERIES, "10.0.0.2", "corp.example", 2);
    const char *text = print_one(METRICS_OPENMETRICS, "spacedns_upstream_queries");
    ck_assert_ptr_nonnull(
        strstr(text, "spacedns_upstream_queries_total{upstream=\"a\\\"b\\\\c\\nd\",zone=\".\"} 1\n"
                     "spacedns_upstream_queries_total{upstream=\"10.0.0.2\",zone=\"corp.example\"} "
                     "2\n"));
}

TEST(a_series_has_as_many_labels_as_its_metric)
{
    const char *const labels[] = {"test-space", "frozen-oasis-70544", "answered"};

    metrics_add_3(&metrics, METRIC_APP_QUERIES, labels, 12);
    ck_assert_ptr_nonnull(strstr(print_one(METRICS_OPENMETRICS, "spacedns_app_queries "),
                                 "\nspacedns_app_queries_total{space=\"test-space\",app=\"frozen-"
                                 "oasis-70544\",outcome=\"answered\"} 12\n"));
}

static const struct {
    double value;
    const char *text;
} values[] = {
    {0, " 0\n"},
    {1, " 1\n"},
    {4294967296, " 4294967296\n"},
    {123456789012345, " 123456789012345\n"},
    {0.003, " 0.003\n"},
    {-1.5, " -1.5\n"},
    {1764457593.25, " 1764457593.25\n"},
};

TEST_OVER(a_whole_number_has_no_fraction, values)
{
    metrics_add(&metrics, METRIC_SPACES, values[_i].value);
    ck_assert_ptr_nonnull(
        strstr(print_one(METRICS_OPENMETRICS, "spacedns_spaces"), values[_i].text));
}

TEST(a_metric_without_a_series_is_left_out)
{
    ck_assert_ptr_null(strstr(print(METRICS_OPENMETRICS), "spacedns_spaces"));
}

/* ---- totals ---- */

TEST(counters_of_one_metric_are_told_apart_by_labels)
{
    metrics.totals.counters[COUNTER_UDP_REQUESTS] = 70;
    metrics.totals.counters[COUNTER_TCP_REQUESTS] = 3;
    metrics.totals.counters[COUNTER_CLIENT_DROPPED] = 2;
    ck_assert_str_eq(print_one(METRICS_OPENMETRICS, "spacedns_requests "),
                     "# TYPE spacedns_requests counter\n"
                     "# HELP spacedns_requests Requests received, also those that get no reply.\n"
                     "spacedns_requests_total{transport=\"udp\"} 70\n"
                     "spacedns_requests_total{transport=\"tcp\"} 3\n");
    ck_assert_ptr_nonnull(
        strstr(print_one(METRICS_OPENMETRICS, "spacedns_rate_limited"),
               "\nspacedns_rate_limited_total{limit=\"client_rate\",action=\"dropped\"} 2\n"));
}

TEST(only_replies_that_happened_have_series_and_reasons_of_one_code_are_one)
{
    metrics.totals.replies[CLIENT_SPACE][TRANSPORT_UDP][RCODE_NOERROR][REASON_NONE] = 5;
    metrics.totals.replies[CLIENT_EXTERNAL][TRANSPORT_TCP][20][REASON_NONE] = 1;
    for (unsigned i = 0; i < REASON_COUNT; i++)
        if (strcmp(reason_entry((enum reason)i)->code, "Q22") == 0)
            metrics.totals.replies[CLIENT_VPN][TRANSPORT_UDP][RCODE_SERVFAIL][i] = 2;
    const char *text = strstr(print_one(METRICS_OPENMETRICS, "spacedns_queries "), "reasons.\n");
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text + strlen("reasons.\n"),
                     "spacedns_queries_total{class=\"space\",transport=\"udp\",rcode=\"NOERROR\","
                     "reason=\"none\"} 5\n"
                     "spacedns_queries_total{class=\"vpn\",transport=\"udp\",rcode=\"SERVFAIL\","
                     "reason=\"Q22\"} 4\n"
                     "spacedns_queries_total{class=\"external\",transport=\"tcp\","
                     "rcode=\"RCODE20\",reason=\"none\"} 1\n");
}

TEST(buckets_of_durations_add_up)
{
    metrics.totals.durations[STATS_CACHE][0] = 3;
    metrics.totals.durations[STATS_CACHE][5] = 2;
    metrics.totals.durations[STATS_CACHE][STATS_DURATIONS - 1] = 1;
    metrics.totals.duration_ns[STATS_CACHE] = 7500000000;
    const char *text = print_one(METRICS_OPENMETRICS, "spacedns_query_duration_seconds");
    ck_assert_ptr_nonnull(strstr(text, "_bucket{source=\"cache\",le=\"2.5e-05\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "_bucket{source=\"cache\",le=\"0.0005\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "_bucket{source=\"cache\",le=\"0.001\"} 5\n"));
    ck_assert_ptr_nonnull(strstr(text, "_bucket{source=\"cache\",le=\"1.0\"} 5\n"));
    ck_assert_ptr_nonnull(strstr(text,
                                 "_bucket{source=\"cache\",le=\"+Inf\"} 6\n"
                                 "spacedns_query_duration_seconds_count{source=\"cache\"} 6\n"
                                 "spacedns_query_duration_seconds_sum{source=\"cache\"} 7.5\n"));
    ck_assert_ptr_nonnull(strstr(text, "_count{source=\"local\"} 0\n"));
}

/* ---- the whole ---- */

TEST(each_format_has_its_content_type)
{
    ck_assert_str_eq(metrics_content_type(METRICS_TEXT),
                     "text/plain; version=0.0.4; charset=utf-8");
    ck_assert_str_eq(metrics_content_type(METRICS_OPENMETRICS),
                     "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

/* Whichever allocation fails: either nothing does, or it is said. */
TEST(a_series_that_has_no_memory_is_noticed)
{
    enum { SERIES = 20000 };
    bool was_noticed = false;

    for (size_t number = 1; number < 4; number++) {
        arena_free(arena);
        arena = arena_new();
        metrics_init(&metrics, arena);
        allocations_fail(number);
        for (unsigned i = 0; i < SERIES; i++)
            metrics_add(&metrics, METRIC_SPACES, i);
        allocations_fail(0);
        ck_assert(metrics.lacks_memory || metrics.count == SERIES);
        was_noticed |= metrics.lacks_memory;
    }
    ck_assert(was_noticed);
}

TEST(openmetrics_ends_with_a_mark)
{
    ck_assert_str_eq(print(METRICS_OPENMETRICS) + length - strlen("# EOF\n"), "# EOF\n");
    free(printed);
    ck_assert_ptr_null(strstr(print(METRICS_TEXT), "# EOF"));
}

/* The largest number of series that replies can make, whatever is asked. */
TEST(series_are_bounded)
{
    size_t lines = 0;

    memset(&metrics.totals, 1, sizeof metrics.totals);
    for (const char *text = print(METRICS_OPENMETRICS); *text != '\0'; text++)
        lines += *text == '\n';
    ck_assert_uint_lt(lines, STATS_CLASSES * STATS_TRANSPORTS * STATS_RCODES * REASON_COUNT + 500);
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

TEST(every_metric_has_a_name_with_its_unit_and_a_sentence_of_help)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_entry *entry = metric_entry((enum metric)i);
        ck_assert_msg(entry->unit == NULL || ends_with(entry->name, entry->unit), "%s",
                      entry->name);
        ck_assert_msg(!ends_with(entry->name, "_total"), "%s", entry->name);
        ck_assert_msg(ends_with(entry->help, "."), "%s: %s", entry->name, entry->help);
        ck_assert_msg(strpbrk(entry->help, "\"\\\n") == NULL, "%s", entry->name);
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(metric_entry((enum metric)j)->name, entry->name);
    }
}

/* The labels of its counters are those of the metric, in the same order. */
TEST(counters_have_the_labels_of_their_metric)
{
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        const struct metric_entry *entry = metric_entry(counter_metric((enum counter)i));
        const char *labels = counter_labels((enum counter)i);
        char names[96] = "";
        for (bool is_value = false; labels != NULL && *labels != '\0'; labels++) {
            is_value = is_value ? *labels != ' ' : *labels == '=';
            if (!is_value)
                strncat(names, labels, 1);
        }
        ck_assert_int_eq(entry->kind, METRIC_KIND_COUNTER);
        ck_assert_str_eq(names, entry->labels == NULL ? "" : entry->labels);
    }
}

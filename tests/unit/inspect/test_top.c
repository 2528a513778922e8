#include "inspect/top.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static char *printed;
static json_t *json;
static struct top read;

static void tear_down(void)
{
    free(printed);
    json_decref(json);
    printed = NULL;
    json = NULL;
}

static void set_up(void)
{
}

FIXTURE(set_up, tear_down)

static void print(const struct top *top, bool is_line)
{
    size_t length;
    FILE *out = open_memstream(&printed, &length);

    top_print_json(top, is_line, out);
    fclose(out);
}

static void carry(const struct top *top)
{
    print(top, true);
    json = json_loads(printed, 0, NULL);
    ck_assert(top_read(json, &read));
}

static const struct top whole = {
    .at = "2026-11-30T10:41:17Z",
    .uptime_seconds = 1,
    .generation = 2,
    .spaces = 3,
    .apps = 4,
    .workers = 5,
    .silent_workers = 6,
    .window_ms = 60003,
    .queries = 8,
    .per_second = 9,
    .by_second = {10, 0, 12},
    .seconds = 3,
    .unanswered = 13,
    .cache_entries = 14,
    .cache_hits = 15,
    .cache_misses = 16,
    .counts = {[TOP_TRANSPORTS] = {{{"udp", NULL, 17}, {"tcp", NULL, 18}}, 2},
               [TOP_CLASSES] = {{{"space", NULL, 19}}, 1},
               [TOP_RCODES] = {{{"NOERROR", NULL, 20}}, 1},
               [TOP_REASONS] = {{{"Q14", "No web dynos running", 21}}, 1}},
    .latencies = {{"local", 22, 25, 50, 100}, {"upstream", 23, 1000, 5000000, UINT32_MAX}},
    .latency_count = 2,
    .busiest =
        {[TOP_APPS] =
             {{{.name = "a", .space = "s", .asked_least = 24, .asked_most = 25, .failed = 1}}, 1},
         [TOP_CLIENTS] = {{{.name = "a",
                            .space = "s",
                            .kind = "app",
                            .address = "10.0.130.56",
                            .asked_least = 26,
                            .asked_most = 26},
                           {.name = "", .kind = "outside", .asked_most = 1}},
                          2},
         [TOP_NAMES] = {{{.name = "www.example.org", .asked_least = 27, .asked_most = 99}}, 1}},
    .upstreams = {{"10.0.0.2", "up", true, 28, 29, 30}, {"10.0.0.3", "failing", false, 0, 31, 31}},
    .upstream_count = 2,
    .reloads_done = 32,
    .reloads_unchanged = 33,
    .reloads_refused = 34,
    .reloads_guarded = 35,
    .reload = "refused",
    .reload_cause = "zones/a.yaml:3:1: E-TTL",
    .reload_seconds_ago = 36,
};

static void expect_text(const char *wanted, const char *got)
{
    if (wanted == NULL)
        ck_assert_ptr_null(got);
    else
        ck_assert_str_eq(got, wanted);
}

static void expect_busy(const struct top_busy *wanted, const struct top_busy *got)
{
    expect_text(wanted->name, got->name);
    expect_text(wanted->space, got->space);
    expect_text(wanted->kind, got->kind);
    expect_text(wanted->address, got->address);
    ck_assert_uint_eq(got->asked_least, wanted->asked_least);
    ck_assert_uint_eq(got->asked_most, wanted->asked_most);
    ck_assert_uint_eq(got->failed, wanted->failed);
}

TEST(lists_come_as_they_were)
{
    carry(&whole);
    for (size_t i = 0; i < TOP_COUNTS; i++) {
        ck_assert_uint_eq(read.counts[i].count, whole.counts[i].count);
        for (size_t j = 0; j < read.counts[i].count; j++) {
            expect_text(whole.counts[i].items[j].key, read.counts[i].items[j].key);
            expect_text(whole.counts[i].items[j].text, read.counts[i].items[j].text);
            ck_assert_uint_eq(read.counts[i].items[j].queries, whole.counts[i].items[j].queries);
        }
    }
    for (size_t i = 0; i < TOP_BUSIEST; i++) {
        ck_assert_uint_eq(read.busiest[i].count, whole.busiest[i].count);
        for (size_t j = 0; j < read.busiest[i].count; j++)
            expect_busy(&whole.busiest[i].items[j], &read.busiest[i].items[j]);
    }
}

TEST(numbers_times_and_states_come_as_they_were)
{
    carry(&whole);
    expect_text(whole.at, read.at);
    ck_assert_uint_eq(read.uptime_seconds, 1);
    ck_assert_uint_eq(read.generation, 2);
    ck_assert_uint_eq(read.spaces, 3);
    ck_assert_uint_eq(read.apps, 4);
    ck_assert_uint_eq(read.workers, 5);
    ck_assert_uint_eq(read.silent_workers, 6);
    ck_assert_uint_eq(read.window_ms, 60003);
    ck_assert_uint_eq(read.queries, 8);
    ck_assert_uint_eq(read.per_second, 9);
    ck_assert_uint_eq(read.seconds, 3);
    ck_assert_mem_eq(read.by_second, whole.by_second, sizeof read.by_second);
    ck_assert_uint_eq(read.unanswered, 13);
    ck_assert_uint_eq(read.cache_entries, 14);
    ck_assert_uint_eq(read.cache_hits, 15);
    ck_assert_uint_eq(read.cache_misses, 16);
    ck_assert_uint_eq(read.reloads_done, 32);
    ck_assert_uint_eq(read.reloads_unchanged, 33);
    ck_assert_uint_eq(read.reloads_refused, 34);
    ck_assert_uint_eq(read.reloads_guarded, 35);
    ck_assert_uint_eq(read.reload_seconds_ago, 36);
    expect_text("refused", read.reload);
    expect_text(whole.reload_cause, read.reload_cause);
}

TEST(latencies_and_upstreams_come_as_they_were)
{
    carry(&whole);
    ck_assert_uint_eq(read.latency_count, 2);
    for (size_t i = 0; i < read.latency_count; i++) {
        expect_text(whole.latencies[i].source, read.latencies[i].source);
        ck_assert_uint_eq(read.latencies[i].queries, whole.latencies[i].queries);
        ck_assert_uint_eq(read.latencies[i].p50_us, whole.latencies[i].p50_us);
        ck_assert_uint_eq(read.latencies[i].p90_us, whole.latencies[i].p90_us);
        ck_assert_uint_eq(read.latencies[i].p99_us, whole.latencies[i].p99_us);
    }
    ck_assert_uint_eq(read.upstream_count, 2);
    for (size_t i = 0; i < read.upstream_count; i++) {
        expect_text(whole.upstreams[i].text, read.upstreams[i].text);
        expect_text(whole.upstreams[i].state, read.upstreams[i].state);
        ck_assert(read.upstreams[i].has_rtt == whole.upstreams[i].has_rtt);
        ck_assert_uint_eq(read.upstreams[i].rtt_ms, whole.upstreams[i].rtt_ms);
        ck_assert_uint_eq(read.upstreams[i].queries, whole.upstreams[i].queries);
        ck_assert_uint_eq(read.upstreams[i].failures, whole.upstreams[i].failures);
    }
}

TEST(a_latency_beyond_every_bucket_is_null)
{
    print(&whole, true);
    ck_assert_ptr_nonnull(strstr(printed, "\"p90_us\":5000000,\"p99_us\":null}"));
}

TEST(a_line_is_one_line_and_the_other_is_for_people)
{
    print(&whole, true);
    ck_assert_ptr_eq(strchr(printed, '\n'), printed + strlen(printed) - 1);
    free(printed);
    print(&whole, false);
    ck_assert_ptr_nonnull(strstr(printed, "\n  \"generation\": 2,\n"));
}

TEST_LOOP(whatever_is_in_a_name_only_printable_ascii_is_printed, 0, 2)
{
    struct top top = {.at = ""};

    top.busiest[TOP_NAMES] =
        (struct top_busy_list){.items = {{.name = "a\033[2Jb\n\x9b"
                                                  "c\xff\xc3\xa4\xe2\x80\xae"}},
                               .count = 1};
    top.reload = "refused";
    top.reload_cause = "\033]0;title\007";
    print(&top, _i == 0);
    for (const char *octet = printed; *octet != '\0'; octet++)
        ck_assert_msg(*octet == '\n' || (*octet >= ' ' && *octet <= '~'), "%s", printed);
}

static const char *const others[] = {"[]", "7", "\"text\"", "null"};

TEST_OVER(what_is_no_object_cannot_be_read, others)
{
    json = json_loads(others[_i], JSON_DECODE_ANY, NULL);
    ck_assert(!top_read(json, &read));
    ck_assert(!top_read(NULL, &read));
}

TEST(what_lacks_or_is_of_another_kind_is_nothing)
{
    json = json_loads("{\"queries\": \"many\", \"apps\": -1, \"by_second\": [1, null, -3, 4],"
                      " \"busiest_apps\": [{}, 7], \"reasons\": {}, \"upstreams\": null,"
                      " \"latencies\": [{\"p50_us\": 1e300}]}",
                      0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert(top_read(json, &read));
    ck_assert_uint_eq(read.queries, 0);
    ck_assert_uint_eq(read.apps, 0);
    ck_assert_uint_eq(read.seconds, 4);
    ck_assert_uint_eq(read.by_second[2], 0);
    ck_assert_uint_eq(read.by_second[3], 4);
    ck_assert_uint_eq(read.busiest[TOP_APPS].count, 2);
    ck_assert_str_eq(read.busiest[TOP_APPS].items[1].name, "");
    ck_assert_uint_eq(read.counts[TOP_REASONS].count, 0);
    ck_assert_uint_eq(read.upstream_count, 0);
    ck_assert_uint_eq(read.latency_count, 1);
    ck_assert_str_eq(read.latencies[0].source, "");
    ck_assert_str_eq(read.at, "");
    ck_assert_ptr_null(read.reload);
}

TEST(lists_are_cut_at_their_bounds)
{
    static const char *const lists[] = {"busiest_names", "reasons", "upstreams", "latencies",
                                        "by_second"};

    json = json_object();
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        json_t *list = json_array();
        for (unsigned j = 0; j < 1000; j++)
            json_array_append_new(list, json_object());
        json_object_set_new(json, lists[i], list);
    }
    ck_assert(top_read(json, &read));
    ck_assert_uint_eq(read.busiest[TOP_NAMES].count, TOP_BUSY_MOST);
    ck_assert_uint_eq(read.counts[TOP_REASONS].count, TOP_COUNTS_MOST);
    ck_assert_uint_eq(read.upstream_count, TOP_UPSTREAMS_MOST);
    ck_assert_uint_eq(read.latency_count, TOP_LATENCIES_MOST);
    ck_assert_uint_eq(read.seconds, TOP_SECONDS);
}

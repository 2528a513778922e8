// wrap: server_current server_worker_count server_worker_report server_sum
// wrap: clock_monotonic_ns clock_wall_us
#include "spacednsd/top_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/reason.h"
#include "inspect/top.h"
#include "support/flowing.h"
#include "support/server_script.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

enum { NOW_S = 1700000030, CLASS_SPACE = 0, UDP = 0, TCP = 1, FLOOD = 60 };

static const uint64_t second_ns = UINT64_C(1000000000);
static const uint64_t now_ns = UINT64_C(9000) * 1000000000;

static struct policy policy;
static struct worker_report reports[2];
static struct reload_last last;
static struct reload_history history;
static struct usage_keeping keeping;
static struct minute minute;
static struct status_source source;
static struct flowing flowing;
static char *printed;
static json_t *json;
static struct top top;

uint64_t __wrap_clock_monotonic_ns(void);
int64_t __wrap_clock_wall_us(void);

uint64_t __wrap_clock_monotonic_ns(void)
{
    return now_ns;
}

int64_t __wrap_clock_wall_us(void)
{
    return INT64_C(1000000) * NOW_S;
}

static void set_up(void)
{
    static const char *const files[] = {"zones/test-space.yaml"};

    policy = policy_usual();
    memset(reports, 0, sizeof reports);
    server_script = (struct server_script){.current = snapshot_of_files(&policy, files, 1),
                                           .worker_count = 2,
                                           .reports = {&reports[0], &reports[1]}};
    keeping.usage = usage_new(
        &(struct usage_options){.apps_most = 100, .pairs_most = 100, .now_s = NOW_S - 60});
    minute = (struct minute){.count = 0};
    last = (struct reload_last){.has_been = false};
    history = (struct reload_history){.last_ms = 0};
    source = (struct status_source){.server = server_script_server(),
                                    .started_ns = now_ns - 75 * second_ns,
                                    .last = &last,
                                    .history = &history,
                                    .usage = &keeping,
                                    .minute = &minute};
    minute_note(&minute, &server_script.totals, now_ns - 10 * second_ns);
    flowing_init(&flowing, server_script.current);
}

static void tear_down(void)
{
    flowing_close(&flowing);
    usage_free(keeping.usage);
    json_decref(json);
    json = NULL;
    free(printed);
    server_script_close();
}

FIXTURE(set_up, tear_down)

static void print(void)
{
    size_t length;
    FILE *out = open_memstream(&printed, &length);

    ck_assert(top_facts_print(&source, true, out));
    fclose(out);
    json = json_loads(printed, 0, NULL);
    ck_assert(top_read(json, &top));
}

static void reply(unsigned transport, unsigned rcode, enum reason reason, uint64_t count)
{
    server_script.totals.replies[CLASS_SPACE][transport][rcode][reason] += count;
    server_script.totals.rcodes[rcode] += count;
    server_script.totals.reasons[reason] += count;
}

static void expect_count(enum top_counts which, size_t place, const char *key, uint64_t queries)
{
    ck_assert_uint_lt(place, top.counts[which].count);
    ck_assert_str_eq(top.counts[which].items[place].key, key);
    ck_assert_uint_eq(top.counts[which].items[place].queries, queries);
}

TEST(what_is_served_and_since_when)
{
    print();
    ck_assert_str_eq(top.at, "2023-11-14T22:13:50Z");
    ck_assert_uint_eq(top.uptime_seconds, 75);
    ck_assert_uint_eq(top.spaces, 1);
    ck_assert_uint_eq(top.apps, 3);
    ck_assert_uint_eq(top.workers, 2);
    ck_assert_uint_eq(top.window_ms, 10000);
    ck_assert_uint_eq(top.queries, 0);
    for (size_t i = 0; i < TOP_COUNTS; i++)
        ck_assert_uint_eq(top.counts[i].count, 0);
    ck_assert_uint_eq(top.latency_count, 0);
}

TEST(replies_are_listed_most_first_and_reasons_of_one_code_together)
{
    reply(UDP, RCODE_NOERROR, REASON_NONE, 10);
    reply(UDP, RCODE_SERVFAIL, REASON_UPSTREAM, 3);
    reply(TCP, RCODE_SERVFAIL, REASON_UPSTREAM_NETWORK, 4);
    reply(UDP, RCODE_NOERROR, REASON_CRASHED, 5);
    print();
    ck_assert_uint_eq(top.queries, 22);
    expect_count(TOP_CLASSES, 0, "space", 22);
    expect_count(TOP_TRANSPORTS, 0, "udp", 18);
    expect_count(TOP_TRANSPORTS, 1, "tcp", 4);
    expect_count(TOP_RCODES, 0, "NOERROR", 15);
    expect_count(TOP_RCODES, 1, "SERVFAIL", 7);
    ck_assert_uint_eq(top.counts[TOP_REASONS].count, 2);
    expect_count(TOP_REASONS, 0, "Q22", 7);
    expect_count(TOP_REASONS, 1, "Q10", 5);
    ck_assert_str_eq(top.counts[TOP_REASONS].items[1].text, "App crashed");
}

TEST(what_got_no_reply_is_counted_whatever_the_cause)
{
    server_script.totals.counters[COUNTER_UDP_OUTDATED] = 1;
    server_script.totals.counters[COUNTER_UDP_OVERSIZED] = 2;
    server_script.totals.counters[COUNTER_DROPPED] = 4;
    server_script.totals.counters[COUNTER_EXTERNAL_DROPPED] = 8;
    server_script.totals.counters[COUNTER_CLIENT_DROPPED] = 16;
    server_script.totals.counters[COUNTER_UDP_KERNEL_DROPS] = 32;
    server_script.totals.counters[COUNTER_FORWARD_HITS] = 3;
    server_script.totals.counters[COUNTER_FORWARD_STALE] = 4;
    server_script.totals.counters[COUNTER_FORWARD_MISSES] = 5;
    print();
    ck_assert_uint_eq(top.unanswered, 63);
    ck_assert_uint_eq(top.cache_hits, 7);
    ck_assert_uint_eq(top.cache_misses, 5);
}

TEST(latencies_are_of_the_sources_that_there_were)
{
    server_script.totals.durations[STATS_UPSTREAM][3] = 90;
    server_script.totals.durations[STATS_UPSTREAM][STATS_DURATIONS - 1] = 10;
    print();
    ck_assert_uint_eq(top.latency_count, 1);
    ck_assert_str_eq(top.latencies[0].source, "upstream");
    ck_assert_uint_eq(top.latencies[0].queries, 100);
    ck_assert_uint_eq(top.latencies[0].p50_us, 250);
    ck_assert_uint_eq(top.latencies[0].p90_us, 250);
    ck_assert_uint_eq(top.latencies[0].p99_us, UINT32_MAX);
}

/* ---- the busiest ---- */

static void add_up(void)
{
    const struct flow_table *table = flowing_take(&flowing);

    usage_add(keeping.usage, table, INT64_C(1000) * NOW_S);
    flows_return(flowing.flows);
}

TEST(the_busiest_have_their_names)
{
    flowing_reply(&flowing, "10.0.132.9", "frozen-oasis-70544.herokuapp.com", TYPE_A, 4);
    flowing_reply(&flowing, "203.0.113.9", "www.example.org", TYPE_A, 3);
    add_up();
    print();
    ck_assert_uint_eq(top.busiest[TOP_APPS].count, 1);
    ck_assert_str_eq(top.busiest[TOP_APPS].items[0].space, "test-space");
    ck_assert_str_eq(top.busiest[TOP_APPS].items[0].name, "frozen-oasis-70544");
    ck_assert_ptr_null(top.busiest[TOP_APPS].items[0].kind);
    ck_assert_uint_eq(top.busiest[TOP_CLIENTS].count, 2);
    ck_assert_str_eq(top.busiest[TOP_CLIENTS].items[0].address, "10.0.132.9");
    ck_assert_str_eq(top.busiest[TOP_CLIENTS].items[0].kind, "app");
    ck_assert_str_eq(top.busiest[TOP_CLIENTS].items[0].name, "open-plain-1001");
    ck_assert_ptr_null(top.busiest[TOP_CLIENTS].items[1].address);
    ck_assert_str_eq(top.busiest[TOP_CLIENTS].items[1].kind, "outside");
    ck_assert_uint_eq(top.busiest[TOP_CLIENTS].items[1].asked_least, 3);
    ck_assert_uint_eq(top.busiest[TOP_CLIENTS].items[1].failed, 3);
    ck_assert_str_eq(top.busiest[TOP_NAMES].items[1].name, "www.example.org");
}

/* They are not among the busiest. */
TEST(those_that_failed_most_are_listed_as_well_and_nothing_twice)
{
    char name[64];

    for (unsigned i = 0; i < FLOOD; i++) {
        snprintf(name, sizeof name, "good-%u.example.org", i);
        for (unsigned j = 0; j < 3; j++)
            flowing_foreign(&flowing, "10.0.132.9", name, RCODE_NOERROR);
        if (i >= TOP_BUSY_BY_FAILED + 5)
            continue;
        snprintf(name, sizeof name, "bad-%u.example.org", i);
        flowing_foreign(&flowing, "10.0.132.9", name, RCODE_SERVFAIL);
    }
    for (unsigned i = 0; i < 9; i++)
        flowing_foreign(&flowing, "10.0.132.9", "worst.example.org", RCODE_SERVFAIL);
    add_up();
    print();
    const struct top_busy_list *names = &top.busiest[TOP_NAMES];
    ck_assert_uint_eq(names->count, TOP_BUSY_BY_COUNT + TOP_BUSY_BY_FAILED - 1);
    ck_assert_str_eq(names->items[0].name, "worst.example.org");
    for (size_t i = 0; i < names->count; i++) {
        ck_assert(names->items[i].failed > 0 || i < TOP_BUSY_BY_COUNT);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(names->items[i].name, names->items[j].name);
    }
}

TEST(what_has_not_failed_is_not_among_those_that_failed_most)
{
    char name[64];

    for (unsigned i = 0; i < FLOOD; i++) {
        snprintf(name, sizeof name, "good-%u.example.org", i);
        flowing_foreign(&flowing, "10.0.132.9", name, RCODE_NOERROR);
        flowing_foreign(&flowing, "10.0.132.9", name, RCODE_NXDOMAIN);
    }
    flowing_foreign(&flowing, "10.0.132.9", "bad.example.org", RCODE_SERVFAIL);
    add_up();
    print();
    ck_assert_uint_eq(top.busiest[TOP_NAMES].count, TOP_BUSY_BY_COUNT + 1);
    ck_assert_str_eq(top.busiest[TOP_NAMES].items[TOP_BUSY_BY_COUNT].name, "bad.example.org");
}

/* ---- upstreams, reloads ---- */

static void report_upstream(struct worker_report *report, const char *text,
                            enum resolver_state seen, uint32_t rtt_ms, uint64_t queries)
{
    struct reported_server *server = &report->servers[report->server_count];

    *server = (struct reported_server){.state = seen, .rtt_ms = rtt_ms, .has_rtt = rtt_ms > 0};
    snprintf(server->text, sizeof server->text, "%s", text);
    report->uses[report->use_count++] =
        (struct reported_use){.server = (uint8_t)report->server_count++,
                              .use = {.queries = queries, .failures = queries / 2}};
}

TEST(upstreams_are_summed_over_the_workers_and_those_that_fail_go_first)
{
    report_upstream(&reports[0], "10.0.0.2", RESOLVER_UP, 3, 10);
    report_upstream(&reports[0], "10.0.0.3", RESOLVER_UP, 4, 2);
    report_upstream(&reports[1], "10.0.0.3", RESOLVER_FAILING, 0, 6);
    report_upstream(&reports[1], "10.0.0.2", RESOLVER_UP, 5, 20);
    print();
    ck_assert_uint_eq(top.upstream_count, 2);
    ck_assert_str_eq(top.upstreams[0].text, "10.0.0.3");
    ck_assert_str_eq(top.upstreams[0].state, "failing");
    ck_assert_uint_eq(top.upstreams[0].queries, 8);
    ck_assert_uint_eq(top.upstreams[0].failures, 4);
    ck_assert_str_eq(top.upstreams[1].text, "10.0.0.2");
    ck_assert_uint_eq(top.upstreams[1].queries, 30);
    ck_assert_uint_eq(top.upstreams[1].rtt_ms, 5);
    ck_assert_uint_eq(top.silent_workers, 0);
}

TEST(a_worker_that_does_not_report_is_silent)
{
    server_script.reports[1] = NULL;
    print();
    ck_assert_uint_eq(top.silent_workers, 1);
}

TEST(reloads_and_how_the_last_one_ended)
{
    print();
    ck_assert_ptr_null(top.reload);
    json_decref(json);
    free(printed);
    history.ended[RELOAD_DONE] = 3;
    history.ended[RELOAD_GUARDED] = 1;
    last = (struct reload_last){
        .has_been = true, .end = RELOAD_GUARDED, .ended_ns = now_ns - 7 * second_ns};
    err_set(&last.cause, ERR_LIMIT, "every app would vanish");
    print();
    ck_assert_uint_eq(top.reloads_done, 3);
    ck_assert_uint_eq(top.reloads_guarded, 1);
    ck_assert_str_eq(top.reload, "guarded");
    ck_assert_str_eq(top.reload_cause, "every app would vanish");
    ck_assert_uint_eq(top.reload_seconds_ago, 7);
}

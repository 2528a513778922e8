// wrap: server_current server_worker_count server_worker_report server_sum
// wrap: clock_monotonic_ns
#include "spacednsd/status.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/reason.h"
#include "respond/limits.h"
#include "spacednsd/events.h"
#include "spacednsd/workers.h"
#include "support/capture.h"
#include "support/server_script.h"
#include "support/suite.h"
#include "support/zones.h"

enum { NS_PER_SECOND = 1000000000 };

static struct policy policy;
static struct snapshot *snapshot;
static struct settings settings;
static struct state state;
static struct storing storing;
static struct reload_last last;
static struct worker_report reports[3];
static struct privileges privileges = {.user = "spacedns", .capabilities = "none"};
static struct upgrade upgrade;
static struct sandbox sandbox = {.landlock = "ABI 6", .seccomp = "none: no library"};
static struct status_source source;
static struct last_good last_good;
static uint64_t now_ns;
static char *printed;
static size_t length;

uint64_t __wrap_clock_monotonic_ns(void);

uint64_t __wrap_clock_monotonic_ns(void)
{
    return now_ns;
}

/* A worker's view of an upstream. */
static struct reported_server upstream(const char *text, enum resolver_state seen, uint32_t rtt_ms)
{
    struct reported_server server = {
        .state = seen, .routes = 1, .rtt_ms = rtt_ms, .has_rtt = rtt_ms > 0};

    snprintf(server.text, sizeof server.text, "%s", text);
    return server;
}

static void set_up(void)
{
    static const char *const files[] = {"zones/test-space.yaml"};

    now_ns = UINT64_C(90000) * NS_PER_SECOND;
    policy = policy_usual();
    snapshot = snapshot_of_files(&policy, files, 1);
    settings = (struct settings){.zones = "/nowhere", .workers = 3};
    state = (struct state){.folder = -1};
    storing = (struct storing){.opened_ns = 0};
    last = (struct reload_last){.has_been = false};
    memset(reports, 0, sizeof reports);
    server_script = (struct server_script){
        .current = snapshot, .worker_count = 3, .reports = {&reports[0], &reports[1], NULL}};
    source = (struct status_source){.settings = &settings,
                                    .server = server_script_server(),
                                    .socket = "/run/socket",
                                    .started_ns = now_ns - 75 * UINT64_C(1000000000),
                                    .last = &last,
                                    .last_good = &last_good,
                                    .state = &state,
                                    .storing = &storing,
                                    .privileges = &privileges,
                                    .sandbox = &sandbox,
                                    .upgrade = &upgrade};
    printed = NULL;
}

static void tear_down(void)
{
    free(printed);
    snapshot_free(snapshot);
}

static void print(bool is_json)
{
    free(printed);
    FILE *out = open_memstream(&printed, &length);
    ck_assert_ptr_nonnull(out);
    status_print(&source, is_json, out);
    fclose(out);
}

/* A whole line of the text. */
static void expect_line(const char *key, const char *value)
{
    char line[512];

    print(false);
    snprintf(line, sizeof line, "%-24s %s\n", key, value);
    ck_assert_msg(strstr(printed, line) != NULL, "%s: %s", line, printed);
}

static void expect_no_line(const char *key)
{
    char line[64];

    print(false);
    snprintf(line, sizeof line, "\n%-24s ", key);
    ck_assert_msg(strstr(printed, line) == NULL, "%s", printed);
}

FIXTURE(set_up, tear_down)

TEST(why_no_upgrade_is_possible_is_printed_as_long_as_that_is_so)
{
    expect_no_line("upgrade");
    err_set(&upgrade.launcher_problem, ERR_SYSTEM, "no launcher");
    expect_line("upgrade", "! no launcher");
    upgrade.launcher_problem.code = ERR_NONE;
    expect_no_line("upgrade");
}

TEST(what_is_served_is_printed)
{
    expect_line("version", SPACEDNS_VERSION);
    expect_line("uptime_seconds", "75");
    expect_line("zones", "/nowhere");
    expect_line("control_socket", "/run/socket");
    expect_line("workers", "3");
    expect_line("silent_workers", "3");
    expect_line("spaces", "1");
    expect_line("apps", "3");
    expect_line("kept_back", "0");
    expect_line("user", "spacedns");
    expect_line("capabilities", "none");
    expect_line("no_new_privileges", "no");
    expect_line("landlock", "ABI 6");
    expect_line("seccomp", "none: no library");
    expect_no_line("listen");
    expect_no_line("last_reload");
    expect_no_line("state");
    expect_no_line("cache");
}

/* How a reload ended, and how long ago, in the unit that fits. */
static const struct {
    enum reload_end end;
    unsigned ago_s;
    const char *cause, *text;
} reload_ends[] = {
    {RELOAD_DONE, 0, NULL, "done 0 s ago"},
    {RELOAD_UNCHANGED, 119, NULL, "unchanged 119 s ago"},
    {RELOAD_DONE, 120, NULL, "done 2 min ago"},
    {RELOAD_REFUSED, 7199, "z/a.yaml:3:1: E-APP-NAME",
     "refused 119 min ago: z/a.yaml:3:1: E-APP-NAME"},
    {RELOAD_GUARDED, 7200, "space a vanishes", "guarded 2 h ago: space a vanishes"},
};

TEST_OVER(the_last_reload_is_printed, reload_ends)
{
    last =
        (struct reload_last){.has_been = true,
                             .end = reload_ends[_i].end,
                             .ended_ns = now_ns - (uint64_t)reload_ends[_i].ago_s * NS_PER_SECOND};
    if (reload_ends[_i].cause != NULL)
        err_set(&last.cause, ERR_RULE, "%s", reload_ends[_i].cause);
    expect_line("last_reload", reload_ends[_i].text);
}

TEST(a_state_folder_is_printed_with_its_problem)
{
    state = (struct state){.folder = 3, .path = "/var/state"};
    expect_line("state", "/var/state");
    err_set(&storing.problem, ERR_SYSTEM, "/var/state is full");
    expect_line("state", "! /var/state is full");
}

TEST(counters_that_are_not_zero_are_printed_and_json_has_all)
{
    server_script.totals.counters[0] = 7;
    server_script.totals.rcodes[3] = 5;
    server_script.totals.reasons[REASON_NONE + 1] = 2;
    server_script.totals.counters[COUNTER_UDP_KERNEL_DROPS] = 9;
    expect_line(counter_name((enum counter)0), "7");
    expect_line("rcode_NXDOMAIN", "5");
    expect_line("udp_kernel_drops", "9");
    expect_no_line(counter_name((enum counter)1));
    print(true);
    json_t *root = json_loads(printed, 0, NULL);
    const json_t *counters = json_object_get(root, "counters");
    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        ck_assert(json_is_integer(json_object_get(counters, counter_name((enum counter)i))));
    ck_assert(json_is_null(json_object_get(root, "last_reload")));
    ck_assert(json_is_null(json_object_get(root, "state")));
    json_decref(root);
}

/* ---- upstreams ---- */

/* What two workers report of one upstream, and its line: the worst state, all round trips. */
static const struct {
    enum resolver_state first, second;
    uint32_t first_ms, second_ms;
    const char *text;
} views[] = {
    {RESOLVER_UP, RESOLVER_UP, 3, 5, "10.0.0.9 up 3-5ms"},
    {RESOLVER_UP, RESOLVER_UP, 4, 4, "10.0.0.9 up 4ms"},
    {RESOLVER_UP, RESOLVER_UNTRIED, 3, 0, "10.0.0.9 up 3ms"},
    {RESOLVER_UNTRIED, RESOLVER_UNTRIED, 0, 0, "10.0.0.9 untried"},
    {RESOLVER_UP, RESOLVER_IN_DOUBT, 3, 8, "10.0.0.9 in doubt 3-8ms"},
    {RESOLVER_FAILING, RESOLVER_UP, 9, 5, "10.0.0.9 failing"},
    {RESOLVER_UNANSWERED, RESOLVER_UNTRIED, 0, 0, "10.0.0.9 no reply yet"},
};

TEST_OVER(an_upstream_is_one_line, views)
{
    reports[0].servers[reports[0].server_count++] =
        upstream("10.0.0.9", views[_i].first, views[_i].first_ms);
    reports[1].servers[reports[1].server_count++] =
        upstream("10.0.0.9", views[_i].second, views[_i].second_ms);
    expect_line("upstream", views[_i].text);
}

TEST(each_upstream_is_listed_once)
{
    for (size_t i = 0; i < 2; i++) {
        reports[i].servers[0] = upstream("10.0.0.9", RESOLVER_UP, 3);
        reports[i].servers[1] = upstream("10.0.0.8", RESOLVER_UP, 3);
        reports[i].server_count = 2;
    }
    print(true);
    json_t *root = json_loads(printed, 0, NULL);
    const json_t *upstreams = json_object_get(root, "upstreams");
    ck_assert_uint_eq(json_array_size(upstreams), 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(upstreams, i), "workers")),
                          2);
    json_decref(root);
}

TEST(caches_are_added_up)
{
    reports[0].cache = (struct cache_use){.entries = 2, .octets = 300, .octets_most = 1000};
    reports[1].cache = (struct cache_use){.entries = 5, .octets = 700, .octets_most = 1000};
    expect_line("cache", "7 entries in 1000 of 2000 octets");
}

/* ---- what clients are held back by ---- */

TEST(apps_with_a_raised_ttl_are_counted_once)
{
    static const struct app_entry apps[2];

    expect_no_line("raised_ttl");
    reports[0].raised = (struct reported_raised){.apps = {&apps[0], &apps[1]},
                                                 .count = 2,
                                                 .longest_seconds = 20,
                                                 .app = "calm-lake-1",
                                                 .space = "test-space"};
    reports[1].raised = (struct reported_raised){.apps = {&apps[1]},
                                                 .count = 1,
                                                 .longest_seconds = 60,
                                                 .app = "sleepy-river-2739",
                                                 .space = "test-space"};
    expect_line("raised_ttl", "2 apps, up to 60 s: sleepy-river-2739 of test-space");
    print(true);
    json_t *root = json_loads(printed, 0, NULL);
    const json_t *raised = json_object_get(root, "raised_ttl");
    ck_assert_int_eq(json_integer_value(json_object_get(raised, "apps")), 2);
    ck_assert_str_eq(json_string_value(json_object_get(raised, "app")), "sleepy-river-2739");
    json_decref(root);
}

/* The client 10.0.130.N. */
static struct limited_one client(uint8_t number, uint64_t requests)
{
    const struct path path = {.source = 0x0a008200U | number};
    struct client known = {.address = path.source, .count = 1};

    return (struct limited_one){
        .who = limits_who(&path, &known), .requests = requests, .since_s = 9, .ago_s = 3};
}

TEST(limited_clients_are_added_up_over_all_workers)
{
    const struct path outsider = {.source = 0xcb007109};
    const struct client unknown = {.count = 0};

    expect_no_line("limited");
    reports[0].clients = (struct limited_list){.items = {client(1, 70), client(2, 50)}, .count = 2};
    reports[1].clients = (struct limited_list){.items = {client(2, 40)}, .count = 1};
    reports[1].networks = (struct limited_list){
        .items = {{.who = limits_who(&outsider, &unknown), .requests = 89}}, .count = 1};
    expect_line("limited", "2 clients, 1 network in the last minute, most of all 10.0.130.2 with "
                           "90 requests");
    reports[1].networks.items[0].requests = 91;
    reports[0].networks.has_more = true;
    expect_line("limited", "2 clients, 1+ network in the last minute, most of all 203.0.113.0/24 "
                           "with 91 requests");
    print(true);
    json_t *root = json_loads(printed, 0, NULL);
    const json_t *limited = json_object_get(root, "limited");
    ck_assert_int_eq(json_integer_value(json_object_get(limited, "clients")), 2);
    ck_assert(json_is_true(json_object_get(limited, "more_networks")));
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(limited, "worst"), "who")),
                     "203.0.113.0/24");
    json_decref(root);
}

/* ---- events ---- */

static struct capture capture;

static void expect_logged(const char *part)
{
    capture_stop(&capture);
    ck_assert_msg(strstr(capture.text, part) != NULL, "logged: %s", capture.text);
}

TEST(the_start_and_the_end_are_logged)
{
    const struct zones_loading loading = {.started_ns = now_ns - 12000000};

    capture_start(&capture);
    events_log_ready(&settings, snapshot, &loading);
    expect_logged(
        "info ready listen= upstreams=none workers=3 spaces=1 apps=3 generation=1 files=0 "
        "read=0 ms=12 version=" SPACEDNS_VERSION "\n");
    capture_start(&capture);
    settings.upstream_port_count = 64512;
    events_log_ready(&settings, snapshot, &loading);
    expect_logged(" upstreams=none upstream_port_bits=15.9 workers=3 ");
    capture_start(&capture);
    events_log_stopping(15, &(struct signal_sender){.pid = 4711, .uid = 1000});
    expect_logged("info stopping signal=SIGTERM by=1000 pid=4711\n");
    capture_start(&capture);
    events_log_stopping(2, &(struct signal_sender){.pid = 0});
    expect_logged("info stopping signal=SIGINT\n");
}

TEST(a_reload_is_logged_with_what_was_read)
{
    const struct zones_loading loading = {.outcome = {.file_count = 5, .read_count = 2},
                                          .started_ns = now_ns - 7000000};

    const struct audit audit = {.by = "0", .users = "root", .commands = "reload"};
    const struct tally tally = {.spaces.changed = 1, .apps.added = 2};
    const struct audit nobody = {.by = ""};

    capture_start(&capture);
    events_log_reloaded(snapshot, &loading, &tally, &audit);
    expect_logged("info reload_done generation=1 files=5 read=2 spaces=1 apps=3 ms=7 "
                  "changes=\"1 space changed, 2 apps added\" by=0 "
                  "user=root command=reload\n");
    capture_start(&capture);
    events_log_unchanged(&loading, 4, &nobody);
    expect_logged("info reload_unchanged generation=4 files=5 read=2 ms=7\n");
}

TEST(counters_are_logged_with_codes_and_reasons_that_were)
{
    server_script.totals.rcodes[0] = 8;
    server_script.totals.reasons[REASON_NONE + 1] = 2;
    server_script.totals.counters[COUNTER_UDP_KERNEL_DROPS] = 9;
    capture_start(&capture);
    events_log_counters(source.server);
    expect_logged(" udp_kernel_drops=9 rcode_NOERROR=8 reason_");
    ck_assert_ptr_null(strstr(capture.text, "rcode_NXDOMAIN"));
}

TEST(limits_that_hold_back_are_logged_with_a_remedy)
{
    settings.upstream_sockets = 40;
    capture_start(&capture);
    events_log_few_descriptors(&settings, 1024, 5000);
    expect_logged("warning few_descriptors limit=1024 wanted=5000 upstream_sockets=40 text=");
    ck_assert_ptr_null(strstr(capture.text, "tcp_connections="));
    ck_assert_ptr_nonnull(strstr(capture.text, "raise the limit (LimitNOFILE=, ulimit -Hn)"));
    capture_start(&capture);
    settings.upstream_port_count = 1000;
    events_log_few_ports(&settings);
    expect_logged("warning few_ports ports=1000 upstream_port_bits=9.9 text=");
    ck_assert_ptr_nonnull(strstr(capture.text, "net.ipv4.ip_local_port_range"));
    ck_assert_ptr_nonnull(strstr(capture.text, "upstream_ports: any"));
    capture_start(&capture);
    events_log_no_upstreams();
    expect_logged("warning no_upstreams text=\"foreign names are refused");
}

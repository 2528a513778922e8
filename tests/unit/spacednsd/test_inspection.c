// wrap: server_current server_worker_count server_worker_report server_request_reports
// wrap: server_sum server_kernel_drops call_finish uv_timer_start
#include "spacednsd/inspection.h"

#include "respond/limits.h"
#include "support/asked.h"
#include "support/server_script.h"
#include "support/suite.h"
#include "support/zones.h"

static struct policy policy;
static struct snapshot *snapshot;
static struct settings settings;
static struct reload_last last;
static struct state state;
static struct storing storing;
static struct privileges privileges = {.user = "spacedns", .capabilities = "none"};
static struct sandbox sandbox = {.landlock = "ABI 6", .seccomp = "none: no library"};
static struct upgrade upgrade;
static struct status_source source;
static struct last_good last_good;
static struct inspection inspection;
static struct worker_report report;
static uv_loop_t loop;
static struct asked asked[2];
static unsigned requests;   /* for reports */
static bool asks_for_query; /* the last one */
static struct sweep sweep;  /* of the last one */
static uint64_t patience_ms;
static uv_timer_cb on_silent; /* what the patience ends with */

void __wrap_server_request_reports(struct server *server, const struct report_request *request);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timeout, uint64_t ms, uint64_t repeat);

void __wrap_server_request_reports(struct server *server, const struct report_request *request)
{
    (void)server;
    requests++;
    asks_for_query = request->has_query;
    sweep = request->sweep;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timeout, uint64_t ms, uint64_t repeat)
{
    (void)timer, (void)repeat;
    patience_ms = ms;
    on_silent = on_timeout;
    return 0;
}

static void set_up(void)
{
    static const char *const files[] = {"zones/test-space.yaml"};

    policy = policy_usual();
    snapshot = snapshot_of_files(&policy, files, 1);
    settings = (struct settings){.zones = "/nowhere", .workers = 1};
    state = (struct state){.folder = -1};
    report = (struct worker_report){.generation = 1};
    server_script =
        (struct server_script){.current = snapshot, .worker_count = 1, .reports = {&report}};
    source = (struct status_source){.settings = &settings,
                                    .server = server_script_server(),
                                    .socket = "/run/socket",
                                    .last = &last,
                                    .last_good = &last_good,
                                    .state = &state,
                                    .storing = &storing,
                                    .privileges = &privileges,
                                    .sandbox = &sandbox,
                                    .upgrade = &upgrade};
    requests = 0;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    inspection_start(&inspection, &loop, server_script_server(), &source);
}

static void tear_down(void)
{
    inspection_stop(&inspection);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    for (size_t i = 0; i < 2; i++)
        asked_close(&asked[i]);
    snapshot_free(snapshot);
}

FIXTURE(set_up, tear_down)

TEST(a_call_is_answered_when_the_workers_have_reported)
{
    inspection_request(&inspection, asked_begin(&asked[0], "status"));
    ck_assert_uint_eq(requests, 1);
    ck_assert(!asks_for_query);
    ck_assert_int_eq(sweep.kind, SWEEP_NOTHING);
    ck_assert_uint_eq(patience_ms, INSPECTION_PATIENCE_MS);
    ck_assert_int_eq(asked[0].code, ASKED_UNFINISHED);
    inspection_on_reports(&inspection);
    asked_expect(&asked[0], 0, "zones                    /nowhere\n");
}

TEST(explain_asks_the_workers_for_the_name)
{
    inspection_request(&inspection,
                       asked_begin(&asked[0], "explain www.example.org --from 10.0.130.56 --live"));
    ck_assert(asks_for_query);
    inspection_on_reports(&inspection);
    asked_expect(&asked[0], 0, "name=www.example.org type=A\n");
}

/* The limit is of the client and not of the name; the raised TTL of the app. */
TEST(explain_prints_what_the_client_is_held_back_by)
{
    const struct path path = {.source = 0x0a008238};
    const struct client client = {.address = path.source, .count = 1};

    snapshot->policy.client_rate = 100;
    inspection_request(&inspection, asked_begin(&asked[0], "explain sleepy.example.com --from "
                                                           "10.0.130.56 --live"));
    report.raised_ttl_seconds = 40;
    report.clients = (struct limited_list){
        .items = {{.who = limits_who(&path, &client), .requests = 7, .since_s = 5, .ago_s = 1}},
        .count = 1};
    inspection_on_reports(&inspection);
    asked_expect(&asked[0], 0, "\nnegative_ttl=40 raised: ");
    asked_expect(&asked[0], 0, "\nlimited=10.0.130.56 requests=7 since=5s last=1s: more than ");
}

TEST(a_call_that_cannot_be_read_is_refused)
{
    inspection_request(&inspection,
                       asked_begin(&asked[0], "explain www.example.org --from nowhere --live"));
    if (asked[0].code == ASKED_UNFINISHED)
        inspection_on_reports(&inspection);
    asked_expect(&asked[0], 2, "Error: --from: nowhere is not an address");
}

/* ---- the cache ---- */

/* The worker's answer to what was asked of it. */
static void report_sweep(size_t entries, size_t failures_count)
{
    report.has_forward = true;
    report.request.sweep = sweep;
    report.request.sweep.entries = entries;
    report.request.sweep.failures = failures_count;
}

static const struct {
    const char *line;
    size_t names;
    bool with_below;
    const char *part;
} flushes[] = {
    {"cache:flush", 0, false, "Flushing all names... done, entries=12 failures=3\n"},
    {"cache:flush WWW.example.org.", 1, false,
     "Flushing www.example.org... done, entries=12 failures=3\n"},
    {"cache:flush a.example b.example --below", 2, true,
     "Flushing a.example b.example and all below... done, entries=12 failures=3\n"},
    {"cache:flush . --below --json", 1, true, "\"entries\": 12"},
};

TEST_OVER(a_flush_is_asked_of_the_workers_and_their_counts_are_printed, flushes)
{
    inspection_request(&inspection, asked_begin(&asked[0], flushes[_i].line));
    ck_assert_int_eq(sweep.kind, SWEEP_FLUSH);
    ck_assert_uint_eq(sweep.name_count, flushes[_i].names);
    ck_assert_int_eq(sweep.with_below, flushes[_i].with_below);
    ck_assert_uint_eq(patience_ms, INSPECTION_SWEEP_MS);
    ck_assert_int_eq(asked[0].code, ASKED_UNFINISHED);
    report_sweep(12, 3);
    inspection_on_reports(&inspection);
    asked_expect(&asked[0], 0, flushes[_i].part);
}

static const struct {
    const char *line, *part;
} misread[] = {
    {"cache:flush a..b", "Error: a..b is not a domain name; write one as www.example.org"},
    {"cache a..b", "Error: a..b is not a domain name"},
    {"cache:flush --below", "Error: --below needs a NAME"},
};

TEST_OVER(a_flush_that_cannot_be_read_removes_nothing, misread)
{
    inspection_request(&inspection, asked_begin(&asked[0], misread[_i].line));
    asked_expect(&asked[0], 2, misread[_i].part);
    ck_assert_uint_eq(requests, 0);
}

TEST(a_flush_that_a_worker_has_not_finished_says_so)
{
    server_script.reports[0] = NULL;
    inspection_request(&inspection, asked_begin(&asked[0], "cache:flush www.example.org"));
    on_silent(&inspection.timer);
    asked_expect(&asked[0], 1, "Flushing www.example.org... unfinished, entries=0 failures=0\n");
    asked_expect(&asked[0], 1, "1 of 1 workers have not finished in time");
}

/* It has swept the cache of both. */
TEST(the_entries_that_one_worker_reports_for_all_are_listed_by_type)
{
    static struct worker_report other;

    server_script.worker_count = 2;
    server_script.reports[1] = &other;
    inspection_request(&inspection, asked_begin(&asked[0], "cache www.example.org"));
    ck_assert_int_eq(sweep.kind, SWEEP_LIST);
    report_sweep(0, 0);
    other = report;
    other.request.sweep.listed[0] =
        (struct swept_entry){.state = {.kept = CACHED_FRESH, .seconds = 23},
                             .type = 28,
                             .class = 1,
                             .rcode = 3,
                             .bits = QUESTION_DO};
    other.request.sweep.listed[1] = (struct swept_entry){
        .state = {.kept = CACHED_STALE, .seconds = 100}, .type = 1, .class = 1};
    other.request.sweep.listed_count = 2;
    inspection_on_reports(&inspection);
    asked_expect(&asked[0], 0,
                 "www.example.org type=A rcode=NOERROR cached=stale age=100\n"
                 "www.example.org type=AAAA do rcode=NXDOMAIN cached=fresh ttl=23\n");
}

TEST(a_name_that_is_not_cached_gets_a_sentence)
{
    inspection_request(&inspection, asked_begin(&asked[0], "cache www.example.org"));
    report_sweep(0, 0);
    inspection_on_reports(&inspection);
    asked_expect(&asked[0], 0, "Nothing is cached for www.example.org.\n");
}

TEST(a_server_that_forwards_nothing_says_so)
{
    inspection_request(&inspection, asked_begin(&asked[0], "cache"));
    inspection_on_reports(&inspection);
    asked_expect(&asked[0], 0, "Nothing is cached: no upstream is set");
}

TEST(the_caches_are_added_up)
{
    inspection_request(&inspection, asked_begin(&asked[0], "cache"));
    ck_assert_int_eq(sweep.kind, SWEEP_NOTHING);
    report_sweep(0, 0);
    report.cache = (struct cache_use){.entries = 5, .octets = 800, .octets_most = 65536};
    server_script.totals.counters[COUNTER_FORWARD_HITS] = 77;
    inspection_on_reports(&inspection);
    asked_expect(&asked[0], 0, "entries      5\noctets       800\noctets_most  65536\n");
    asked_expect(&asked[0], 0, "hits         77\n");
}

TEST(calls_are_inspected_one_at_a_time)
{
    inspection_request(&inspection, asked_begin(&asked[0], "status"));
    inspection_request(&inspection, asked_begin(&asked[1], "status --json"));
    ck_assert_uint_eq(requests, 1);
    inspection_on_reports(&inspection);
    ck_assert_int_eq(asked[1].code, ASKED_UNFINISHED);
    ck_assert_uint_eq(requests, 2);
    inspection_on_reports(&inspection);
    asked_expect(&asked[1], 0, "\"zones\": \"/nowhere\"");
}

TEST(a_worker_that_does_not_report_is_silent_and_the_call_is_answered)
{
    server_script.reports[0] = NULL;
    inspection_request(&inspection, asked_begin(&asked[0], "status"));
    on_silent(&inspection.timer);
    asked_expect(&asked[0], 0, "silent_workers           1\n");
}

TEST(calls_are_answered_when_the_server_stops)
{
    inspection_request(&inspection, asked_begin(&asked[0], "status"));
    inspection_request(&inspection, asked_begin(&asked[1], "status"));
    inspection_stop(&inspection);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    asked_expect(&asked[0], 1, "the server is stopping");
    asked_expect(&asked[1], 1, "the server is stopping");
    inspection_start(&inspection, &loop, server_script_server(), &source);
}

/* ---- calls that need no report ---- */

static const struct {
    const char *line;
    int code;
    const char *part;
} answers[] = {
    {"whoami --from 10.0.130.56", 0, "space=test-space"},
    {"whoami --from 10.0.130.56 --json", 0, "\"test-space\""},
    {"whoami --from nowhere", 2, "--from: nowhere is not an address; write one as 10.0.130.56"},
    {"whoami --from 10.0.130.56 --to x", 2, "--to: x is not an IPv4 address"},
    {"kept-back", 0, "No name is kept back.\n"},
    {"apps", 2, "the server does not run this command; run it with spacedns alone"},
    {"check", 2, "the server does not run this command; run it with spacedns alone"},
};

TEST_OVER(a_call_is_answered_at_once, answers)
{
    control_answer(asked_begin(&asked[0], answers[_i].line), &source);
    asked_expect(&asked[0], answers[_i].code, answers[_i].part);
    ck_assert_uint_eq(requests, 0);
}

/* ---- visits ---- */

struct guest {
    struct inspection_visit visit;
    unsigned served;
};

static void guest_on_reports(struct inspection_visit *visit)
{
    ((struct guest *)visit)->served++;
}

TEST(visits_that_wait_share_one_request_for_reports)
{
    struct guest guests[3] = {{{.on_reports = guest_on_reports}, 0},
                              {{.on_reports = guest_on_reports}, 0},
                              {{.on_reports = guest_on_reports}, 0}};

    for (size_t i = 0; i < 3; i++)
        inspection_add_visit(&inspection, &guests[i].visit);
    ck_assert_uint_eq(requests, 1);
    ck_assert(!asks_for_query);
    inspection_on_reports(&inspection);
    ck_assert_uint_eq(guests[0].served, 1);
    ck_assert_uint_eq(guests[1].served, 0); /* it came after the request */
    ck_assert_uint_eq(requests, 2);
    inspection_on_reports(&inspection);
    ck_assert_uint_eq(guests[1].served, 1);
    ck_assert_uint_eq(guests[2].served, 1);
    ck_assert_uint_eq(requests, 2);
}

TEST(a_visit_shares_the_reports_of_the_next_call)
{
    struct guest guest = {{.on_reports = guest_on_reports}, 0};

    inspection_request(&inspection, asked_begin(&asked[0], "status"));
    inspection_request(&inspection,
                       asked_begin(&asked[1], "explain www.example.org --from 10.0.130.56 --live"));
    inspection_add_visit(&inspection, &guest.visit);
    inspection_on_reports(&inspection);
    ck_assert_int_eq(asked[0].code, 0);
    ck_assert_uint_eq(guest.served, 0);
    ck_assert(asks_for_query);
    inspection_on_reports(&inspection);
    ck_assert_int_eq(asked[1].code, 0);
    ck_assert_uint_eq(guest.served, 1);
    ck_assert_uint_eq(requests, 2);
}

TEST(a_visit_is_served_when_workers_are_silent_or_the_server_stops)
{
    struct guest guests[2] = {{{.on_reports = guest_on_reports}, 0},
                              {{.on_reports = guest_on_reports}, 0}};

    inspection_add_visit(&inspection, &guests[0].visit);
    on_silent(&inspection.timer);
    ck_assert_uint_eq(guests[0].served, 1);
    inspection_add_visit(&inspection, &guests[0].visit);
    inspection_add_visit(&inspection, &guests[1].visit);
    inspection_stop(&inspection);
    ck_assert_uint_eq(guests[0].served, 2);
    ck_assert_uint_eq(guests[1].served, 1);
}

static void guest_fill(const struct inspection_visit *visit, const struct snapshot *current,
                       struct report_request *request)
{
    (void)visit;
    ck_assert_ptr_eq(current, snapshot);
    request->has_query = true;
}

TEST(a_visit_that_asks_for_more_has_a_request_of_its_own)
{
    struct guest plain[2] = {{{.on_reports = guest_on_reports}, 0},
                             {{.on_reports = guest_on_reports}, 0}};
    struct guest asking[2] = {{{.on_reports = guest_on_reports, .fill = guest_fill}, 0},
                              {{.on_reports = guest_on_reports, .fill = guest_fill}, 0}};

    inspection_add_visit(&inspection, &plain[0].visit);
    inspection_add_visit(&inspection, &asking[0].visit);
    inspection_add_visit(&inspection, &asking[1].visit);
    inspection_add_visit(&inspection, &plain[1].visit);
    ck_assert(!asks_for_query);
    inspection_on_reports(&inspection);
    ck_assert(asks_for_query);
    ck_assert_uint_eq(asking[0].served, 0);
    inspection_on_reports(&inspection);
    ck_assert_uint_eq(asking[0].served, 1); /* the first that came */
    ck_assert_uint_eq(plain[1].served, 1);  /* with the reports of that */
    ck_assert_uint_eq(asking[1].served, 0);
    inspection_on_reports(&inspection);
    ck_assert_uint_eq(asking[1].served, 1);
    ck_assert_uint_eq(requests, 3);
}

TEST(a_visit_that_asks_for_more_comes_after_calls_and_is_served_at_the_end)
{
    struct guest asking = {{.on_reports = guest_on_reports, .fill = guest_fill}, 0};
    struct guest latest = {{.on_reports = guest_on_reports, .fill = guest_fill}, 0};

    inspection_request(&inspection, asked_begin(&asked[0], "status"));
    inspection_request(&inspection, asked_begin(&asked[1], "status"));
    inspection_add_visit(&inspection, &asking.visit);
    inspection_on_reports(&inspection);
    ck_assert(!asks_for_query);
    inspection_on_reports(&inspection);
    ck_assert(asks_for_query);
    ck_assert_uint_eq(asking.served, 0);
    inspection_add_visit(&inspection, &latest.visit);
    inspection_stop(&inspection);
    ck_assert_uint_eq(asking.served, 1);
    ck_assert_uint_eq(latest.served, 1);
}

#include "serve/worker_report.h"

#include <stdlib.h>
#include <string.h>

#include "support/forward_rig.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

static const uint32_t dyno = 0x0a008238, outsider = 0xcb007109;

static struct forward_rig stand;
static struct snapshot *snapshot;
static struct route routes[ROUTE_REST + 1];
static struct worker_report report;
static struct batch batch;

static void set_up(void)
{
    static const char *const zones[] = {"corp.example", "lab.example", "."};
    struct policy policy = policy_usual();
    char *text = zone_text("zones/test-space.yaml");

    for (size_t i = 0; i <= ROUTE_REST; i++) {
        routes[i] = (struct route){.upstreams = "some"};
        ck_assert(name_from_text(zones[i], &routes[i].zone));
    }
    policy.routes = (struct routes){.items = routes, .count = ROUTE_REST + 1};
    policy.recursion_for.all = 1 << CLIENT_SPACE;
    snapshot = snapshot_of_texts(&policy, (const char *const[]){text}, 1);
    free(text);
    forward_rig_init(&stand);
    report = (struct worker_report){.number = 0};
    batch = (struct batch){.snapshot = snapshot, .forward = stand.forward};
}

static void tear_down(void)
{
    forward_end_all(stand.forward);
    forward_rig_close(&stand);
    snapshot_free(snapshot);
}

static struct report_request request_for(const char *name, uint32_t source)
{
    struct report_request request = {
        .has_query = true,
        .query = {.type = TYPE_A, .class = CLASS_IN, .flags = FLAG_RD},
        .path = {.source = source},
    };

    ck_assert(name_from_text(name, &request.query.name));
    return request;
}

static void ask_and_answer(const struct report_request *request)
{
    static uint64_t number;

    worker_report_request(&report, request, ++number);
    ck_assert(!worker_report_is_ready(&report));
    ck_assert(worker_report_fill(&report, &batch, 0));
    ck_assert(worker_report_is_ready(&report));
    ck_assert_uint_eq(report.number, number);
}

FIXTURE(set_up, tear_down)

TEST(a_report_never_requested_is_ready)
{
    ck_assert(worker_report_is_ready(&report));
}

TEST(a_worker_without_snapshot_reports_that)
{
    struct report_request request = request_for("www.example.org", dyno);

    batch = (struct batch){.snapshot = NULL};
    worker_report_request(&report, &request, 1);
    ck_assert(worker_report_fill(&report, &batch, 0));
    ck_assert(worker_report_is_ready(&report));
    ck_assert(!report.has_forward);
    ck_assert(!report.is_forwarded);
    ck_assert_uint_eq(report.generation, 0);
    ck_assert_uint_eq(report.server_count, 0);
}

TEST(each_upstream_is_reported_once_with_its_routes)
{
    static const struct {
        const char *text;
        uint64_t routes;
    } servers[] = {{"192.168.7.53", 1 << ROUTE_CORP},
                   {"10.0.0.2", 1 << ROUTE_LAB | 1 << ROUTE_REST},
                   {"1.1.1.1", 1 << ROUTE_REST}};

    forward_rig_make_failing(&stand, ROUTE_CORP);
    ask_and_answer(&(struct report_request){.has_query = false});
    ck_assert(report.has_forward);
    ck_assert_uint_eq(report.generation, snapshot->generation);
    ck_assert_uint_eq(report.server_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(report.servers[i].text, servers[i].text);
        ck_assert_uint_eq(report.servers[i].routes, servers[i].routes);
        ck_assert_int_eq(report.servers[i].state, i == 0 ? RESOLVER_FAILING : RESOLVER_UNTRIED);
        ck_assert(!report.servers[i].has_rtt);
    }
    ask_and_answer(&(struct report_request){.has_query = false});
    ck_assert_uint_eq(report.server_count, 3);
}

/* As for a client's query. */
static void fetch(const struct report_request *request)
{
    struct question question =
        question_of(&request->query, index_hash(&snapshot->index, &request->query.name));
    struct forward_result found;

    ck_assert(forward_ask(stand.forward, &question, ROUTE_REST, &stand.clients[0], &found));
    forward_turn(stand.forward);
    forward_rig_pass(&stand, 3);
    forward_rig_answer(&stand, 0);
}

TEST(each_zone_of_an_upstream_has_its_own_count_of_queries)
{
    struct report_request request = request_for("www.example.org", dyno);

    fetch(&request);
    ask_and_answer(&(struct report_request){.has_query = false});
    ck_assert_uint_eq(report.use_count, 4); /* corp; lab; the rest has two */
    for (size_t i = 0; i < report.use_count; i++) {
        const struct reported_use *use = &report.uses[i];
        bool is_asked =
            use->route == ROUTE_REST && strcmp(report.servers[use->server].text, "10.0.0.2") == 0;
        ck_assert_uint_eq(use->use.queries, is_asked);
        ck_assert_uint_eq(use->use.failures, 0);
    }
}

TEST(a_forwarded_name_is_reported_with_its_cached_answer)
{
    struct report_request request = request_for("www.example.org", dyno);

    ask_and_answer(&request);
    ck_assert(report.is_forwarded);
    ck_assert_uint_eq(report.route, ROUTE_REST);
    ck_assert_str_eq(report.upstreams, "upstreams=10.0.0.2 untried, 1.1.1.1 untried");
    ck_assert_str_eq(report.cached, "cached=no");
    ck_assert_int_eq(report.kept.kept, CACHED_NOTHING);
    fetch(&request);
    forward_rig_skip(&stand, 37);
    ask_and_answer(&request);
    ck_assert_str_eq(report.upstreams, "upstreams=10.0.0.2 up 3ms, 1.1.1.1 untried");
    ck_assert_str_eq(report.cached, "cached=fresh ttl=23");
    ck_assert_int_eq(report.kept.kept, CACHED_FRESH);
    ck_assert_uint_eq(report.kept.seconds, 23);
    ck_assert(report.servers[1].has_rtt);
    ck_assert_uint_eq(report.servers[1].rtt_ms, 3);
    ck_assert_uint_eq(report.cache.entries, 1);
    forward_rig_skip(&stand, 30);
    ask_and_answer(&request);
    ck_assert_str_eq(report.cached, "cached=stale age=67 code=Q41");
    ck_assert_int_eq(report.kept.kept, CACHED_STALE);
}

/*
 * Answers the question with an alias that leads to api.example.com, and an upstream's address of
 * it.
 */
static void fetch_alias(const struct report_request *request)
{
    static const uint8_t records[] = "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x11\3api\7example\3com\0"
                                     "\3api\7example\3com\0\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\x01";
    struct question question =
        question_of(&request->query, index_hash(&snapshot->index, &request->query.name));
    size_t end = HEADER_OCTETS + request->query.name.length + 4U;
    uint8_t octets[512];
    struct forward_result found;

    ck_assert(forward_ask(stand.forward, &question, ROUTE_REST, &stand.clients[0], &found));
    forward_turn(stand.forward);
    memcpy(octets, forward_rig_sent(&stand, 0)->octets, end);
    memset(octets + 4, 0, 8);
    octets[2] = 0x81, octets[3] = 0x80, octets[5] = 1, octets[7] = 2;
    memcpy(octets + end, records, sizeof records - 1);
    scripted_deliver(&stand.scripted, 0, octets, end + sizeof records - 1);
}

TEST(an_alias_that_is_kept_is_followed_into_names_of_ours)
{
    struct report_request request = request_for("www.example.org", dyno);

    fetch_alias(&request);
    ask_and_answer(&request);
    ck_assert(report.is_forwarded);
    ck_assert_str_eq(report.cached, "cached=fresh ttl=60");
    ck_assert_uint_eq(report.hops.count, 1);
    ck_assert_mem_eq(report.hops.targets[0].octets, "\3api\7example\3com", 17);
    forward_rig_skip(&stand, 61); /* asked again, it may lead elsewhere */
    ask_and_answer(&request);
    ck_assert_uint_eq(report.hops.count, 0);
}

TEST_LOOP(a_name_that_the_client_may_not_ask_for_is_not_reported, 0, 2)
{
    const struct {
        const char *name;
        uint32_t source;
    } refused[] = {{"www.example.org", outsider}, {"api.example.com", dyno}};
    struct report_request request = request_for(refused[_i].name, refused[_i].source);

    ask_and_answer(&request);
    ck_assert(!report.is_forwarded);
}

TEST(a_flush_is_done_before_the_report_is_ready)
{
    struct report_request request = request_for("www.example.org", dyno);

    fetch(&request);
    request.has_query = false;
    request.sweep = (struct sweep){.kind = SWEEP_FLUSH, .name_count = 1};
    request.sweep.names[0] = request.query.name;
    worker_report_request(&report, &request, 1000);
    while (!worker_report_fill(&report, &batch, 0))
        ck_assert(!worker_report_is_ready(&report));
    ck_assert(worker_report_is_ready(&report));
    ck_assert_uint_eq(report.request.sweep.entries, 1);
    ck_assert_uint_eq(report.cache.entries, 0);
}

TEST(a_worker_that_forwards_nothing_has_nothing_to_flush)
{
    const struct report_request request = {.sweep = {.kind = SWEEP_FLUSH}};

    batch.forward = NULL;
    worker_report_request(&report, &request, 1);
    ck_assert(worker_report_fill(&report, &batch, 0));
    ck_assert(worker_report_is_ready(&report));
    ck_assert_uint_eq(report.request.sweep.entries, 0);
}

/* ---- what clients are held back by ---- */

/* Raises the negative TTL of the app without a running dyno, as a loop of questions does. */
static void raise_ttl(unsigned steps)
{
    struct report_request request = request_for("sleepy-river-2739.herokuapp.com", dyno);
    uint64_t hash = index_hash(&snapshot->index, &request.query.name);
    struct verdict verdict;
    struct client client;

    dead_apps_init(&batch.dead_apps, 1);
    client_classify(snapshot, &request.path, &client);
    decide(snapshot, &client, &request.query, hash, &verdict);
    ck_assert_int_eq(verdict.situation, SITUATION_NO_WEB);
    for (uint32_t second = 1; second <= steps; second++) {
        dead_apps_set_time(&batch.dead_apps, second);
        for (unsigned i = 0; i <= DEAD_APP_ANSWERS_A_SECOND; i++)
            dead_apps_count(&batch.dead_apps, &verdict);
    }
}

/* With upstreams and without: the name is ours either way. */
TEST_LOOP(a_raised_ttl_is_reported_with_its_app_and_for_its_names, 0, 2)
{
    struct report_request request = request_for("sleepy.example.com", dyno);
    struct report_request other = request_for("api.example.com", dyno);

    if (_i == 1)
        batch.forward = NULL;
    ask_and_answer(&request);
    ck_assert_uint_eq(report.raised.count, 0);
    ck_assert_uint_eq(report.raised_ttl_seconds, 0);
    raise_ttl(2);
    ask_and_answer(&request);
    ck_assert_uint_eq(report.raised.count, 1);
    ck_assert_uint_eq(report.raised.longest_seconds, 20);
    ck_assert_str_eq(report.raised.app, "sleepy-river-2739");
    ck_assert_str_eq(report.raised.space, "test-space");
    ck_assert_uint_eq(report.raised_ttl_seconds, 20);
    ask_and_answer(&other);
    ck_assert_uint_eq(report.raised.count, 1);
    ck_assert_uint_eq(report.raised_ttl_seconds, 0);
}

/* The worker may have been idle since: the time is the report's. */
TEST(who_was_limited_is_reported_for_a_minute)
{
    static struct limits limits;
    struct report_request request = {.has_query = false};

    batch.limits = &limits;
    limited_count(&limits.clients, 7, 0, 100);
    limited_count(&limits.networks, 8, 0, 130);
    limited_count(&limits.networks, 9, 0, 130);
    worker_report_request(&report, &request, 1);
    ck_assert(worker_report_fill(&report, &batch, 140 * 1000));
    ck_assert_uint_eq(report.clients.count, 1);
    ck_assert_uint_eq(report.clients.items[0].who, 7);
    ck_assert_uint_eq(report.clients.items[0].ago_s, 40);
    ck_assert_uint_eq(report.networks.count, 2);
    worker_report_request(&report, &request, 2);
    ck_assert(worker_report_fill(&report, &batch, 160 * 1000));
    ck_assert_uint_eq(report.clients.count, 0);
    ck_assert_uint_eq(report.networks.count, 2);
}

#include "serve/worker_report.h"

#include <string.h>

#include "forward/forward_report.h"
#include "respond/chain.h"

enum { US_PER_MS = 1000, MS_PER_SECOND = 1000 };

void worker_report_request(struct worker_report *report, const struct report_request *request,
                           uint64_t number)
{
    report->request = *request;
    report->number = number;
    report->is_begun = report->has_claimed = false;
    atomic_store_explicit(&report->is_asked, true, memory_order_release);
}

bool worker_report_is_ready(const struct worker_report *report)
{
    return !atomic_load_explicit(&report->is_asked, memory_order_acquire);
}

static bool is_same(const struct reported_server *server, const char *text)
{
    return strncmp(server->text, text, sizeof server->text - 1) == 0;
}

/* The entry of a server, one for all routes that name it; NULL when the list is full. */
static struct reported_server *find_slot(struct worker_report *report, const char *text)
{
    size_t number = 0;

    while (number < report->server_count && !is_same(&report->servers[number], text))
        number++;
    if (number == report->server_count) {
        if (number == RESOLVERS_MOST)
            return NULL;
        struct reported_server *fresh = &report->servers[report->server_count++];
        *fresh = (struct reported_server){.routes = 0};
        strncpy(fresh->text, text, sizeof fresh->text - 1);
    }
    return &report->servers[number];
}

static void format_server(struct worker_report *report, size_t route,
                          const struct resolver *resolver, struct resolver_use use)
{
    struct reported_server *server = find_slot(report, resolver->upstream->text);

    if (server == NULL)
        return;
    report->uses[report->use_count++] =
        (struct reported_use){(uint8_t)route, (uint8_t)(server - report->servers), use};
    server->routes |= UINT64_C(1) << route;
    server->state = resolver_state_of(resolver);
    server->has_rtt = resolver->has_rtt;
    server->rtt_ms = resolver->srtt_us / US_PER_MS;
}

static void report_servers(struct worker_report *report, const struct forward *forward)
{
    report->server_count = report->use_count = 0;
    for (size_t route = 0; route < UPSTREAM_ZONES_MOST; route++)
        for (size_t index = 0; index < UPSTREAMS_MOST; index++) {
            const struct resolver *resolver =
                forward_server(forward, (uint8_t)route, (uint8_t)index);
            if (resolver == NULL)
                break;
            format_server(report, route, resolver,
                          forward_server_use(forward, (uint8_t)route, (uint8_t)index));
        }
}

/* Finds the last forwarded name along the report's hops. */
static void follow_hops(const struct worker_report *report, const struct snapshot *snapshot,
                        const struct client *client, struct query *query, uint64_t *hash,
                        struct verdict *verdict)
{
    struct alias_hops hops = report->hops;

    do {
        *query = report->request.query;
        *hash = index_hash(&snapshot->index, &query->name);
        decide(snapshot, client, query, *hash, verdict);
        alias_resolve(snapshot, client, &hops, query, hash, verdict);
    } while (verdict->situation != SITUATION_FORWARD && hops.count-- > 0);
}

/* The query leads to an app without a running web dyno, whose negative TTL may be raised. */
static uint32_t find_raised_ttl(const struct worker_report *report, const struct batch *batch,
                                const struct client *client)
{
    struct query query = report->request.query;
    uint64_t hash = index_hash(&batch->snapshot->index, &query.name);
    struct verdict verdict;

    decide(batch->snapshot, client, &query, hash, &verdict);
    alias_resolve(batch->snapshot, client, &report->hops, &query, &hash, &verdict);
    return verdict.situation == SITUATION_NO_WEB
               ? dead_apps_raised_ttl(&batch->dead_apps, verdict.app)
               : 0;
}

/* The server's text is the worker's own, and goes with its upstreams. */
static void report_outcome(struct worker_report *report, const struct snapshot *snapshot,
                           const struct forward *forward, const struct query *query, uint64_t hash,
                           const struct verdict *verdict)
{
    struct upstream_outcome *outcome = &report->outcome;

    report->has_outcome = chain_find_outcome(snapshot, forward, query, hash, verdict, outcome);
    if (!report->has_outcome || outcome->server == NULL)
        return;
    struct text server = text_over(report->server, sizeof report->server - 1);
    text_add_string(&server, outcome->server);
    *server.next = '\0';
    outcome->server = report->server;
}

static void report_forwarded(struct worker_report *report, const struct snapshot *snapshot,
                             const struct forward *forward, const struct client *client)
{
    struct query query;
    struct verdict verdict;
    uint64_t hash;

    follow_hops(report, snapshot, client, &query, &hash, &verdict);
    report->is_forwarded = verdict.situation == SITUATION_FORWARD;
    if (!report->is_forwarded)
        return;
    struct question question = question_of(&query, hash);
    struct text upstreams = text_over(report->upstreams, sizeof report->upstreams - 1);
    struct text cached = text_over(report->cached, sizeof report->cached - 1);
    forward_format_servers(forward, verdict.route, &upstreams);
    chain_format_cached(forward, &question, &cached);
    *upstreams.next = '\0';
    *cached.next = '\0';
    report->kept = forward_cached(forward, &question);
    report->route = verdict.route;
    report_outcome(report, snapshot, forward, &query, hash, &verdict);
}

static void report_query(struct worker_report *report, const struct batch *batch)
{
    const struct snapshot *snapshot = batch->snapshot;
    struct client client;

    client_classify(snapshot, &report->request.path, &client);
    chain_list_hops(snapshot, &client, batch->forward, &report->request.query, &report->hops);
    report->raised_ttl_seconds = find_raised_ttl(report, batch, &client);
    if (batch->forward != NULL)
        report_forwarded(report, snapshot, batch->forward, &client);
}

/* At most `length` octets of a name of a segment. */
static void copy_name(char out[REPORT_NAME_OCTETS], const char *octets, size_t length)
{
    struct text text = text_over(out, REPORT_NAME_OCTETS - 1);

    text_add(&text, octets, length);
    *text.next = '\0';
}

static void report_raised(struct reported_raised *raised, const struct dead_apps *dead)
{
    struct raised_app apps[DEAD_APPS];

    *raised = (struct reported_raised){.count = dead_apps_list(dead, apps)};
    for (size_t i = 0; i < raised->count; i++) {
        const struct app_entry *app = apps[i].app;
        raised->apps[i] = app;
        if (apps[i].ttl_seconds <= raised->longest_seconds)
            continue;
        raised->longest_seconds = apps[i].ttl_seconds;
        copy_name(raised->app, segment_text(apps[i].segment, app->name), app->name_length);
        copy_name(raised->space, apps[i].segment->name, strlen(apps[i].segment->name));
    }
}

static void report_limited(struct worker_report *report, const struct limits *limits,
                           uint32_t now_s)
{
    report->clients.count = report->networks.count = 0;
    report->clients.has_more = report->networks.has_more = false;
    if (limits == NULL)
        return;
    limited_list(&limits->clients, now_s, &report->clients);
    limited_list(&limits->networks, now_s, &report->networks);
}

/* The workers share a cache, and each one's part of the report is added to the others'. */
static bool sweep(struct worker_report *report, struct forward *forward)
{
    if (!report->is_begun)
        report->has_claimed = forward_claims_cache(forward, report->number);
    report->is_begun = true;
    return !report->has_claimed || forward_sweep(forward, &report->request.sweep);
}

bool worker_report_fill(struct worker_report *report, const struct batch *batch, uint64_t now_ms)
{
    const struct snapshot *snapshot = batch->snapshot;
    struct forward *forward = batch->forward;

    if (forward != NULL && !sweep(report, forward))
        return false;
    report->generation = snapshot == NULL ? 0 : snapshot->generation;
    report->has_forward = forward != NULL;
    report->is_forwarded = false;
    report->hops.count = 0;
    report->server_count = report->use_count = 0;
    report->cache = (struct cache_use){0};
    report->raised_ttl_seconds = 0;
    report_raised(&report->raised, &batch->dead_apps);
    report_limited(report, batch->limits, (uint32_t)(now_ms / MS_PER_SECOND));
    if (forward != NULL)
        report_servers(report, forward);
    if (forward != NULL && report->has_claimed)
        report->cache = forward_cache_use(forward);
    if (snapshot != NULL && report->request.has_query)
        report_query(report, batch);
    atomic_store_explicit(&report->is_asked, false, memory_order_release);
    return true;
}

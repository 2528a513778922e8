#include "spacednsd/scrape.h"

#include <string.h>

#include "base/clock.h"
#include "spacednsd/replica.h"
#include "spacednsd/status.h"
#include "spacednsd/workers.h"

enum { ZONE_OCTETS = 1024 };
static const double ns_per_second = 1e9, us_per_second = 1e6, ms_per_second = 1e3;

/* ---- the snapshot, reloads ---- */

static void add_snapshot(struct metrics *metrics, const struct status_source *source)
{
    const struct snapshot *snapshot = server_current(source->server);
    double age_ns = (double)(clock_monotonic_ns() - source->history->adopted_ns);

    metrics_add_1(metrics, METRIC_BUILD, SPACEDNS_VERSION, 1);
    metrics_add(metrics, METRIC_SNAPSHOT_GENERATION, (double)snapshot->generation);
    metrics_add(metrics, METRIC_SNAPSHOT_AGE, age_ns / ns_per_second);
    metrics_add(metrics, METRIC_SPACES, (double)snapshot_count_spaces(snapshot));
    metrics_add(metrics, METRIC_APPS, (double)snapshot->app_count);
    metrics_add(metrics, METRIC_KEPT_BACK_NAMES,
                snapshot->kept_back == NULL ? 0 : (double)snapshot->kept_back->count);
    if (source->replica == NULL)
        metrics_add(metrics, METRIC_LAST_GOOD_FILES, (double)source->last_good->count);
}

static void add_reloads(struct metrics *metrics, const struct reload_history *history)
{
    for (unsigned end = 0; end < RELOAD_TRIED; end++)
        metrics_add_1(metrics, METRIC_RELOADS, reload_end_text((enum reload_end)end),
                      (double)history->ended[end]);
    metrics_add(metrics, METRIC_RELOAD_DURATION, (double)history->last_ms / ms_per_second);
    for (unsigned level = 0; level < RELOAD_FINDING_LEVELS; level++)
        metrics_add_1(metrics, METRIC_FINDINGS, finding_level_text((enum finding_level)level),
                      (double)history->findings[level]);
}

/* ---- the registry ---- */

static size_t count_kept(const struct registry_status *status, enum registry_kept_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < status->kept_count; i++)
        count += status->kept[i].kind == kind;
    return count;
}

static void add_kept(struct metrics *metrics, const struct registry_status *status)
{
    metrics_add_1(metrics, METRIC_REGISTRY_KEPT, "kept", (double)count_kept(status, REGISTRY_KEPT));
    metrics_add_1(metrics, METRIC_REGISTRY_KEPT, "unready",
                  (double)count_kept(status, REGISTRY_UNREADY));
    metrics_add_1(metrics, METRIC_REGISTRY_KEPT, "taken",
                  (double)count_kept(status, REGISTRY_TAKEN));
    metrics_add_1(metrics, METRIC_REGISTRY_HELD, "spaces",
                  (double)count_kept(status, REGISTRY_HELD));
    metrics_add_1(metrics, METRIC_REGISTRY_HELD, "apps", (double)status->held_app_count);
}

static void add_registry(struct metrics *metrics, struct replica *replica)
{
    struct registry_status status;

    if (replica == NULL)
        return;
    replica_describe(replica, &status);
    metrics_add(metrics, METRIC_REGISTRY_REVISION, (double)status.in_force);
    if (status.age_ms >= 0)
        metrics_add(metrics, METRIC_REGISTRY_AGE, (double)status.age_ms / ms_per_second);
    if (status.lag_ms >= 0)
        metrics_add(metrics, METRIC_REGISTRY_LAG, (double)status.lag_ms / ms_per_second);
    metrics_add(metrics, METRIC_REGISTRY_CONNECTED, status.is_connected);
    metrics_add(metrics, METRIC_REGISTRY_STALE, status.is_stale);
    if (status.certificate != NULL)
        metrics_add(metrics, METRIC_REGISTRY_CERTIFICATE_END, (double)status.certificate_end_s);
    add_kept(metrics, &status);
    metrics_add(metrics, METRIC_REGISTRY_WAITING, (double)status.waiting_count);
    metrics_add(metrics, METRIC_REGISTRY_BAD, (double)status.bad_count);
    metrics_add(metrics, METRIC_REGISTRY_CONNECTS, (double)status.connects);
    metrics_add(metrics, METRIC_REGISTRY_FULL_READS, (double)status.full_reads);
    metrics_add(metrics, METRIC_REGISTRY_AUDIT_DIFFERENCES, (double)status.audit_differences);
    metrics_add(metrics, METRIC_REGISTRY_EVENTS, (double)status.events);
    metrics_add(metrics, METRIC_REGISTRY_RESTATES, (double)replica->restates);
    metrics_add(metrics, METRIC_REGISTRY_RESTATE, (double)replica->restate_us / us_per_second);
}

/* ---- apps ---- */

/* Outcomes that an app never had have no series. */
static void scrape_on_app(void *context, const struct usage_app *app)
{
    for (unsigned outcome = 0; outcome < USE_OUTCOMES; outcome++) {
        const char *const labels[] = {app->space, app->name,
                                      use_outcome_text((enum use_outcome)outcome)};
        if (app->counts[outcome] > 0)
            metrics_add_3(context, METRIC_APP_QUERIES, labels, (double)app->counts[outcome]);
    }
}

static void add_apps(struct metrics *metrics, const struct usage *usage)
{
    usage_walk_apps(usage, scrape_on_app, metrics);
    metrics_add(metrics, METRIC_APP_QUERIES_LOST, (double)usage_lost(usage));
}

/* ---- upstreams and caches ---- */

static void add_upstream(struct metrics *metrics, const struct status_upstream *upstream)
{
    double sum_ms = 0;
    size_t count = 0;

    for (size_t i = 0; i < upstream->view_count; i++)
        if (upstream->views[i].has_rtt) {
            sum_ms += upstream->views[i].rtt_ms;
            count++;
        }
    if (count > 0)
        metrics_add_1(metrics, METRIC_UPSTREAM_RTT, upstream->text,
                      sum_ms / (double)count / ms_per_second);
    metrics_add_1(metrics, METRIC_UPSTREAM_FAILING, upstream->text, upstream->is_failing);
}

static const char *zone_of(struct arena *arena, const struct routes *routes, size_t route)
{
    char octets[ZONE_OCTETS];
    struct text text = text_over(octets, sizeof octets);

    name_add(&text, routes->items[route].zone.octets);
    return arena_text(arena, octets, text_length(&text));
}

/* The uses of one upstream, summed over the workers, by route. */
static void sum_uses(const struct server *server, const char *upstream,
                     struct resolver_use sums[UPSTREAM_ZONES_MOST])
{
    for (size_t worker = 0; worker < server_worker_count(server); worker++) {
        const struct worker_report *report = server_worker_report(server, worker);
        for (size_t i = 0; report != NULL && i < report->use_count; i++) {
            const struct reported_use *use = &report->uses[i];
            if (strcmp(report->servers[use->server].text, upstream) != 0)
                continue;
            sums[use->route].queries += use->use.queries;
            sums[use->route].failures += use->use.failures;
        }
    }
}

static void add_uses(struct metrics *metrics, const struct status *status,
                     const struct server *server, const struct status_upstream *upstream)
{
    const struct routes *routes = &status->snapshot->policy.routes;
    struct resolver_use sums[UPSTREAM_ZONES_MOST] = {{0}};

    sum_uses(server, upstream->text, sums);
    for (size_t route = 0; route < routes->count; route++) {
        if ((upstream->routes >> route & 1) == 0)
            continue;
        const char *zone = zone_of(metrics->arena, routes, route);
        if (zone == NULL)
            continue;
        metrics_add_2(metrics, METRIC_UPSTREAM_QUERIES, upstream->text, zone,
                      (double)sums[route].queries);
        metrics_add_2(metrics, METRIC_UPSTREAM_FAILURES, upstream->text, zone,
                      (double)sums[route].failures);
    }
}

static void add_cache(struct metrics *metrics, const struct status_cache *cache)
{
    metrics_add(metrics, METRIC_CACHE_ENTRIES, (double)cache->entries);
    metrics_add(metrics, METRIC_CACHE_BYTES, (double)cache->octets);
    metrics_add(metrics, METRIC_CACHE_BYTES_MOST, (double)cache->octets_most);
    metrics_add(metrics, METRIC_CACHE_EVICTED, (double)cache->evicted);
}

static bool add_workers(struct metrics *metrics, const struct server *server)
{
    struct status status = {.snapshot = server_current(server)};

    if (!workers_read(server, metrics->arena, &status))
        return false;
    for (size_t i = 0; i < status.upstream_count; i++) {
        add_upstream(metrics, &status.upstreams[i]);
        add_uses(metrics, &status, server, &status.upstreams[i]);
    }
    add_cache(metrics, &status.cache);
    metrics_add(metrics, METRIC_WORKERS, (double)status.worker_count);
    metrics_add(metrics, METRIC_WORKERS_SILENT, (double)status.silent_count);
    return true;
}

/* ---- the process ---- */

static void add_process(struct metrics *metrics, const struct process *process)
{
    struct process_use use;

    process_read(process, &use);
    metrics_add(metrics, METRIC_PROCESS_CPU, use.cpu_seconds);
    if (use.has_memory)
        metrics_add(metrics, METRIC_PROCESS_MEMORY, (double)use.memory_bytes);
    if (use.has_descriptors)
        metrics_add(metrics, METRIC_PROCESS_FDS, (double)use.descriptors);
    if (use.has_limit)
        metrics_add(metrics, METRIC_PROCESS_FDS_MOST, (double)use.descriptors_most);
    metrics_add(metrics, METRIC_PROCESS_START, process->started_s);
}

/* ---- all ---- */

static void add_interfaces(struct metrics *metrics, const struct xdp *xdp)
{
    size_t used = 0;

    if (xdp == NULL || xdp->count == 0)
        return;
    for (size_t i = 0; i < xdp->count; i++)
        used += xdp_is_used(&xdp->items[i]);
    metrics_add_1(metrics, METRIC_XDP_INTERFACES, "used", (double)used);
    metrics_add_1(metrics, METRIC_XDP_INTERFACES, "unused", (double)(xdp->count - used));
}

/* The two are read one after the other, while workers count. */
static void add_totals(struct metrics *metrics, const struct server *server)
{
    server_sum(server, &metrics->totals);
    uint64_t accepted = metrics->totals.counters[COUNTER_TCP_ACCEPTED];
    uint64_t closed = metrics->totals.counters[COUNTER_TCP_CLOSED];
    metrics_add(metrics, METRIC_TCP_CONNECTIONS,
                accepted > closed ? (double)(accepted - closed) : 0);
}

static bool gather(const struct scrape *scrape, struct metrics *metrics)
{
    add_snapshot(metrics, scrape->source);
    add_reloads(metrics, scrape->source->history);
    add_registry(metrics, scrape->source->replica);
    add_totals(metrics, scrape->source->server);
    add_interfaces(metrics, scrape->source->xdp);
    add_apps(metrics, scrape->source->usage->usage);
    add_process(metrics, scrape->process);
    for (size_t i = 0; i < scrape->http_count; i++)
        metrics_add_1(metrics, METRIC_HTTP_REQUESTS, scrape->http[i].label,
                      (double)scrape->http[i].count);
    for (size_t i = 0; i < scrape->http_end_count; i++)
        metrics_add_1(metrics, METRIC_HTTP_CONNECTIONS, scrape->http_ends[i].label,
                      (double)scrape->http_ends[i].count);
    return add_workers(metrics, scrape->source->server) && !metrics->lacks_memory;
}

bool scrape_print(const struct scrape *scrape, enum metrics_format format, FILE *out)
{
    struct arena *arena = arena_new();
    struct metrics metrics;

    if (arena == NULL)
        return false;
    metrics_init(&metrics, arena);
    bool is_whole = gather(scrape, &metrics);
    if (is_whole)
        metrics_print(&metrics, format, out);
    arena_free(arena);
    return is_whole;
}

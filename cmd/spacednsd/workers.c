#include "spacednsd/workers.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_COLUMN = 24, ZONE_TEXT_MOST = 4 * NAME_MAX_OCTETS };

static const struct worker_report *report_of(const struct status_source *source, size_t worker)
{
    return server_worker_report(source->server, worker);
}

/* ---- upstreams ---- */

static json_t *json_zones_of(const struct status_source *source, uint64_t routes)
{
    const struct routes *known = &server_current(source->server)->policy.routes;
    json_t *zones = json_array();

    for (size_t i = 0; i < known->count; i++) {
        char octets[ZONE_TEXT_MOST];
        struct text text = text_over(octets, sizeof octets);
        name_add(&text, known->items[i].zone.octets);
        if ((routes >> i & 1) != 0)
            json_array_append_new(zones, print_text(octets, text_length(&text)));
    }
    return zones;
}

static json_t *json_state(const struct reported_server *server)
{
    json_t *state = json_pack("{s:s}", "state", server->state);

    if (server->has_rtt)
        json_object_set_new(state, "rtt_ms", json_integer(server->rtt_ms));
    return state;
}

/* The upstream of that name in the list; added when it is missing. */
static json_t *find_upstream(json_t *upstreams, const struct status_source *source,
                             const struct reported_server *server)
{
    json_t *upstream;
    size_t index;

    json_array_foreach(upstreams, index, upstream)
    {
        if (strcmp(json_string_value(json_object_get(upstream, "upstream")), server->text) == 0)
            return upstream;
    }
    upstream = json_pack("{s:s, s:o, s:[]}", "upstream", server->text, "zones",
                         json_zones_of(source, server->routes), "workers");
    json_array_append_new(upstreams, upstream);
    return upstream;
}

json_t *workers_upstreams(const struct status_source *source)
{
    json_t *upstreams = json_array();

    for (size_t i = 0; i < server_worker_count(source->server); i++) {
        const struct worker_report *report = report_of(source, i);
        for (size_t j = 0; report != NULL && j < report->server_count; j++) {
            json_t *upstream = find_upstream(upstreams, source, &report->servers[j]);
            json_t *state = json_state(&report->servers[j]);
            json_object_set_new(state, "worker", json_integer((json_int_t)i + 1));
            json_array_append_new(json_object_get(upstream, "workers"), state);
        }
    }
    return upstreams;
}

/* One upstream: all workers share its state, each has its own round trip. */
struct upstream_summary {
    const char *state; /* the worst, as workers report at different moments */
    size_t measured;
    json_int_t least_ms;
    json_int_t most_ms;
};

/* Orders states from best to worst; NULL is the best. */
static int severity_of(const char *state)
{
    static const char *const states[] = {"untried", "no reply yet", "up", "in doubt", "failing"};
    int severity = 0;

    for (size_t i = 0; state != NULL && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(state, states[i]) == 0)
            severity = (int)i + 1;
    return severity;
}

static struct upstream_summary summarize(const json_t *upstream)
{
    struct upstream_summary summary = {0};
    const json_t *one, *rtt;
    size_t index;

    json_array_foreach(json_object_get(upstream, "workers"), index, one)
    {
        const char *state = json_string_value(json_object_get(one, "state"));
        if (severity_of(state) > severity_of(summary.state))
            summary.state = state;
        rtt = json_object_get(one, "rtt_ms");
        if (rtt == NULL)
            continue;
        json_int_t ms = json_integer_value(rtt);
        summary.least_ms = summary.measured == 0 || ms < summary.least_ms ? ms : summary.least_ms;
        summary.most_ms = ms > summary.most_ms ? ms : summary.most_ms;
        summary.measured++;
    }
    return summary;
}

static void print_state(const struct upstream_summary *summary, FILE *out)
{
    fprintf(out, " %s", summary->state == NULL ? "untried" : summary->state);
    if (summary->measured == 0 || summary->state == NULL || strcmp(summary->state, "failing") == 0)
        return;
    fprintf(out, " %" JSON_INTEGER_FORMAT, summary->least_ms);
    if (summary->most_ms > summary->least_ms)
        fprintf(out, "-%" JSON_INTEGER_FORMAT, summary->most_ms);
    fputs("ms", out);
}

/* Prints nothing for an upstream of the root zone alone. */
static void print_zones(const json_t *zones, FILE *out)
{
    const json_t *zone;
    size_t index;

    if (json_array_size(zones) == 1 &&
        strcmp(json_string_value(json_array_get(zones, 0)), ".") == 0)
        return;
    json_array_foreach(zones, index, zone)
        fprintf(out, "%s %s", index == 0 ? " for" : ",", json_string_value(zone));
}

void workers_print_upstreams(const json_t *upstreams, FILE *out)
{
    const json_t *upstream;
    size_t index;

    json_array_foreach(upstreams, index, upstream)
    {
        struct upstream_summary summary = summarize(upstream);
        fprintf(out, "%-*s %s", KEY_COLUMN, "upstream",
                json_string_value(json_object_get(upstream, "upstream")));
        print_state(&summary, out);
        print_zones(json_object_get(upstream, "zones"), out);
        fputc('\n', out);
    }
}

/* ---- caches, silent workers ---- */

json_t *workers_cache(const struct status_source *source)
{
    struct cache_use sum = {0};

    for (size_t i = 0; i < server_worker_count(source->server); i++) {
        const struct worker_report *report = report_of(source, i);
        if (report == NULL)
            continue;
        sum.entries += report->cache.entries;
        sum.octets += report->cache.octets;
        sum.octets_most += report->cache.octets_most;
        sum.evicted += report->cache.evicted;
    }
    return json_pack("{s:I, s:I, s:I, s:I}", "entries", (json_int_t)sum.entries, "octets",
                     (json_int_t)sum.octets, "octets_most", (json_int_t)sum.octets_most, "evicted",
                     (json_int_t)sum.evicted);
}

json_t *workers_silent(const struct status_source *source)
{
    json_t *silent = json_array();

    for (size_t i = 0; i < server_worker_count(source->server); i++)
        if (report_of(source, i) == NULL)
            json_array_append_new(silent, json_integer((json_int_t)i + 1));
    return silent;
}

/* ---- explain ---- */

static json_t *json_asked(const struct worker_report *report)
{
    json_t *upstreams = json_array();

    for (size_t i = 0; i < report->server_count; i++) {
        const struct reported_server *server = &report->servers[i];
        if ((server->routes >> report->route & 1) == 0)
            continue;
        json_t *state = json_state(server);
        json_object_set_new(state, "upstream", json_string(server->text));
        json_array_append_new(upstreams, state);
    }
    return upstreams;
}

/* `report` is NULL for a worker that has not reported. */
static json_t *json_worker(size_t worker, const struct worker_report *report)
{
    json_t *object =
        json_pack("{s:I, s:n, s:n}", "worker", (json_int_t)worker + 1, "upstreams", "cached");

    if (report == NULL)
        return object;
    json_object_set_new(object, "upstreams", json_asked(report));
    json_object_set_new(object, "cached", json_string(cached_text(report->kept.kept)));
    if (report->kept.kept == CACHED_FRESH || report->kept.kept == CACHED_STALE)
        json_object_set_new(object,
                            report->kept.kept == CACHED_FRESH ? "ttl_seconds" : "age_seconds",
                            json_integer(report->kept.seconds));
    return object;
}

void workers_explain(const struct status_source *source, const struct explain_request *request,
                     bool is_json, FILE *out)
{
    size_t count = server_worker_count(source->server);
    struct explain_worker *workers = calloc(count, sizeof *workers);
    struct explain_live live = {.workers = workers, .count = count, .json = json_array()};

    for (size_t i = 0; workers != NULL && i < count; i++) {
        const struct worker_report *report = report_of(source, i);
        /* A worker of another generation may decide otherwise; it is about to adopt the new one. */
        if (report != NULL && !report->is_forwarded)
            report = NULL;
        if (report != NULL)
            workers[i] = (struct explain_worker){.upstreams = report->upstreams,
                                                 .cached = report->cached,
                                                 .is_withheld = report->is_withheld,
                                                 .hops = &report->hops};
        json_array_append_new(live.json, json_worker(i, report));
    }
    explain_print(server_current(source->server), request, workers == NULL ? NULL : &live, is_json,
                  out);
    json_decref(live.json);
    free(workers);
}

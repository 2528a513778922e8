#include "spacednsd/workers.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_COLUMN = 24, ZONE_TEXT_MOST = 4 * NAME_MAX_OCTETS };

static const struct worker_report *report_of(const struct status_source *view, size_t worker)
{
    return server_worker_report(view->server, worker);
}

/* ---- upstreams ---- */

static json_t *json_zones_of(const struct status_source *view, uint64_t routes)
{
    const struct routes *known = &server_current(view->server)->policy.routes;
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

/* The upstream of that name in the list; made when it is not there yet. */
static json_t *find_upstream(json_t *upstreams, const struct status_source *view,
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
                         json_zones_of(view, server->routes), "workers");
    json_array_append_new(upstreams, upstream);
    return upstream;
}

json_t *workers_upstreams(const struct status_source *view)
{
    json_t *upstreams = json_array();

    for (size_t i = 0; i < server_worker_count(view->server); i++) {
        const struct worker_report *report = report_of(view, i);
        for (size_t j = 0; report != NULL && j < report->server_count; j++) {
            json_t *upstream = find_upstream(upstreams, view, &report->servers[j]);
            json_t *state = json_state(&report->servers[j]);
            json_object_set_new(state, "worker", json_integer((json_int_t)i + 1));
            json_array_append_new(json_object_get(upstream, "workers"), state);
        }
    }
    return upstreams;
}

/* One upstream: its state is every worker's, its round trip each one's own. */
struct sight {
    const char *state; /* the worst, when workers told in different moments */
    size_t measured;
    json_int_t least_ms;
    json_int_t most_ms;
};

/* How bad a state is; NULL is better than any. */
static int gravity_of(const char *state)
{
    static const char *const states[] = {"untried", "no reply yet", "up", "in doubt", "failing"};
    int gravity = 0;

    for (size_t i = 0; state != NULL && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(state, states[i]) == 0)
            gravity = (int)i + 1;
    return gravity;
}

static struct sight sight_of(const json_t *upstream)
{
    struct sight sight = {0};
    const json_t *one, *rtt;
    size_t index;

    json_array_foreach(json_object_get(upstream, "workers"), index, one)
    {
        const char *state = json_string_value(json_object_get(one, "state"));
        if (gravity_of(state) > gravity_of(sight.state))
            sight.state = state;
        rtt = json_object_get(one, "rtt_ms");
        if (rtt == NULL)
            continue;
        json_int_t ms = json_integer_value(rtt);
        sight.least_ms = sight.measured == 0 || ms < sight.least_ms ? ms : sight.least_ms;
        sight.most_ms = ms > sight.most_ms ? ms : sight.most_ms;
        sight.measured++;
    }
    return sight;
}

static void print_sight(const struct sight *sight, FILE *out)
{
    fprintf(out, " %s", sight->state == NULL ? "untried" : sight->state);
    if (sight->measured == 0 || sight->state == NULL || strcmp(sight->state, "failing") == 0)
        return;
    fprintf(out, " %" JSON_INTEGER_FORMAT, sight->least_ms);
    if (sight->most_ms > sight->least_ms)
        fprintf(out, "-%" JSON_INTEGER_FORMAT, sight->most_ms);
    fputs("ms", out);
}

/* Nothing for one that is asked for everything only. */
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
        struct sight sight = sight_of(upstream);
        fprintf(out, "%-*s %s", KEY_COLUMN, "upstream",
                json_string_value(json_object_get(upstream, "upstream")));
        print_sight(&sight, out);
        print_zones(json_object_get(upstream, "zones"), out);
        fputc('\n', out);
    }
}

/* ---- caches, silence ---- */

json_t *workers_cache(const struct status_source *view)
{
    struct cache_use sum = {0};

    for (size_t i = 0; i < server_worker_count(view->server); i++) {
        const struct worker_report *report = report_of(view, i);
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

json_t *workers_silent(const struct status_source *view)
{
    json_t *silent = json_array();

    for (size_t i = 0; i < server_worker_count(view->server); i++)
        if (report_of(view, i) == NULL)
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

/* `look` is NULL for a worker that has not told. */
static json_t *json_worker(size_t worker, const struct worker_report *report)
{
    json_t *object =
        json_pack("{s:I, s:n, s:n}", "worker", (json_int_t)worker + 1, "upstreams", "cached");

    if (report == NULL)
        return object;
    json_object_set_new(object, "upstreams", json_asked(report));
    json_object_set_new(object, "cached", json_string(kept_text(report->kept.kept)));
    if (report->kept.kept == KEPT_FRESH || report->kept.kept == KEPT_STALE)
        json_object_set_new(object, report->kept.kept == KEPT_FRESH ? "ttl_seconds" : "age_seconds",
                            json_integer(report->kept.seconds));
    return object;
}

void workers_explain(const struct status_source *view, const struct explain_request *request,
                     bool is_json, FILE *out)
{
    size_t count = server_worker_count(view->server);
    struct explain_worker *workers = calloc(count, sizeof *workers);
    struct explain_live live = {.workers = workers, .count = count, .json = json_array()};

    for (size_t i = 0; workers != NULL && i < count; i++) {
        const struct worker_report *report = report_of(view, i);
        /* One that answers from another generation may see it otherwise; it is about to change. */
        if (report != NULL && !report->is_forwarded)
            report = NULL;
        if (report != NULL)
            workers[i] = (struct explain_worker){.upstreams = report->upstreams,
                                                 .cached = report->cached,
                                                 .is_withheld = report->is_withheld,
                                                 .hops = &report->hops};
        json_array_append_new(live.json, json_worker(i, report));
    }
    explain_print(server_current(view->server), request, workers == NULL ? NULL : &live, is_json,
                  out);
    json_decref(live.json);
    free(workers);
}

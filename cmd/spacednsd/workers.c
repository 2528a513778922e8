#include "spacednsd/workers.h"

#include <stdlib.h>
#include <string.h>

#include "inspect/print.h"
#include "spacednsd/workers_limited.h"

/* ---- status ---- */

/* The upstreams while they are gathered. */
struct upstream_list {
    struct arena *arena;
    struct status_upstream *items;
    enum resolver_state *worst; /* of each item */
    size_t count;
    size_t worker_count;
};

/* Makes room for all that the workers report. */
static bool begin_list(struct upstream_list *list, const struct server *server)
{
    size_t most = 0;

    for (size_t i = 0; i < list->worker_count; i++) {
        const struct worker_report *report = server_worker_report(server, i);
        most += report == NULL ? 0 : report->server_count;
    }
    list->items = arena_take(list->arena, most * sizeof *list->items);
    list->worst = arena_take(list->arena, most * sizeof *list->worst);
    return list->items != NULL && list->worst != NULL;
}

/* The upstream of that name in the list; added when it is missing. */
static bool find_upstream(struct upstream_list *list, const struct reported_server *server,
                          size_t *number)
{
    for (*number = 0; *number < list->count; ++*number)
        if (strcmp(list->items[*number].text, server->text) == 0)
            return true;
    struct status_view *views = arena_take(list->arena, list->worker_count * sizeof *views);
    list->worst[*number] = server->state;
    list->items[*number] =
        (struct status_upstream){.text = server->text, .routes = server->routes, .views = views};
    list->count++;
    return views != NULL;
}

static bool add_server(struct upstream_list *list, size_t worker,
                       const struct reported_server *server)
{
    size_t number;

    if (!find_upstream(list, server, &number))
        return false;
    struct status_upstream *upstream = &list->items[number];
    if (server->state > list->worst[number])
        list->worst[number] = server->state;
    upstream->worst = resolver_state_text(list->worst[number]);
    upstream->is_failing = list->worst[number] == RESOLVER_FAILING;
    upstream->views[upstream->view_count++] =
        (struct status_view){.worker = worker + 1,
                             .state = resolver_state_text(server->state),
                             .has_rtt = server->has_rtt,
                             .rtt_ms = server->rtt_ms};
    return true;
}

static void add_cache(struct status_cache *sum, const struct cache_use *cache)
{
    sum->entries += cache->entries;
    sum->octets += cache->octets;
    sum->octets_most += cache->octets_most;
    sum->evicted += cache->evicted;
}

static int compare_apps(const void *a, const void *b)
{
    const struct app_entry *const *first = a;
    const struct app_entry *const *second = b;

    return ((uintptr_t)*first > (uintptr_t)*second) - ((uintptr_t)*first < (uintptr_t)*second);
}

static size_t count_different(const struct app_entry **apps, size_t count)
{
    size_t different = 0;

    if (count > 0)
        qsort(apps, count, sizeof(struct app_entry *), compare_apps);
    for (size_t i = 0; i < count; i++)
        different += i == 0 || apps[i] != apps[i - 1];
    return different;
}

/* An app is counted once, however many workers have raised its TTL, with the longest. */
static bool read_raised(const struct server *server, struct arena *arena, size_t workers,
                        struct status_raised *raised)
{
    const struct app_entry **apps = arena_take(arena, workers * DEAD_APPS * sizeof *apps);
    size_t count = 0;

    for (size_t i = 0; apps != NULL && i < workers; i++) {
        const struct worker_report *report = server_worker_report(server, i);
        for (size_t j = 0; report != NULL && j < report->raised.count; j++)
            apps[count++] = report->raised.apps[j];
        if (report == NULL || report->raised.longest_seconds <= raised->longest_seconds)
            continue;
        raised->longest_seconds = report->raised.longest_seconds;
        raised->app = report->raised.app;
        raised->space = report->raised.space;
    }
    if (apps != NULL)
        raised->apps = count_different(apps, count);
    return apps != NULL;
}

bool workers_read(const struct server *server, struct arena *arena, struct status *status)
{
    struct upstream_list list = {.arena = arena, .worker_count = server_worker_count(server)};
    size_t *silent = arena_take(arena, list.worker_count * sizeof *silent);
    bool has_room = silent != NULL && begin_list(&list, server) &&
                    read_raised(server, arena, list.worker_count, &status->raised) &&
                    workers_read_limited(server, arena, &status->limited);

    for (size_t i = 0; i < list.worker_count && has_room; i++) {
        const struct worker_report *report = server_worker_report(server, i);
        if (report == NULL) {
            silent[status->silent_count++] = i + 1;
            continue;
        }
        add_cache(&status->cache, &report->cache);
        for (size_t j = 0; j < report->server_count && has_room; j++)
            has_room = add_server(&list, i, &report->servers[j]);
    }
    status->worker_count = list.worker_count;
    status->silent = silent;
    status->upstreams = list.items;
    status->upstream_count = list.count;
    return has_room;
}

/* ---- explain ---- */

static json_t *json_asked(const struct worker_report *report)
{
    json_t *upstreams = json_array();

    for (size_t i = 0; i < report->server_count; i++) {
        const struct reported_server *server = &report->servers[i];
        if ((server->routes >> report->route & 1) == 0)
            continue;
        json_t *state = json_pack("{s:s}", "state", resolver_state_text(server->state));
        if (server->has_rtt)
            json_object_set_new(state, "rtt_ms", json_integer(server->rtt_ms));
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
    const struct snapshot *snapshot = server_current(source->server);
    const struct path path = explain_path(snapshot, &request->source);

    workers_find_limited(source->server, snapshot, &path, &live.limited);
    for (size_t i = 0; workers != NULL && i < count; i++) {
        const struct worker_report *report = server_worker_report(source->server, i);
        if (report != NULL && report->raised_ttl_seconds > live.raised_ttl_seconds)
            live.raised_ttl_seconds = report->raised_ttl_seconds;
        /* A worker of another generation may decide otherwise; it is about to adopt the new one. */
        if (report != NULL && !report->is_forwarded)
            report = NULL;
        if (report != NULL)
            workers[i] =
                (struct explain_worker){.upstreams = report->upstreams,
                                        .cached = report->cached,
                                        .has_answer = report->kept.kept == CACHED_FRESH ||
                                                      report->kept.kept == CACHED_STALE,
                                        .outcome = report->has_outcome ? &report->outcome : NULL,
                                        .hops = &report->hops};
        json_array_append_new(live.json, json_worker(i, report));
    }
    explain_print(snapshot, request, workers == NULL ? NULL : &live, is_json, out);
    json_decref(live.json);
    free(workers);
}

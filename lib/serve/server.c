#include "serve/server.h"

#include <stdlib.h>

#include "base/log.h"
#include "forward/standing.h"
#include "serve/devices.h"
#include "serve/flow_collector.h"
#include "serve/listener.h"
#include "serve/querylog.h"
#include "serve/wake.h"
#include "serve/worker.h"

struct server {
    uv_timer_t devices;    /* runs while the newest snapshot has some, or xdp has */
    uv_async_t wake;       /* a worker or the log has something for this thread */
    unsigned handle_count; /* of these and the flows', until they are closed */
    struct flow_collector flows;
    server_on_lines *on_lines;
    server_on_adopted *on_adopted;
    server_on_reports *on_reports;
    uint64_t inspection; /* number of the last request for reports */
    bool is_inspecting;
    void *context;
    struct querylog *log;
    struct tap *tap;        /* NULL: no dnstap */
    uint64_t lines_lost;    /* by the log, once it has been stopped */
    uint64_t messages_lost; /* of dnstap, once it is stopped */
    struct limit_tables *limits;
    struct xdp xdp;
    struct worker **workers;
    size_t worker_count;
    struct standings *standings; /* of the upstreams of the newest; NULL: none, or no memory */
    size_t cache_octets;         /* of theirs */
    struct snapshot *newest;     /* links the older ones */
    const struct snapshot *pinned;
    const struct freshness *freshness;
    uint64_t turns;   /* snapshots published */
    uint64_t adopted; /* turn that on_adopted was called for */
};

/* On the thread of a worker, or of the query log. */
static void wake_control(void *context)
{
    struct server *server = context;

    wake_up(&server->wake);
}

static uint64_t oldest_turn(const struct server *server)
{
    uint64_t oldest = UINT64_MAX;

    for (size_t i = 0; i < server->worker_count; i++) {
        uint64_t turn = worker_turn(server->workers[i]);
        oldest = turn < oldest ? turn : oldest;
    }
    return oldest;
}

static void notify_adopted(struct server *server)
{
    if (server->newest == NULL || server->adopted == server->newest->turn ||
        oldest_turn(server) < server->newest->turn)
        return;
    server->adopted = server->newest->turn;
    server->on_adopted(server->context, server->newest->generation);
}

static void notify_reports(struct server *server)
{
    if (!server->is_inspecting)
        return;
    for (size_t i = 0; i < server->worker_count; i++)
        if (worker_last_report(server->workers[i]) == NULL)
            return;
    server->is_inspecting = false;
    flow_collector_take(&server->flows); /* a worker hands them over before its report is ready */
    server->on_reports(server->context);
}

static void log_limited(const struct server *server, uint32_t client)
{
    char address[ENDPOINT_TEXT_MAX];
    struct log_line line;

    ipv4_write(client, address);
    log_start(&line, LOG_WARNING, "client_limited");
    log_string(&line, "client", address);
    log_number(&line, "client_rate", server->newest->policy.client_rate);
    log_string(&line, "code", reason_entry(REASON_RATE_LIMITED)->code);
    log_send(&line);
}

static void log_all_limited(const struct server *server)
{
    uint32_t clients[LIMITS_REPORTED_MOST];

    for (size_t i = 0; i < server->worker_count; i++) {
        size_t count = limits_take_over(worker_limits(server->workers[i]), clients);
        for (size_t j = 0; j < count; j++)
            log_limited(server, clients[j]);
    }
}

static void server_on_wake(uv_async_t *wake)
{
    struct server *server = wake->data;

    log_all_limited(server);
    flow_collector_take(&server->flows);
    notify_adopted(server);
    notify_reports(server);
    if (server->on_lines != NULL)
        server->on_lines(server->context);
}

static bool is_inherited(const struct inherited *inherited, enum listen_scheme scheme,
                         const struct endpoint *endpoint)
{
    return inherited != NULL && inherited_has(inherited, scheme, endpoint);
}

static bool probe_all(const struct settings *settings, const struct inherited *inherited,
                      struct err *err)
{
    for (size_t i = 0; i < settings->listen.count; i++) {
        const struct listen_address *address = &settings->listen.items[i];
        for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
            if (listen_address_has(address, scheme) &&
                !is_inherited(inherited, scheme, &address->endpoint) &&
                !listener_kinds[scheme].probe(&address->endpoint, err))
                return false;
    }
    return true;
}

static bool make_workers(struct server *server, const struct server_options *own, struct err *err)
{
    const struct settings *settings = own->settings;
    struct worker_options options = {.settings = settings,
                                     .inherited = own->inherited,
                                     .is_waiting = own->is_waiting,
                                     .connections = own->inherited == NULL ? -1 : own->connections,
                                     .standings = server->standings,
                                     .limits = server->limits,
                                     .xdp = &server->xdp,
                                     .on_adopted = wake_control,
                                     .on_limited = wake_control,
                                     .on_reports = wake_control,
                                     .on_flows = own->on_flows == NULL ? NULL : wake_control,
                                     .context = server};

    xdp_open(&server->xdp, settings, own->is_waiting);
    server->workers = calloc(settings->workers, sizeof(struct worker *));
    if (server->workers == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for %u workers",
                       (unsigned)settings->workers);
    for (size_t i = 0; i < settings->workers; i++) {
        options.number = i;
        options.log = querylog_ring(server->log, i);
        options.tap = server->tap == NULL ? NULL : tap_feed(server->tap, i);
        server->workers[i] = worker_new(&options, err);
        if (server->workers[i] == NULL)
            return false;
        server->worker_count++;
    }
    xdp_attach(&server->xdp);
    return true;
}

static bool open_log(struct server *server, const struct server_options *options, struct err *err)
{
    const struct settings *settings = options->settings;
    const struct querylog_options own = {.descriptor = options->log_descriptor,
                                         .format = (enum querylog_format)settings->log_format,
                                         .choice = (enum querylog_choice)settings->log_queries,
                                         .rate = settings->log_rate,
                                         .rings = settings->workers,
                                         .on_lines =
                                             options->on_lines == NULL ? NULL : wake_control,
                                         .context = server};

    server->log = querylog_new(&own, err);
    return server->log != NULL;
}

static bool open_tap(struct server *server, const struct settings *settings, struct err *err)
{
    if (settings->dnstap == NULL)
        return true;
    server->tap = tap_new(&(struct tap_options){.path = settings->dnstap,
                                                .sample = settings->dnstap_sample,
                                                .feeds = settings->workers},
                          err);
    return server->tap != NULL;
}

static void log_unshared(const struct err *err)
{
    struct log_line line;

    log_start(&line, LOG_WARNING, "upstreams_unshared");
    log_string(&line, "text", err->text);
    log_string(
        &line, "effect",
        "until a restart or other upstreams, each worker keeps what it knows of upstreams to "
        "itself, with its part of the cache");
    log_send(&line);
}

/*
 * Upstreams that were known keep their state. Without memory each worker keeps its own, with a part
 * of the cache, which works less well.
 */
static void share_standings(struct server *server, const struct upstream_zones *zones)
{
    struct standings *before = server->standings;
    struct err err;

    if (before != NULL && zones != NULL && upstream_zones_equal(&before->zones, zones))
        return;
    bool has_upstreams = zones != NULL && zones->count > 0;
    server->standings =
        has_upstreams ? standings_new(zones, before, server->cache_octets, &err) : NULL;
    if (has_upstreams && server->standings == NULL)
        log_unshared(&err);
    standings_release(before);
}

struct server *server_new(const struct server_options *options, struct err *err)
{
    struct server *server = calloc(1, sizeof *server);

    if (server == NULL) {
        err_set(err, ERR_MEMORY, "out of memory for the server");
        return NULL;
    }
    server->on_adopted = options->on_adopted;
    server->on_reports = options->on_reports;
    server->on_lines = options->on_lines;
    server->context = options->context;
    server->freshness = options->freshness;
    uv_async_init(options->loop, &server->wake, server_on_wake);
    uv_unref((uv_handle_t *)&server->wake);
    server->wake.data = server;
    uv_timer_init(options->loop, &server->devices);
    uv_unref((uv_handle_t *)&server->devices);
    server->devices.data = server;
    flow_collector_init(&server->flows, options->loop, options->on_flows, options->context);
    server->handle_count = 3;
    server->cache_octets = options->settings->cache_size;
    share_standings(server, &options->settings->upstream_zones);
    server->limits = limit_tables_new();
    if (server->limits == NULL) {
        err_set(err, ERR_MEMORY, "out of memory for the tables of limited clients");
        server_free(server);
        return NULL;
    }
    if (!probe_all(options->settings, options->inherited, err) || !open_log(server, options, err) ||
        !open_tap(server, options->settings, err) || !make_workers(server, options, err)) {
        server_free(server);
        return NULL;
    }
    flow_collector_set_workers(&server->flows, server->workers, server->worker_count);
    return server;
}

static void server_on_devices_tick(uv_timer_t *timer)
{
    struct server *server = timer->data;

    devices_look_up(&server->newest->access, false);
    if (!xdp_look_up(&server->xdp) && server->newest->access.device_count == 0)
        uv_timer_stop(timer);
}

/* Before a worker has the snapshot, so that no client of a device is outside meanwhile. */
static void look_up_devices(struct server *server, const struct snapshot *snapshot)
{
    if (snapshot->access.device_count == 0 && !xdp_look_up(&server->xdp)) {
        uv_timer_stop(&server->devices);
        return;
    }
    devices_look_up(&snapshot->access, true);
    uv_timer_start(&server->devices, server_on_devices_tick, DEVICES_INTERVAL_MS,
                   DEVICES_INTERVAL_MS);
}

void server_publish(struct server *server, struct snapshot *snapshot)
{
    share_standings(server, snapshot->policy.routes.zones);
    snapshot->standings = standings_hold(server->standings);
    look_up_devices(server, snapshot);
    snapshot->turn = ++server->turns;
    snapshot->freshness = server->freshness;
    snapshot->older = server->newest;
    server->newest = snapshot;
    for (size_t i = 0; i < server->worker_count; i++)
        worker_post(server->workers[i], snapshot);
}

void server_set_cookies(struct server *server, const struct cookie_secrets *secrets)
{
    for (size_t i = 0; i < server->worker_count; i++)
        worker_set_cookies(server->workers[i], secrets);
}

void server_set_log(struct server *server, const struct settings *settings)
{
    querylog_set(server->log, (enum querylog_choice)settings->log_queries, settings->log_rate);
}

struct querylog *server_log(const struct server *server)
{
    return server->log;
}

bool server_start(struct server *server, struct err *err)
{
    if (!querylog_start(server->log, err))
        return false;
    if (server->tap != NULL && !tap_start(server->tap, err))
        return false;
    for (size_t i = 0; i < server->worker_count; i++)
        if (!worker_start(server->workers[i], err)) {
            server_stop(server);
            return false;
        }
    flow_collector_start(&server->flows);
    return true;
}

void server_begin(struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++)
        worker_begin(server->workers[i]);
}

const struct endpoint *server_probe(const struct server *server, size_t worker)
{
    return worker_probe(server->workers[worker]);
}

void server_walk_sockets(const struct server *server, worker_on_socket *on_socket, void *context)
{
    for (size_t i = 0; i < server->worker_count; i++)
        worker_walk_sockets(server->workers[i], on_socket, context);
}

static void free_one(struct snapshot *snapshot)
{
    standings_release(snapshot->standings);
    snapshot_free(snapshot);
}

/* Frees a snapshot and the older ones, but for the one that is pinned, which is returned. */
static struct snapshot *free_chain(struct snapshot *snapshot, const struct snapshot *pinned)
{
    struct snapshot *kept = NULL;

    while (snapshot != NULL) {
        struct snapshot *older = snapshot->older;
        if (snapshot == pinned)
            kept = snapshot;
        else
            free_one(snapshot);
        snapshot = older;
    }
    if (kept != NULL)
        kept->older = NULL;
    return kept;
}

void server_reclaim(struct server *server)
{
    uint64_t answered = oldest_turn(server), counted = flow_collector_oldest(&server->flows);
    uint64_t oldest = answered < counted ? answered : counted;

    for (struct snapshot *each = server->newest; each != NULL; each = each->older) {
        if (each->turn > oldest)
            continue;
        each->older = free_chain(each->older, server->pinned);
    }
}

void server_pin(struct server *server, const struct snapshot *snapshot)
{
    server->pinned = snapshot;
}

size_t server_snapshot_count(const struct server *server)
{
    size_t count = 0;

    for (const struct snapshot *each = server->newest; each != NULL; each = each->older)
        count++;
    return count;
}

const struct snapshot *server_current(const struct server *server)
{
    return server->newest;
}

void server_request_reports(struct server *server, const struct report_request *request)
{
    /* So that each worker has an empty table, and can hand over the other. */
    flow_collector_take(&server->flows);
    server->inspection++;
    server->is_inspecting = true;
    for (size_t i = 0; i < server->worker_count; i++)
        if (worker_last_report(server->workers[i]) != NULL)
            worker_request_report(server->workers[i], request, server->inspection);
}

size_t server_worker_count(const struct server *server)
{
    return server->worker_count;
}

const struct worker_report *server_worker_report(const struct server *server, size_t worker)
{
    const struct worker_report *report = worker_last_report(server->workers[worker]);

    return report != NULL && server->inspection > 0 && report->number == server->inspection ? report
                                                                                            : NULL;
}

void server_request_pulses(struct server *server, enum pulse_asker asker)
{
    for (size_t i = 0; i < server->worker_count; i++)
        worker_request_pulse(server->workers[i], asker);
}

bool server_has_pulse(const struct server *server, size_t worker, enum pulse_asker asker)
{
    return worker_has_pulse(server->workers[worker], asker);
}

const struct xdp *server_xdp(const struct server *server)
{
    return &server->xdp;
}

static void add_frames(const struct server *server, struct totals *totals)
{
    struct xsk_statistics sum = {0};

    for (size_t i = 0; i < server->worker_count; i++)
        worker_add_frames(server->workers[i], &sum);
    totals->counters[COUNTER_XDP_DROPPED] = sum.dropped;
    totals->counters[COUNTER_XDP_RING_FULL] = sum.ring_full;
    totals->counters[COUNTER_XDP_FILL_EMPTY] = sum.fill_empty;
}

void server_sum(const struct server *server, struct totals *totals)
{
    const struct snapshot *current = server_current(server);

    *totals = (struct totals){0};
    for (size_t i = 0; i < server->worker_count; i++) {
        stats_add_to(totals, worker_stats(server->workers[i]));
        totals->counters[COUNTER_UDP_KERNEL_DROPS] += worker_kernel_drops(server->workers[i]);
    }
    add_frames(server, totals);
    totals->counters[COUNTER_QUERYLOG_DROPPED] +=
        server->log == NULL ? server->lines_lost : querylog_lost(server->log);
    totals->counters[COUNTER_DNSTAP_DROPPED] +=
        server->tap == NULL ? server->messages_lost : tap_lost(server->tap);
    if (current != NULL && current->kept_back != NULL)
        totals->counters[COUNTER_KEPT_BACK_PUSHED_OUT] = current->kept_back->pushed_out;
}

static void join_all(struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++)
        worker_join(server->workers[i]);
    flow_collector_stop(&server->flows);
    server->lines_lost = querylog_stop(server->log);
    server->log = NULL;
    server->messages_lost = tap_stop(server->tap);
    server->tap = NULL;
}

void server_stop(struct server *server)
{
    xdp_detach(&server->xdp); /* first: the sockets keep what comes from now on */
    for (size_t i = 0; i < server->worker_count; i++)
        worker_stop(server->workers[i]);
    join_all(server);
}

void server_leave(struct server *server, int channel)
{
    xdp_detach(&server->xdp); /* first: the next server's sockets get what comes from now on */
    for (size_t i = 0; i < server->worker_count; i++)
        worker_leave(server->workers[i], channel);
    join_all(server);
}

static void server_on_closed(uv_handle_t *handle)
{
    struct server *server = handle->data;

    if (--server->handle_count == 0)
        free(server);
}

void server_free(struct server *server)
{
    if (server == NULL)
        return;
    querylog_stop(server->log);
    tap_stop(server->tap);
    for (size_t i = 0; i < server->worker_count; i++)
        worker_free(server->workers[i]);
    free(server->workers);
    xdp_close(&server->xdp);
    limit_tables_free(server->limits);
    free_chain(server->newest, NULL);
    standings_release(server->standings);
    uv_close((uv_handle_t *)&server->devices, server_on_closed);
    server->flows.timer.data = server;
    uv_close((uv_handle_t *)&server->flows.timer, server_on_closed);
    uv_close((uv_handle_t *)&server->wake, server_on_closed);
}

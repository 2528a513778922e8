#include "serve/worker.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "serve/cookie_mailbox.h"
#include "serve/forwarder.h"
#include "serve/intake.h"
#include "serve/listener.h"
#include "serve/pulse.h"
#include "serve/wake.h"
#include "serve/worker_sockets.h"

struct worker {
    struct stats stats; /* first: it needs its own cache lines */
    struct mailbox mailbox;
    struct limits limits;
    struct cookie_mailbox cookies;
    struct flows *flows; /* NULL: not counted */
    struct batch batch;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t drain; /* active while the worker drains */
    uint64_t drain_until_ms;
    struct worker_report report;
    struct pulse pulses[PULSE_ASKERS];
    void (*on_reports)(void *context);
    atomic_bool is_stopping;
    atomic_bool is_leaving;   /* set before is_stopping */
    atomic_bool is_beginning; /* requested */
    int channel;              /* to hand connections over; valid if is_leaving */
    bool is_running;
    uv_thread_t thread;
    batch_on_adopted *on_adopted; /* called after worker_on_adopted */
    void *context;
    struct forwarder forwarder;
    struct worker_sockets sockets;
    struct intake intake;
    size_t number;
};

/* Closes every handle; the loop ends when the listeners' last has been closed. */
static void close_handles(struct worker *worker)
{
    forwarder_stop(&worker->forwarder); /* first: its last replies use the sockets closed below */
    worker_sockets_stop(&worker->sockets);
    intake_stop(&worker->intake);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->drain, NULL);
}

/* Upstreams change with the snapshot: its verdicts name its own routes. */
static void worker_on_adopted(void *context)
{
    struct worker *worker = context;
    const struct snapshot *snapshot = worker->batch.snapshot;

    if (snapshot != NULL)
        forwarder_adopt(&worker->forwarder, snapshot->policy.routes.zones, snapshot->standings);
    if (snapshot != NULL && snapshot->access.device_count > 0)
        worker_sockets_request_interfaces(&worker->sockets);
    worker->on_adopted(worker->context);
}

/*
 * The control thread requests a report a few times a minute at most. A sweep over the cache goes on
 * in the next turn, between batches; a worker that stops has no other.
 */
static void fill_report(struct worker *worker, bool is_last)
{
    if (worker_report_is_ready(&worker->report))
        return;
    if (worker->batch.forward != NULL)
        forward_set_time(worker->batch.forward, uv_now(&worker->loop));
    while (!worker_report_fill(&worker->report, &worker->batch, uv_now(&worker->loop)))
        if (!is_last) {
            wake_up(&worker->wake);
            return;
        }
    worker->on_reports(worker->context);
}

static void worker_on_drain_tick(uv_timer_t *drain)
{
    struct worker *worker = drain->data;

    if (forwarder_has_waiters(&worker->forwarder) && uv_now(&worker->loop) < worker->drain_until_ms)
        return;
    uv_timer_stop(drain);
    worker_sockets_drain(&worker->sockets);
    close_handles(worker);
}

/* Requests that arrived before the stop are still forwarded. */
static void begin_draining(struct worker *worker)
{
    if (worker->drain_until_ms != 0)
        return;
    worker->drain_until_ms = uv_now(&worker->loop) + WORKER_DRAIN_MS;
    worker_sockets_drain(&worker->sockets);
    forwarder_drain(&worker->forwarder);
    uv_timer_start(&worker->drain, worker_on_drain_tick, 0, WORKER_DRAIN_TICK_MS);
}

/* ---- leaving ---- */

static void worker_on_leave_tick(uv_timer_t *drain)
{
    struct worker *worker = drain->data;
    size_t left = worker_sockets_hand_over(&worker->sockets, worker->channel);

    if ((left > 0 || forwarder_has_waiters(&worker->forwarder)) &&
        uv_now(&worker->loop) < worker->drain_until_ms)
        return;
    uv_timer_stop(drain);
    close_handles(worker);
}

static void begin_leaving(struct worker *worker)
{
    if (worker->drain_until_ms != 0)
        return;
    worker->drain_until_ms = uv_now(&worker->loop) + WORKER_DRAIN_MS;
    intake_take_all(&worker->intake); /* its sender is gone, so this is the rest */
    intake_stop(&worker->intake);
    worker_sockets_hand_over(&worker->sockets, worker->channel);
    uv_timer_start(&worker->drain, worker_on_leave_tick, 0, WORKER_DRAIN_TICK_MS);
}

/* ---- beginning ---- */

/* Before the worker's thread runs, or on it. */
static void begin_serving(struct worker *worker)
{
    worker_sockets_begin(&worker->sockets);
    intake_begin(&worker->intake);
}

static void collect_cookies(struct worker *worker)
{
    const struct cookie_secrets *secrets = cookie_mailbox_collect(&worker->cookies);

    if (secrets != NULL)
        batch_set_cookies(&worker->batch, secrets);
}

static void worker_on_wake(uv_async_t *wake)
{
    struct worker *worker = wake->data;

    bool is_last = atomic_load(&worker->is_stopping); /* first: earlier posts are seen below */
    batch_adopt(&worker->batch);
    collect_cookies(worker);
    /* Before the report, so that it comes with them. */
    bool has_flows = worker->flows == NULL || flows_answer(worker->flows);
    for (unsigned asker = 0; asker < PULSE_ASKERS; asker++) /* before the report, likewise */
        pulse_answer(&worker->pulses[asker], worker->batch.snapshot);
    if (has_flows || is_last) /* else when the control thread has returned the others */
        fill_report(worker, is_last);
    if (atomic_load(&worker->is_beginning))
        begin_serving(worker);
    if (is_last && atomic_load(&worker->is_leaving))
        begin_leaving(worker);
    else if (is_last)
        begin_draining(worker);
}

static void worker_send_late(void *context)
{
    struct worker *worker = context;

    worker_sockets_send_late(&worker->sockets);
}

static void worker_serve_clients(void *context)
{
    struct worker *worker = context;

    worker_sockets_look(&worker->sockets);
}

static void run(void *argument)
{
    struct worker *worker = argument;

    collect_cookies(worker); /* before the first request */
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

static bool start_all(struct worker *worker, const struct worker_options *options, struct err *err)
{
    const struct listener_options own = {
        .loop = &worker->loop, .batch = &worker->batch, .settings = options->settings};

    if (!forwarder_start(&worker->forwarder, &worker->loop, &worker->batch, options->settings,
                         options->standings, err))
        return false;
    worker->forwarder.owner = (struct forwarder_owner){
        .send_late = worker_send_late, .serve_clients = worker_serve_clients, .context = worker};
    if (!worker_sockets_start(&worker->sockets, &own, options, err) ||
        !intake_start(&worker->intake, &worker->loop, options->connections,
                      worker->sockets.listeners[LISTEN_TCP], err))
        return false;
    if (options->is_waiting)
        return worker_sockets_start_probe(&worker->sockets, &own, err);
    begin_serving(worker);
    return true;
}

static void release(struct worker *worker)
{
    forwarder_close(&worker->forwarder);
    worker_sockets_free(&worker->sockets);
    flows_free(worker->flows);
    free(worker);
}

static bool make_flows(struct worker *worker, const struct worker_options *options)
{
    if (options->on_flows == NULL)
        return true;
    worker->flows = flows_new(options->on_flows, options->context);
    batch_set_flows(&worker->batch, worker->flows);
    return worker->flows != NULL;
}

static struct worker *allocate(const struct worker_options *options)
{
    struct worker *worker = aligned_alloc(STATS_LINE_OCTETS, sizeof *worker);

    if (worker == NULL)
        return NULL;
    memset(worker, 0, sizeof *worker);
    cookie_mailbox_init(&worker->cookies);
    batch_watch_dead_apps(&worker->batch, options->settings->workers);
    worker->batch.mailbox = &worker->mailbox;
    worker->batch.stats = &worker->stats;
    worker->batch.log = options->log;
    worker->batch.tap = options->tap;
    worker->batch.on_adopted = worker_on_adopted;
    worker->batch.context = worker;
    limits_init(&worker->limits, options->limits, &worker->stats);
    worker->limits.on_reported = options->on_limited;
    worker->limits.context = options->context;
    if (options->limits != NULL)
        batch_set_limits(&worker->batch, &worker->limits);
    worker->on_adopted = options->on_adopted;
    worker->on_reports = options->on_reports;
    worker->context = options->context;
    worker->intake.descriptor = -1;
    worker->number = options->number;
    if (make_flows(worker, options))
        return worker;
    free(worker);
    return NULL;
}

struct worker *worker_new(const struct worker_options *options, struct err *err)
{
    struct worker *worker = allocate(options);
    if (worker == NULL) {
        err_set(err, ERR_MEMORY, "out of memory for a worker; start fewer workers");
        return NULL;
    }
    int error = uv_loop_init(&worker->loop);
    if (error != 0) {
        listener_fail(err, "event loop", error);
        release(worker);
        return NULL;
    }
    uv_async_init(&worker->loop, &worker->wake, worker_on_wake);
    worker->wake.data = worker;
    uv_timer_init(&worker->loop, &worker->drain);
    worker->drain.data = worker;
    if (!start_all(worker, options, err)) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    if (!atomic_load(&worker->is_stopping)) {
        /* It never ran: its handles are closed here, and nothing is answered. */
        close_handles(worker);
        uv_run(&worker->loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&worker->loop);
    release(worker);
}

bool worker_start(struct worker *worker, struct err *err)
{
    sigset_t all, before;

    /* Only the control thread handles signals. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = uv_thread_create(&worker->thread, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return err_set(err, ERR_SYSTEM, "cannot start a worker thread: %s; start fewer workers",
                       uv_strerror(error));
    worker->is_running = true;
    return true;
}

void worker_begin(struct worker *worker)
{
    atomic_store(&worker->is_beginning, true);
    wake_up(&worker->wake);
}

const struct endpoint *worker_probe(const struct worker *worker)
{
    return &worker->sockets.probe_endpoint;
}

void worker_walk_sockets(const struct worker *worker, worker_on_socket *on_socket, void *context)
{
    worker_sockets_walk(&worker->sockets, on_socket, context);
}

void worker_leave(struct worker *worker, int channel)
{
    worker->channel = channel;
    atomic_store(&worker->is_leaving, true);
    worker_stop(worker);
}

void worker_stop(struct worker *worker)
{
    if (!worker->is_running)
        return;
    atomic_store(&worker->is_stopping, true);
    wake_up(&worker->wake);
}

void worker_join(struct worker *worker)
{
    if (worker->is_running)
        uv_thread_join(&worker->thread);
    worker->is_running = false;
}

void worker_set_cookies(struct worker *worker, const struct cookie_secrets *secrets)
{
    cookie_mailbox_post(&worker->cookies, secrets);
    wake_up(&worker->wake);
}

void worker_post(struct worker *worker, const struct snapshot *snapshot)
{
    mailbox_post(&worker->mailbox, snapshot);
    wake_up(&worker->wake);
}

void worker_request_report(struct worker *worker, const struct report_request *request,
                           uint64_t number)
{
    if (worker->flows != NULL)
        flows_request(worker->flows);
    worker_report_request(&worker->report, request, number);
    wake_up(&worker->wake);
}

const struct worker_report *worker_last_report(const struct worker *worker)
{
    return worker_report_is_ready(&worker->report) ? &worker->report : NULL;
}

void worker_request_pulse(struct worker *worker, enum pulse_asker asker)
{
    pulse_request(&worker->pulses[asker]);
    wake_up(&worker->wake);
}

bool worker_has_pulse(const struct worker *worker, enum pulse_asker asker)
{
    return pulse_has_answered(&worker->pulses[asker]);
}

uint64_t worker_turn(const struct worker *worker)
{
    return mailbox_adopted(&worker->mailbox);
}

const struct stats *worker_stats(const struct worker *worker)
{
    return &worker->stats;
}

struct limits *worker_limits(struct worker *worker)
{
    return &worker->limits;
}

void worker_request_flows(struct worker *worker)
{
    flows_request(worker->flows);
    wake_up(&worker->wake);
}

struct flows *worker_flows(struct worker *worker)
{
    return worker->flows;
}

uint64_t worker_kernel_drops(const struct worker *worker)
{
    return worker_sockets_dropped(&worker->sockets);
}

void worker_add_frames(const struct worker *worker, struct xsk_statistics *sum)
{
    worker_sockets_add_frames(&worker->sockets, sum);
}

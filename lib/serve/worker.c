#include "serve/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "serve/forwarder.h"
#include "serve/listener.h"
#include "serve/pulse.h"
#include "serve/wake.h"

struct worker {
    struct stats stats; /* first: it needs its own cache lines */
    struct mailbox mailbox;
    struct batch batch;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t drain; /* active while the worker drains */
    uint64_t drain_until_ms;
    struct worker_report report;
    struct pulse pulse;
    void (*on_reports)(void *context);
    atomic_bool is_stopping;
    bool is_running;
    uv_thread_t thread;
    batch_on_adopted *on_adopted; /* called after worker_on_adopted */
    void *context;
    struct forwarder forwarder;
    struct listener *listeners[LISTEN_SCHEMES];
    size_t listener_count;
};

/* Closes every handle; the loop ends when the listeners' last has been closed. */
static void close_handles(struct worker *worker)
{
    forwarder_stop(&worker->forwarder); /* first: its last replies use the sockets closed below */
    for (size_t i = 0; i < worker->listener_count; i++)
        worker->listeners[i]->stop(worker->listeners[i]);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->drain, NULL);
}

static void serve_last(struct worker *worker)
{
    for (size_t i = 0; i < worker->listener_count; i++)
        worker->listeners[i]->drain(worker->listeners[i]);
}

/* Upstreams change with the snapshot: its verdicts name its own routes. */
static void worker_on_adopted(void *context)
{
    struct worker *worker = context;
    const struct snapshot *snapshot = worker->batch.snapshot;

    if (snapshot != NULL)
        forwarder_adopt(&worker->forwarder, snapshot->policy.routes.zones, snapshot->standings);
    worker->on_adopted(worker->context);
}

/* The control thread requests a report a few times a minute at most. */
static void fill_report(struct worker *worker)
{
    if (worker_report_is_ready(&worker->report))
        return;
    if (worker->batch.forward != NULL)
        forward_set_time(worker->batch.forward, uv_now(&worker->loop));
    worker_report_fill(&worker->report, worker->batch.snapshot, worker->batch.forward);
    worker->on_reports(worker->context);
}

static void worker_on_drain_tick(uv_timer_t *drain)
{
    struct worker *worker = drain->data;

    if (forwarder_has_waiters(&worker->forwarder) && uv_now(&worker->loop) < worker->drain_until_ms)
        return;
    uv_timer_stop(drain);
    serve_last(worker);
    close_handles(worker);
}

/* Requests that arrived before the stop are still forwarded. */
static void begin_draining(struct worker *worker)
{
    if (worker->drain_until_ms != 0)
        return;
    worker->drain_until_ms = uv_now(&worker->loop) + WORKER_DRAIN_MS;
    serve_last(worker);
    forwarder_drain(&worker->forwarder);
    uv_timer_start(&worker->drain, worker_on_drain_tick, 0, WORKER_DRAIN_TICK_MS);
}

static void worker_on_wake(uv_async_t *wake)
{
    struct worker *worker = wake->data;

    bool is_last = atomic_load(&worker->is_stopping); /* first: earlier posts are seen below */
    batch_adopt(&worker->batch);
    fill_report(worker);
    pulse_answer(&worker->pulse, worker->batch.snapshot);
    if (is_last)
        begin_draining(worker);
}

static void run(void *argument)
{
    struct worker *worker = argument;

    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

/* Makes the listener of a scheme, and binds the addresses that have it. */
static bool start_listener(struct worker *worker, enum listen_scheme scheme,
                           const struct settings *settings, struct err *err)
{
    const struct listener_options options = {
        .loop = &worker->loop, .batch = &worker->batch, .settings = settings};
    struct listener *listener = NULL;

    for (size_t i = 0; i < settings->listen.count; i++) {
        const struct listen_address *address = &settings->listen.items[i];
        if (!listen_address_has(address, scheme))
            continue;
        if (listener == NULL) {
            listener = listener_kinds[scheme].new(&options, err);
            if (listener == NULL)
                return false;
            worker->listeners[worker->listener_count++] = listener;
        }
        if (!listener->start(listener, &address->endpoint, err))
            return false;
    }
    return true;
}

static bool start_listeners(struct worker *worker, const struct settings *settings, struct err *err)
{
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        if (!start_listener(worker, scheme, settings, err))
            return false;
    return true;
}

static void release(struct worker *worker)
{
    forwarder_close(&worker->forwarder);
    for (size_t i = 0; i < worker->listener_count; i++)
        worker->listeners[i]->free(worker->listeners[i]);
    free(worker);
}

static struct worker *allocate(const struct worker_options *options)
{
    struct worker *worker = aligned_alloc(STATS_LINE_OCTETS, sizeof *worker);

    if (worker == NULL)
        return NULL;
    memset(worker, 0, sizeof *worker);
    worker->batch.mailbox = &worker->mailbox;
    worker->batch.stats = &worker->stats;
    worker->batch.log = options->log;
    worker->batch.on_adopted = worker_on_adopted;
    worker->batch.context = worker;
    worker->on_adopted = options->on_adopted;
    worker->on_reports = options->on_reports;
    worker->context = options->context;
    return worker;
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
    if (!forwarder_start(&worker->forwarder, &worker->loop, &worker->batch, options->settings,
                         options->standings, err) ||
        !start_listeners(worker, options->settings, err)) {
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

void worker_post(struct worker *worker, const struct snapshot *snapshot)
{
    mailbox_post(&worker->mailbox, snapshot);
    wake_up(&worker->wake);
}

void worker_request_report(struct worker *worker, const struct report_request *request,
                           uint64_t number)
{
    worker_report_request(&worker->report, request, number);
    wake_up(&worker->wake);
}

const struct worker_report *worker_last_report(const struct worker *worker)
{
    return worker_report_is_ready(&worker->report) ? &worker->report : NULL;
}

void worker_request_pulse(struct worker *worker)
{
    pulse_request(&worker->pulse);
    wake_up(&worker->wake);
}

bool worker_has_pulse(const struct worker *worker)
{
    return pulse_has_answered(&worker->pulse);
}

uint64_t worker_generation(const struct worker *worker)
{
    return mailbox_adopted(&worker->mailbox);
}

const struct stats *worker_stats(const struct worker *worker)
{
    return &worker->stats;
}

uint64_t worker_kernel_drops(const struct worker *worker)
{
    uint64_t drops = 0;

    for (size_t i = 0; i < worker->listener_count; i++)
        drops += worker->listeners[i]->dropped(worker->listeners[i]);
    return drops;
}

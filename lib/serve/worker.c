#include "serve/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "serve/cookie_mailbox.h"
#include "serve/forwarder.h"
#include "serve/listener.h"
#include "serve/pass.h"
#include "serve/pulse.h"
#include "serve/wake.h"

enum { ADOPTIONS_MOST = 64 }; /* connections taken over per wake-up */

/* One socket that the worker listens on. */
struct worker_socket {
    enum listen_scheme scheme;
    int descriptor; /* the listener's */
};

struct worker {
    struct stats stats; /* first: it needs its own cache lines */
    struct mailbox mailbox;
    struct limits limits;
    struct cookie_mailbox cookies;
    struct batch batch;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t drain; /* active while the worker drains */
    uint64_t drain_until_ms;
    struct worker_report report;
    struct pulse pulse;
    void (*on_reports)(void *context);
    atomic_bool is_stopping;
    atomic_bool is_leaving;   /* set before is_stopping */
    atomic_bool is_beginning; /* requested */
    bool is_serving;          /* on the worker's thread, once it runs */
    int channel;              /* to hand connections over; valid if is_leaving */
    bool is_running;
    uv_thread_t thread;
    batch_on_adopted *on_adopted; /* called after worker_on_adopted */
    void *context;
    struct forwarder forwarder;
    struct listener *listeners[LISTEN_SCHEMES]; /* by scheme; NULL: no such address */
    struct worker_socket *sockets;
    size_t socket_count;
    struct listener *probe; /* NULL: it never waits */
    struct endpoint probe_endpoint;
    uv_poll_t connections;      /* handed over to this worker */
    int connections_descriptor; /* -1: none */
    size_t number;
};

static void stop_probe(struct worker *worker)
{
    if (worker->probe != NULL && !worker->is_serving)
        worker->probe->stop(worker->probe);
}

static void worker_on_connections_closed(uv_handle_t *handle)
{
    struct worker *worker = handle->data;

    close(worker->connections_descriptor);
}

static void stop_taking_over(struct worker *worker)
{
    if (worker->connections_descriptor >= 0 &&
        !uv_is_closing((const uv_handle_t *)&worker->connections))
        uv_close((uv_handle_t *)&worker->connections, worker_on_connections_closed);
}

/* Closes every handle; the loop ends when the listeners' last has been closed. */
static void close_handles(struct worker *worker)
{
    forwarder_stop(&worker->forwarder); /* first: its last replies use the sockets closed below */
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        if (worker->listeners[scheme] != NULL)
            worker->listeners[scheme]->stop(worker->listeners[scheme]);
    stop_probe(worker);
    stop_taking_over(worker);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->drain, NULL);
}

static void serve_last(struct worker *worker)
{
    for (unsigned scheme = 0; worker->is_serving && scheme < LISTEN_SCHEMES; scheme++)
        if (worker->listeners[scheme] != NULL)
            worker->listeners[scheme]->drain(worker->listeners[scheme]);
}

static void request_interfaces(struct worker *worker)
{
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++) {
        struct listener *listener = worker->listeners[scheme];
        if (listener != NULL && listener->request_interfaces != NULL)
            listener->request_interfaces(listener);
    }
}

/* Upstreams change with the snapshot: its verdicts name its own routes. */
static void worker_on_adopted(void *context)
{
    struct worker *worker = context;
    const struct snapshot *snapshot = worker->batch.snapshot;

    if (snapshot != NULL)
        forwarder_adopt(&worker->forwarder, snapshot->policy.routes.zones, snapshot->standings);
    if (snapshot != NULL && snapshot->access.device_count > 0)
        request_interfaces(worker);
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
    while (!worker_report_fill(&worker->report, worker->batch.snapshot, worker->batch.forward))
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

/* ---- taking connections over ---- */

static void take_over(struct worker *worker, int descriptor)
{
    struct listener *listener = worker->listeners[LISTEN_TCP];

    if (listener != NULL)
        listener->take_over(listener, descriptor);
    else
        close(descriptor); /* the settings have no such address any more */
}

/* Takes over one connection. Returns false when there is none, for now or at all. */
static bool take_over_next(struct worker *worker)
{
    char scheme;
    int descriptor = -1;
    size_t count = 1;
    ssize_t length =
        pass_receive(worker->connections_descriptor, &scheme, sizeof scheme, &descriptor, &count);

    if (length < 0 && errno == EAGAIN)
        return false;
    if (length <= 0) {
        stop_taking_over(worker); /* the sender is gone, once it has handed over its last one */
        return false;
    }
    if (count == 1)
        take_over(worker, descriptor);
    return true;
}

static void take_over_all(struct worker *worker)
{
    while (worker->connections_descriptor >= 0 &&
           !uv_is_closing((const uv_handle_t *)&worker->connections) && take_over_next(worker))
        ;
}

static void worker_on_connections(uv_poll_t *poll, int status, int events)
{
    struct worker *worker = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ADOPTIONS_MOST && take_over_next(worker); i++)
        ;
}

/* ---- leaving ---- */

/* Returns how many connections are left. */
static size_t hand_over(struct worker *worker)
{
    size_t left = 0;

    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        if (worker->listeners[scheme] != NULL)
            left +=
                worker->listeners[scheme]->hand_over(worker->listeners[scheme], worker->channel);
    return left;
}

static void worker_on_leave_tick(uv_timer_t *drain)
{
    struct worker *worker = drain->data;
    size_t left = hand_over(worker);

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
    take_over_all(worker); /* its sender is gone, so this is the rest */
    stop_taking_over(worker);
    hand_over(worker);
    uv_timer_start(&worker->drain, worker_on_leave_tick, 0, WORKER_DRAIN_TICK_MS);
}

/* ---- beginning ---- */

/* Before the worker's thread runs, or on it. */
static void begin_serving(struct worker *worker)
{
    if (worker->is_serving)
        return;
    stop_probe(worker);
    worker->is_serving = true;
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        if (worker->listeners[scheme] != NULL)
            worker->listeners[scheme]->begin(worker->listeners[scheme]);
    if (worker->connections_descriptor >= 0)
        uv_poll_start(&worker->connections, UV_READABLE, worker_on_connections);
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
    fill_report(worker, is_last);
    pulse_answer(&worker->pulse, worker->batch.snapshot);
    if (atomic_load(&worker->is_beginning))
        begin_serving(worker);
    if (is_last && atomic_load(&worker->is_leaving))
        begin_leaving(worker);
    else if (is_last)
        begin_draining(worker);
}

static void run(void *argument)
{
    struct worker *worker = argument;

    collect_cookies(worker); /* before the first request */
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

/* Notes a socket and gives it to the listener. */
static bool add_socket(struct worker *worker, enum listen_scheme scheme,
                       const struct endpoint *endpoint, int descriptor, struct err *err)
{
    struct worker_socket *sockets =
        reallocarray(worker->sockets, worker->socket_count + 1, sizeof *sockets);

    if (sockets == NULL) {
        close(descriptor);
        return err_set(err, ERR_MEMORY, "out of memory for a worker; start fewer workers");
    }
    worker->sockets = sockets;
    if (!worker->listeners[scheme]->start(worker->listeners[scheme], endpoint, descriptor, err))
        return false;
    sockets[worker->socket_count++] =
        (struct worker_socket){.scheme = scheme, .descriptor = descriptor};
    return true;
}

/* Adds the inherited sockets of an address. Returns false with *err; *has_any tells if any was. */
static bool add_inherited(struct worker *worker, enum listen_scheme scheme,
                          const struct endpoint *endpoint, const struct worker_options *options,
                          bool *has_any, struct err *err)
{
    int descriptor;

    *has_any = false;
    while (options->inherited != NULL &&
           (descriptor = inherited_take(options->inherited, scheme, endpoint, options->number,
                                        options->settings->workers)) >= 0) {
        *has_any = true;
        listener_kinds[scheme].tune(descriptor, endpoint, options->settings);
        if (!add_socket(worker, scheme, endpoint, descriptor, err))
            return false;
    }
    return true;
}

/*
 * Listens on one address. Beside an inherited socket another user's process may not bind; then the
 * other workers serve the address alone.
 */
static bool listen_on(struct worker *worker, enum listen_scheme scheme,
                      const struct endpoint *endpoint, const struct worker_options *options,
                      struct err *err)
{
    bool has_any;

    if (!add_inherited(worker, scheme, endpoint, options, &has_any, err))
        return false;
    if (has_any)
        return true;
    int descriptor = listener_kinds[scheme].open(endpoint, options->settings, err);
    if (descriptor >= 0)
        return add_socket(worker, scheme, endpoint, descriptor, err);
    if (options->inherited == NULL || !inherited_has(options->inherited, scheme, endpoint))
        return false;
    log_sentence(LOG_WARNING, "worker_without_socket", err->text);
    return true;
}

/* Makes the listener of a scheme, and listens on the addresses that have it. */
static bool start_listener(struct worker *worker, enum listen_scheme scheme,
                           const struct worker_options *options, struct err *err)
{
    const struct settings *settings = options->settings;
    const struct listener_options own = {
        .loop = &worker->loop, .batch = &worker->batch, .settings = settings};

    for (size_t i = 0; i < settings->listen.count; i++) {
        const struct listen_address *address = &settings->listen.items[i];
        if (!listen_address_has(address, scheme))
            continue;
        if (worker->listeners[scheme] == NULL)
            worker->listeners[scheme] = listener_kinds[scheme].new(&own, err);
        if (worker->listeners[scheme] == NULL ||
            !listen_on(worker, scheme, &address->endpoint, options, err))
            return false;
    }
    return true;
}

static bool start_listeners(struct worker *worker, const struct worker_options *options,
                            struct err *err)
{
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        if (!start_listener(worker, scheme, options, err))
            return false;
    return true;
}

/* Answers on loopback, at a port that the kernel chooses. */
static bool start_probe(struct worker *worker, const struct settings *settings, struct err *err)
{
    const struct listener_options own = {
        .loop = &worker->loop, .batch = &worker->batch, .settings = settings};
    struct endpoint *endpoint = &worker->probe_endpoint;
    socklen_t octets = sizeof *endpoint;

    endpoint->v4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = listener_kinds[LISTEN_UDP].open(endpoint, settings, err);
    if (descriptor < 0)
        return false;
    getsockname(descriptor, &endpoint->any, &octets);
    worker->probe = listener_kinds[LISTEN_UDP].new(&own, err);
    if (worker->probe == NULL) {
        close(descriptor);
        return false;
    }
    if (!worker->probe->start(worker->probe, endpoint, descriptor, err))
        return false;
    worker->probe->begin(worker->probe);
    return true;
}

/* Each worker has a descriptor of its own for it: libuv watches one once. */
static bool start_taking_over(struct worker *worker, int connections, struct err *err)
{
    if (connections < 0)
        return true;
    int descriptor = fcntl(connections, F_DUPFD_CLOEXEC, 0);
    int error =
        descriptor < 0 ? UV_EMFILE : uv_poll_init(&worker->loop, &worker->connections, descriptor);
    if (error != 0) {
        if (descriptor >= 0)
            close(descriptor);
        return listener_fail(err, "connections to take over", error);
    }
    worker->connections_descriptor = descriptor;
    worker->connections.data = worker;
    return true;
}

static bool start_all(struct worker *worker, const struct worker_options *options, struct err *err)
{
    if (!forwarder_start(&worker->forwarder, &worker->loop, &worker->batch, options->settings,
                         options->standings, err) ||
        !start_listeners(worker, options, err) ||
        !start_taking_over(worker, options->connections, err))
        return false;
    if (options->is_waiting)
        return start_probe(worker, options->settings, err);
    begin_serving(worker);
    return true;
}

static void release(struct worker *worker)
{
    forwarder_close(&worker->forwarder);
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        if (worker->listeners[scheme] != NULL)
            worker->listeners[scheme]->free(worker->listeners[scheme]);
    if (worker->probe != NULL)
        worker->probe->free(worker->probe);
    free(worker->sockets);
    free(worker);
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
    worker->connections_descriptor = -1;
    worker->number = options->number;
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
    return &worker->probe_endpoint;
}

void worker_walk_sockets(const struct worker *worker, worker_on_socket *on_socket, void *context)
{
    for (size_t i = 0; i < worker->socket_count; i++)
        on_socket(context, worker->sockets[i].scheme, worker->number,
                  worker->sockets[i].descriptor);
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

struct limits *worker_limits(struct worker *worker)
{
    return &worker->limits;
}

uint64_t worker_kernel_drops(const struct worker *worker)
{
    uint64_t drops = 0;

    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        if (worker->listeners[scheme] != NULL)
            drops += worker->listeners[scheme]->dropped(worker->listeners[scheme]);
    return drops;
}

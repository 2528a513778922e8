#include "spacednsd/service.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/log.h"
#include "spacednsd/handover.h"

enum {
    NS_PER_MS = 1000000,
    US_PER_MS = 1000,
    FEEDS_IN_A_PERIOD = 4,
    STATUS_CAUSE_MOST = 300,
};

static bool is_used(const struct service *service)
{
    return notify_is_used(&service->notify);
}

void service_open(struct service *service)
{
    *service = (struct service){.extend_ms = SERVICE_EXTEND_MS};
    notify_open(&service->notify);
}

void service_close(struct service *service)
{
    notify_close(&service->notify);
}

/* ---- the start ---- */

static void extend(struct service *service)
{
    notify_extend(&service->notify, (uint64_t)SERVICE_EXTENSION_MS * US_PER_MS);
}

/* The loading keeps the control thread busy, so another one asks for patience. */
static void extend_until_loaded(void *argument)
{
    struct service *service = argument;
    unsigned left = SERVICE_LOAD_MOST_MS / SERVICE_EXTEND_MS;

    uv_mutex_lock(&service->mutex);
    while (!service->is_loaded && left > 0) {
        if (uv_cond_timedwait(&service->condition, &service->mutex,
                              (uint64_t)service->extend_ms * NS_PER_MS) != UV_ETIMEDOUT)
            continue;
        extend(service);
        left--;
    }
    uv_mutex_unlock(&service->mutex);
}

/* Without a thread the manager's own patience has to do. */
static bool start_extending(struct service *service)
{
    sigset_t all, before;

    if (uv_mutex_init(&service->mutex) != 0)
        return false;
    uv_cond_init(&service->condition);
    service->is_loaded = false;
    sigfillset(&all); /* only the control thread handles signals */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = uv_thread_create(&service->thread, extend_until_loaded, service);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        return true;
    uv_cond_destroy(&service->condition);
    uv_mutex_destroy(&service->mutex);
    return false;
}

void service_load(struct service *service, const char *zones)
{
    char status[NOTIFY_STATUS_MOST];

    if (!is_used(service))
        return;
    snprintf(status, sizeof status, "Loading the zone files of %s", zones);
    notify_status(&service->notify, status);
    service->is_loading = start_extending(service);
}

void service_loaded(struct service *service)
{
    if (!service->is_loading)
        return;
    uv_mutex_lock(&service->mutex);
    service->is_loaded = true;
    uv_cond_signal(&service->condition);
    uv_mutex_unlock(&service->mutex);
    uv_thread_join(&service->thread);
    uv_cond_destroy(&service->condition);
    uv_mutex_destroy(&service->mutex);
    service->is_loading = false;
}

/* ---- sockets ---- */

static void store_socket(void *context, enum listen_scheme scheme, size_t worker, int descriptor)
{
    struct service *service = context;
    char name[INHERITED_NAME_OCTETS];

    inherited_write_name(scheme, worker, name);
    notify_store(&service->notify, name, descriptor);
}

void service_store(struct service *service, const struct server *server)
{
    server_walk_sockets(server, store_socket, service);
}

void service_store_http(struct service *service, int descriptor)
{
    struct endpoint endpoint = {.v6 = {0}};
    socklen_t octets = sizeof endpoint;

    if (getsockname(descriptor, &endpoint.any, &octets) == 0 && endpoint.any.sa_family != AF_UNIX)
        notify_store(&service->notify, HANDOVER_HTTP, descriptor);
}

void service_unstore(struct service *service, const char *name)
{
    notify_unstore(&service->notify, name);
}

/* ---- the watchdog ---- */

static void log_silent(struct service *service, size_t worker)
{
    struct log_line line;

    if (service->is_silent)
        return;
    service->is_silent = true;
    log_start(&line, LOG_ERROR, "worker_silent");
    log_number(&line, "worker", worker + 1);
    log_string(&line, "text",
               "the worker has stopped answering; unless it goes on, the service manager's "
               "watchdog restarts the server");
    log_send(&line);
}

/* True when every worker has answered since the last request. */
static bool has_pulse(struct service *service)
{
    for (size_t i = 0; i < server_worker_count(service->server); i++)
        if (!server_has_pulse(service->server, i, PULSE_SERVICE)) {
            log_silent(service, i);
            return false;
        }
    service->is_silent = false;
    return true;
}

static void service_on_watchdog(uv_timer_t *timer)
{
    struct service *service = timer->data;

    if (!has_pulse(service))
        return;
    notify_alive(&service->notify);
    server_request_pulses(service->server, PULSE_SERVICE);
}

static void service_on_upkeep(uv_timer_t *timer)
{
    struct service *service = timer->data;

    notify_flush(&service->notify);
    if (service->is_waiting)
        extend(service);
    if (service->is_waiting || service->reload_extensions == 0)
        return;
    service->reload_extensions--;
    extend(service);
}

void service_start(struct service *service, uv_loop_t *loop, struct server *server)
{
    uint64_t period_ms = notify_watchdog_us() / US_PER_MS / FEEDS_IN_A_PERIOD;

    if (!is_used(service))
        return;
    service->server = server;
    service->has_timers = true;
    uv_timer_init(loop, &service->watchdog);
    uv_timer_init(loop, &service->upkeep);
    service->watchdog.data = service->upkeep.data = service;
    uv_timer_start(&service->upkeep, service_on_upkeep, service->extend_ms, service->extend_ms);
    if (notify_watchdog_us() == 0)
        return;
    period_ms = period_ms == 0 ? 1 : period_ms;
    server_request_pulses(server, PULSE_SERVICE);
    uv_timer_start(&service->watchdog, service_on_watchdog, period_ms, period_ms);
}

/* ---- a running server ---- */

static void format_last(const struct reload_last *last, char *out, size_t size)
{
    bool has_cause = last->cause.code != ERR_NONE;

    out[0] = '\0';
    if (last->has_been)
        snprintf(out, size, "; last reload %s%s%.*s", reload_end_text(last->end),
                 has_cause ? ": " : "", STATUS_CAUSE_MOST, has_cause ? last->cause.text : "");
}

void service_wait(struct service *service, const char *what_for)
{
    char status[NOTIFY_STATUS_MOST];

    if (!service->has_timers || service->is_waiting)
        return;
    service->is_waiting = true;
    snprintf(status, sizeof status, "Waiting for %s", what_for);
    notify_status(&service->notify, status);
    extend(service);
}

void service_ready(struct service *service, const struct reload_last *last)
{
    char status[NOTIFY_STATUS_MOST], outcome[STATUS_CAUSE_MOST + 40];

    service->reload_extensions = 0;
    service->is_waiting = false;
    if (!service->has_timers)
        return;
    const struct snapshot *current = server_current(service->server);
    size_t spaces = snapshot_count_spaces(current), apps = current->app_count;
    format_last(last, outcome, sizeof outcome);
    snprintf(status, sizeof status, "Serving generation %llu: %zu space%s, %zu app%s%s",
             (unsigned long long)current->generation, spaces, spaces == 1 ? "" : "s", apps,
             apps == 1 ? "" : "s", outcome);
    notify_ready(&service->notify, status);
}

void service_reload(struct service *service)
{
    if (!service->has_timers)
        return;
    service->reload_extensions = SERVICE_LOAD_MOST_MS / SERVICE_EXTEND_MS;
    notify_reloading(&service->notify, NULL);
}

/* Returns false when there are none. */
static bool close_timers(struct service *service)
{
    if (!service->has_timers)
        return false;
    service->has_timers = false;
    uv_close((uv_handle_t *)&service->watchdog, NULL);
    uv_close((uv_handle_t *)&service->upkeep, NULL);
    return true;
}

void service_hand_over(struct service *service, pid_t pid)
{
    if (close_timers(service))
        notify_main_pid(&service->notify, pid, NULL);
}

void service_give_up(struct service *service)
{
    close_timers(service);
}

void service_stop(struct service *service)
{
    if (!close_timers(service))
        return;
    notify_stopping(&service->notify, "Stopping: answering the queries received");
}

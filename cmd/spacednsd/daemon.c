#include "spacednsd/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "answer/policy.h"
#include "base/clock.h"
#include "base/journal.h"
#include "base/log.h"
#include "inspect/summary.h"
#include "serve/server.h"
#include "spacednsd/control.h"
#include "spacednsd/events.h"
#include "spacednsd/findings_log.h"
#include "spacednsd/inspection.h"
#include "spacednsd/reloads.h"
#include "spacednsd/service.h"
#include "spacednsd/settings_check.h"
#include "spacednsd/settings_reload.h"
#include "spacednsd/signals.h"
#include "spacednsd/zones.h"

enum { EXIT_REFUSED = 1, EXIT_UNAVAILABLE = 3 };

struct daemon {
    const struct settings *settings; /* of the start; reloads has those in force */
    uv_loop_t loop;
    struct signals signals;
    struct server *server;
    struct control_socket *control_socket; /* NULL: no control socket */
    struct status_source source;
    struct reloads reloads;
    struct inspection inspection;
    struct service service;
    bool is_ready; /* the first snapshot is being answered from */
};

static void print_sentence(const char *sentence)
{
    FILE *errors = journal_open_errors();

    fprintf(errors, "spacednsd: %s\n", sentence);
    journal_close_errors(errors);
}

/* For what a later start may find otherwise: addresses, ports, memory, limits of this host. */
static int give_up(const char *sentence)
{
    print_sentence(sentence);
    return EXIT_UNAVAILABLE;
}

/* Prints why the first loading is not served. */
static void print_refusal(const struct zones_loading *loading)
{
    FILE *errors = journal_open_errors();

    if (loading->snapshot == NULL)
        findings_print_refusal(loading, errors);
    else
        report_print_errors(loading->report, errors);
    journal_close_errors(errors);
}

static void daemon_on_adopted(void *context, uint64_t generation)
{
    struct daemon *daemon = context;
    const struct snapshot *snapshot = server_current(daemon->server);

    (void)generation;
    if (!daemon->is_ready) {
        daemon->is_ready = true;
        events_log_ready(daemon->settings, snapshot, &daemon->reloads.loading);
    } else {
        reloads_log_done(&daemon->reloads);
    }
    reloads_finish(&daemon->reloads);
}

static void daemon_on_reports(void *context)
{
    struct daemon *daemon = context;

    inspection_on_reports(&daemon->inspection);
}

/* ---- the operator's command ---- */

static void daemon_on_call(void *context, struct call *call)
{
    struct daemon *daemon = context;

    enum command_name command = call->invocation.command;

    if (command == COMMAND_RELOAD || command == COMMAND_PLAN || command == COMMAND_FORGET)
        reloads_request(&daemon->reloads, call);
    else if (command == COMMAND_STATUS || command == COMMAND_EXPLAIN)
        inspection_request(&daemon->inspection, call);
    else
        control_answer(call, &daemon->source);
}

/* Without control_socket in the settings, a socket that cannot be opened is only a warning. */
static bool open_control(struct daemon *daemon)
{
    const char *path = control_path(daemon->settings);
    struct err err;

    inspection_start(&daemon->inspection, &daemon->loop, daemon->server, &daemon->source);
    if (path == NULL)
        return true;
    daemon->source.socket = path;
    daemon->control_socket = control_socket_open(&daemon->loop, path, daemon_on_call, daemon, &err);
    if (daemon->control_socket != NULL)
        return true;
    if (daemon->settings->control_socket == NULL) {
        log_sentence(LOG_WARNING, "control_failed", err.text);
        return true;
    }
    print_sentence(err.text);
    return false;
}

static void close_control(struct daemon *daemon)
{
    reloads_stop(&daemon->reloads);
    inspection_stop(&daemon->inspection);
    control_socket_close(daemon->control_socket);
    daemon->control_socket = NULL;
}

/* ---- signals ---- */

/* With the signals closed the loop ends by itself, after a load under way. */
static void daemon_on_stop(void *context, int number)
{
    struct daemon *daemon = context;

    events_log_stopping(number);
    signals_stop(&daemon->signals);
    service_stop(&daemon->service);
    close_control(daemon);
    server_stop(daemon->server);
    events_log_counters(daemon->server);
}

static void daemon_on_signal(void *context, int number)
{
    struct daemon *daemon = context;

    if (number == SIGUSR1)
        events_log_counters(daemon->server);
    else
        reloads_request(&daemon->reloads, NULL);
}

/* ---- start ---- */

/*
 * Adds to the findings; false if the settings do not fit the zone files. A space that is missing
 * because its file has errors is no mistake in the settings.
 */
static bool check_spaces(struct zones_loading *loading, const struct settings *settings)
{
    bool is_whole = loading->outcome.last_good_count == 0;

    settings_check_spaces(settings, loading->snapshot,
                          is_whole ? FINDING_SETTING : FINDING_LOCAL_AS, loading->report);
    report_sort(loading->report);
    return report_is_clean(loading->report);
}

static int run_server(struct daemon *daemon)
{
    struct server_options options = {.settings = daemon->settings,
                                     .loop = &daemon->loop,
                                     .log_descriptor = STDOUT_FILENO,
                                     .on_adopted = daemon_on_adopted,
                                     .on_reports = daemon_on_reports,
                                     .context = daemon};
    struct err err;

    daemon->server = server_new(&options, &err);
    if (daemon->server == NULL) {
        snapshot_free(daemon->reloads.loading.snapshot);
        reloads_close(&daemon->reloads);
        return give_up(err.text);
    }
    daemon->source.server = daemon->server;
    daemon->reloads.server = daemon->server;
    daemon->reloads.is_reloading = true;
    reloads_start(&daemon->reloads);
    reloads_publish(&daemon->reloads);
    bool is_open = open_control(daemon);
    if (!is_open || !server_start(daemon->server, &err)) {
        close_control(daemon);
        reloads_close(&daemon->reloads);
        server_free(daemon->server);
        return is_open ? give_up(err.text) : EXIT_REFUSED;
    }
    service_start(&daemon->service, &daemon->loop, daemon->server);
    signals_start(&daemon->signals, &daemon->loop, daemon_on_signal, daemon_on_stop, daemon);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    reloads_close(&daemon->reloads);
    server_free(daemon->server);
    return EXIT_SUCCESS;
}

static bool prepare(struct daemon *daemon, const struct settings *settings)
{
    *daemon = (struct daemon){.settings = settings};
    daemon->source = (struct status_source){.settings = &daemon->reloads.settings,
                                            .last = &daemon->reloads.last,
                                            .last_good = &daemon->reloads.last_good,
                                            .state = &daemon->reloads.state,
                                            .storing = &daemon->reloads.storing,
                                            .started_ns = clock_monotonic_ns()};
    daemon->reloads = (struct reloads){.settings = *settings,
                                       .key = hash_key_random(),
                                       .loop = &daemon->loop,
                                       .service = &daemon->service,
                                       .state = {.folder = -1, .zones = -1}};
    reloads_prepare(&daemon->reloads, NULL);
    return policy_set(&daemon->reloads.policy, settings);
}

int daemon_run(struct settings *settings, struct report *report)
{
    struct daemon daemon;

    if (!prepare(&daemon, settings)) {
        report_free(report);
        return give_up("out of memory");
    }
    signals_prepare();
    log_open();
    log_set_level((enum log_level)settings->log_level);
    service_open(&daemon.service);
    reloads_open_state(&daemon.reloads);
    reloads_prepare(&daemon.reloads, NULL);
    zones_loading_open(&daemon.reloads.loading, report);
    service_load(&daemon.service, settings->zones);
    zones_load(&daemon.reloads.loading);
    service_loaded(&daemon.service);
    if (daemon.reloads.loading.snapshot == NULL) {
        print_refusal(&daemon.reloads.loading);
        reloads_close(&daemon.reloads);
        return EXIT_REFUSED;
    }
    if (!check_spaces(&daemon.reloads.loading, settings)) {
        print_refusal(&daemon.reloads.loading);
        snapshot_free(daemon.reloads.loading.snapshot);
        reloads_close(&daemon.reloads);
        return EXIT_REFUSED;
    }
    reloads_store_first(&daemon.reloads);
    if (settings->lacks_upstreams)
        events_log_no_upstreams();
    settings_raise_descriptor_limit(settings);
    if (uv_loop_init(&daemon.loop) != 0)
        return give_up(
            "cannot create an event loop; check the limit of file descriptors (ulimit -n)");
    int code = run_server(&daemon);
    uv_run(&daemon.loop, UV_RUN_DEFAULT); /* runs the close callbacks */
    uv_loop_close(&daemon.loop);
    service_close(&daemon.service);
    return code;
}

int daemon_check(const struct settings *settings, struct report *report)
{
    struct daemon daemon;

    if (!prepare(&daemon, settings)) {
        report_free(report);
        return give_up("out of memory");
    }
    struct zones_loading *loading = &daemon.reloads.loading;
    if (settings->state_dir != NULL && state_peek(&daemon.reloads.state, settings->state_dir))
        loading->request.stored = &daemon.reloads.state.stored;
    loading->request.is_check = true;
    zones_loading_open(loading, report);
    zones_load(loading);
    bool passed = loading->snapshot != NULL && check_spaces(loading, settings);
    report_print(loading->report, stdout);
    if (loading->err.code != ERR_NONE)
        fprintf(stdout, "spacednsd: %s\n", loading->err.text);
    summary_print(loading->zones, loading->outcome.file_count, loading->snapshot, loading->report,
                  stdout);
    snapshot_free(loading->snapshot);
    reloads_close(&daemon.reloads);
    return passed ? EXIT_SUCCESS : EXIT_REFUSED;
}

#include "spacednsd/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "answer/policy.h"
#include "base/clock.h"
#include "base/journal.h"
#include "base/log.h"
#include "inspect/summary.h"
#include "serve/server.h"
#include "spacednsd/control.h"
#include "spacednsd/cookies.h"
#include "spacednsd/events.h"
#include "spacednsd/findings_log.h"
#include "spacednsd/inspection.h"
#include "spacednsd/reloads.h"
#include "spacednsd/service.h"
#include "spacednsd/settings_check.h"
#include "spacednsd/settings_reload.h"
#include "spacednsd/signals.h"
#include "spacednsd/takeover.h"
#include "spacednsd/upgrade.h"
#include "spacednsd/zones.h"

enum { EXIT_REFUSED = 1, EXIT_UNAVAILABLE = 3 };

struct daemon {
    const struct settings *settings; /* of the start; reloads has those in force */
    uv_loop_t loop;
    struct signals signals;
    struct server *server;
    struct control_socket *control_socket; /* NULL: no control socket */
    struct control_access access;
    struct status_source source;
    struct reloads reloads;
    struct inspection inspection;
    struct cookies cookies;
    struct service service;
    struct takeover takeover;
    struct takeover_owner takeover_owner;
    struct upgrade upgrade;
    struct upgrade_owner upgrade_owner;
    uv_idle_t leaving; /* another process serves: a last turn for signals */
    unsigned leaving_turns;
    struct privileges privileges;
    struct sandbox sandbox;
    int code;      /* the program's */
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
    cookies_apply(&daemon->cookies);
    if (!daemon->is_ready && takeover_is_upgrade(&daemon->takeover)) {
        takeover_probe(&daemon->takeover);
        return;
    }
    if (!daemon->is_ready) {
        daemon->is_ready = true;
        service_store(&daemon->service, daemon->server);
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

static void begin_upgrade(struct daemon *daemon, struct call *call)
{
    const struct upgrade_offer offer = {
        .server = daemon->server,
        .control = control_socket_descriptor(daemon->control_socket),
        .state = daemon->reloads.state.folder,
    };

    upgrade_request(&daemon->upgrade, call, &offer);
}

static bool is_reload(enum command_name command)
{
    return command == COMMAND_RELOAD || command == COMMAND_PLAN || command == COMMAND_FORGET;
}

static void daemon_on_call(void *context, struct call *call)
{
    struct daemon *daemon = context;

    enum command_name command = call->invocation.command;

    if (is_reload(command) && upgrade_is_running(&daemon->upgrade))
        control_answer_upgrading(call);
    else if (is_reload(command))
        reloads_request(&daemon->reloads, call);
    else if (command == COMMAND_UPGRADE)
        begin_upgrade(daemon, call);
    else if (inspection_is_for(command))
        inspection_request(&daemon->inspection, call);
    else
        control_answer(call, &daemon->source);
}

/* Without control_socket in the settings, a socket that cannot be opened is only a warning. */
static bool open_control(struct daemon *daemon)
{
    const char *path = control_path(daemon->settings);
    const struct control_owner owner = {
        .access = &daemon->access, .on_call = daemon_on_call, .context = daemon};
    int inherited = daemon->takeover.control;
    struct err err;

    daemon->takeover.control = -1;
    if (path == NULL && inherited >= 0)
        control_socket_take_over(&daemon->loop, NULL, inherited, &owner, &err);
    if (path == NULL)
        return true;
    daemon->source.socket = path;
    if (inherited >= 0)
        daemon->control_socket =
            control_socket_take_over(&daemon->loop, path, inherited, &owner, &err);
    else
        daemon->control_socket = control_socket_open(&daemon->loop, path, &owner, &err);
    if (daemon->control_socket != NULL)
        return true;
    if (daemon->settings->control_socket == NULL || takeover_is_upgrade(&daemon->takeover)) {
        log_sentence(LOG_WARNING, "control_failed", err.text);
        return true;
    }
    print_sentence(err.text);
    return false;
}

static void close_control(struct daemon *daemon)
{
    cookies_stop(&daemon->cookies);
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

    if (daemon->upgrade.step == UPGRADE_DONE) {
        upgrade_pass_signal(&daemon->upgrade, number);
        return;
    }
    events_log_stopping(number, &daemon->signals.sender);
    upgrade_stop(&daemon->upgrade);
    takeover_close(&daemon->takeover);
    signals_stop(&daemon->signals);
    service_stop(&daemon->service);
    close_control(daemon);
    server_stop(daemon->server);
    events_log_counters(daemon->server);
}

static void daemon_on_signal(void *context, int number)
{
    struct daemon *daemon = context;

    if (daemon->upgrade.step == UPGRADE_DONE)
        upgrade_pass_signal(&daemon->upgrade, number);
    else if (number == SIGUSR1)
        events_log_counters(daemon->server);
    else
        reloads_request(&daemon->reloads, NULL);
}

/* ---- an upgrade: this server leaves ---- */

static bool daemon_hold(void *context)
{
    struct daemon *daemon = context;

    return reloads_hold(&daemon->reloads) && !takeover_is_pending(&daemon->takeover);
}

/* A reload has ended, or the server before: it hands connections over until it does. */
static void daemon_on_idle(void *context)
{
    struct daemon *daemon = context;

    if (!daemon->reloads.is_reloading && !takeover_is_pending(&daemon->takeover))
        upgrade_go_on(&daemon->upgrade);
}

static void daemon_on_upgrade_failed(void *context, bool had_state)
{
    struct daemon *daemon = context;

    service_ready(&daemon->service, &daemon->reloads.last);
    reloads_resume(&daemon->reloads, had_state);
}

/* Signals that came while the workers left have been passed on in the turn before. */
static void daemon_on_last_turn(uv_idle_t *idle)
{
    struct daemon *daemon = idle->data;

    if (daemon->leaving_turns++ == 0)
        return;
    signals_stop(&daemon->signals);
    uv_close((uv_handle_t *)idle, NULL);
}

static void daemon_on_upgraded(void *context)
{
    struct daemon *daemon = context;

    if (daemon->reloads.queue.wants_reload)
        upgrade_pass_signal(&daemon->upgrade, SIGHUP);
    service_hand_over(&daemon->service, daemon->upgrade.pid);
    control_socket_hand_over(daemon->control_socket);
    close_control(daemon);
    takeover_close(&daemon->takeover);
    server_leave(daemon->server, daemon->upgrade.connections);
    events_log_counters(daemon->server);
    uv_idle_init(&daemon->loop, &daemon->leaving);
    daemon->leaving.data = daemon;
    uv_idle_start(&daemon->leaving, daemon_on_last_turn);
}

/* ---- an upgrade: this server takes over ---- */

static void start_signals(struct daemon *daemon)
{
    signals_start(&daemon->signals, &daemon->loop, daemon_on_signal, daemon_on_stop, daemon);
}

/* The zone files may have changed while they were read: the state is stored before it is served. */
static void daemon_on_go(void *context)
{
    struct daemon *daemon = context;
    const struct snapshot *snapshot = server_current(daemon->server);

    reloads_store_first(&daemon->reloads);
    server_begin(daemon->server);
    open_control(daemon);
    takeover_serve(&daemon->takeover, snapshot->generation);
    log_open();
    start_signals(daemon);
    daemon->is_ready = true;
    service_store(&daemon->service, daemon->server);
    events_log_ready(daemon->settings, snapshot, &daemon->reloads.loading);
    reloads_finish(&daemon->reloads);
}

static void daemon_on_takeover_failed(void *context, const char *sentence)
{
    struct daemon *daemon = context;

    print_sentence(sentence);
    daemon->code = EXIT_UNAVAILABLE;
    takeover_close(&daemon->takeover);
    service_give_up(&daemon->service);
    close_control(daemon);
    server_stop(daemon->server);
}

static void daemon_on_passed_signal(void *context, int number)
{
    if (number == SIGTERM || number == SIGINT)
        daemon_on_stop(context, number);
    else
        daemon_on_signal(context, number);
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

static bool find_user(struct daemon *daemon, struct report *report)
{
    if (privileges_find(&daemon->privileges, daemon->settings, report))
        return true;
    FILE *errors = journal_open_errors();
    report_print_errors(report, errors);
    journal_close_errors(errors);
    return false;
}

/* Becomes the user of the settings, with the right to bind. Only root may raise some limits. */
static bool become_user(struct daemon *daemon, struct settings *settings)
{
    struct err err;

    settings_raise_descriptor_limit(settings);
    if (privileges_begin(&daemon->privileges, settings, &err))
        return true;
    print_sentence(err.text);
    return false;
}

/* Once everything is bound and open, and before the process has another thread. */
static bool confine(struct daemon *daemon)
{
    struct err err;

    if (!privileges_end(&daemon->privileges, &err)) {
        print_sentence(err.text);
        return false;
    }
    sandbox_enter(&daemon->sandbox, daemon->settings, control_path(daemon->settings),
                  takeover_is_upgrade(&daemon->takeover));
    events_log_privileges(&daemon->privileges, &daemon->sandbox, daemon->settings);
    return true;
}

/* Sockets that the settings no longer have are not kept for the next start either. */
static void close_unused(struct daemon *daemon)
{
    const struct inherited *inherited = &daemon->takeover.inherited;

    for (const struct inherited_socket *each = inherited_next_left(inherited, NULL); each != NULL;
         each = inherited_next_left(inherited, each))
        service_unstore(&daemon->service, each->name);
    takeover_close_unused(&daemon->takeover);
}

static int run_server(struct daemon *daemon)
{
    struct server_options options = {.settings = daemon->settings,
                                     .loop = &daemon->loop,
                                     .log_descriptor = STDOUT_FILENO,
                                     .on_adopted = daemon_on_adopted,
                                     .on_reports = daemon_on_reports,
                                     .context = daemon,
                                     .inherited = &daemon->takeover.inherited,
                                     .is_waiting = takeover_is_upgrade(&daemon->takeover),
                                     .connections = daemon->takeover.connections};
    struct err err;

    daemon->server = server_new(&options, &err);
    if (daemon->server == NULL) {
        snapshot_free(daemon->reloads.loading.snapshot);
        reloads_close(&daemon->reloads);
        return give_up(err.text);
    }
    close_unused(daemon);
    daemon->source.server = daemon->server;
    daemon->reloads.server = daemon->server;
    daemon->reloads.is_reloading = true;
    reloads_start(&daemon->reloads);
    inspection_start(&daemon->inspection, &daemon->loop, daemon->server, &daemon->source);
    cookies_start(&daemon->cookies, &daemon->loop, daemon->server);
    reloads_publish(&daemon->reloads);
    bool is_open = (options.is_waiting || open_control(daemon)) && confine(daemon);
    if (!is_open || !server_start(daemon->server, &err)) {
        close_control(daemon);
        reloads_close(&daemon->reloads);
        server_free(daemon->server);
        return is_open ? give_up(err.text) : EXIT_REFUSED;
    }
    service_start(&daemon->service, &daemon->loop, daemon->server);
    if (options.is_waiting)
        takeover_start(&daemon->takeover, &daemon->loop, daemon->server, &daemon->takeover_owner);
    else
        start_signals(daemon);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    reloads_close(&daemon->reloads);
    server_free(daemon->server);
    return daemon->code;
}

static bool prepare(struct daemon *daemon, const struct settings *settings)
{
    *daemon = (struct daemon){
        .settings = settings,
        .code = EXIT_SUCCESS,
        .takeover_owner = {.on_go = daemon_on_go,
                           .on_failed = daemon_on_takeover_failed,
                           .on_left = daemon_on_idle,
                           .on_signal = daemon_on_passed_signal,
                           .context = daemon},
        .upgrade_owner = {.hold = daemon_hold,
                          .on_failed = daemon_on_upgrade_failed,
                          .on_done = daemon_on_upgraded,
                          .context = daemon},
    };
    daemon->cookies =
        (struct cookies){.settings = &daemon->reloads.settings, .state = &daemon->reloads.state};
    daemon->source = (struct status_source){.settings = &daemon->reloads.settings,
                                            .last = &daemon->reloads.last,
                                            .last_good = &daemon->reloads.last_good,
                                            .state = &daemon->reloads.state,
                                            .storing = &daemon->reloads.storing,
                                            .privileges = &daemon->privileges,
                                            .sandbox = &daemon->sandbox,
                                            .started_ns = clock_monotonic_ns()};
    daemon->reloads = (struct reloads){.settings = *settings,
                                       .key = hash_key_random(),
                                       .loop = &daemon->loop,
                                       .service = &daemon->service,
                                       .on_idle = daemon_on_idle,
                                       .context = daemon,
                                       .state = {.folder = -1, .zones = -1}};
    reloads_prepare(&daemon->reloads, NULL);
    return policy_set(&daemon->reloads.policy, settings);
}

/* A program of root's was installed, so that only root exchanges it, whoever runs it. */
static bool is_program_own(void)
{
    struct stat status;

    return geteuid() != 0 && stat("/proc/self/exe", &status) == 0 && status.st_uid == geteuid();
}

/*
 * As the user that the server stays, before any thread exists and before the sandbox: forks the
 * launcher, then takes what another process hands over.
 */
static bool inherit(struct daemon *daemon, struct err *err)
{
    if (!takeover_read(&daemon->takeover, err))
        return false;
    privileges_close_memory(daemon->takeover.is_memory_closed);
    if (!takeover_is_upgrade(&daemon->takeover))
        log_open(); /* else once it has its own standard error */
    const struct launcher_options options = {
        .argv = daemon->settings->argv,
        .standard_error = takeover_is_upgrade(&daemon->takeover) ? daemon->takeover.standard_error
                                                                 : log_descriptor(),
        .trusts_own_user = is_program_own(),
    };
    upgrade_prepare(&daemon->upgrade, &daemon->loop, &daemon->upgrade_owner, &options);
    return !takeover_is_upgrade(&daemon->takeover) || takeover_receive(&daemon->takeover, err);
}

/*
 * A start without the state is better than none; an upgrade without it is not: the running server
 * knows names kept back, which would go upstream.
 */
static bool open_state(struct daemon *daemon, struct err *err)
{
    const struct state *state = &daemon->reloads.state;

    reloads_open_state(&daemon->reloads, daemon->takeover.state);
    daemon->takeover.state = -1;
    if (!takeover_is_upgrade(&daemon->takeover) || daemon->settings->state_dir == NULL ||
        state_is_used(state))
        return true;
    return err_set(
        err, ERR_SYSTEM,
        "not taking over, because names kept back would be forgotten; mend the state folder "
        "and upgrade again, or restart the server to go on without it: %s",
        state->problem.text);
}

int daemon_run(struct settings *settings, struct report *report)
{
    struct daemon daemon;
    struct err err;

    if (!prepare(&daemon, settings)) {
        report_free(report);
        return give_up("out of memory");
    }
    /* Early: later no database of groups may be within reach. */
    if (!control_find_access(settings, &daemon.access, &err)) {
        report_free(report);
        return give_up(err.text);
    }
    signals_prepare();
    if (!find_user(&daemon, report) || !become_user(&daemon, settings)) {
        report_free(report);
        return EXIT_REFUSED;
    }
    if (!inherit(&daemon, &err)) {
        report_free(report);
        return give_up(err.text);
    }
    log_set_level((enum log_level)settings->log_level);
    service_open(&daemon.service);
    if (!open_state(&daemon, &err)) {
        report_free(report);
        reloads_close(&daemon.reloads);
        takeover_close(&daemon.takeover);
        return give_up(err.text);
    }
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
    if (!takeover_is_upgrade(&daemon.takeover))
        reloads_store_first(&daemon.reloads);
    if (settings->lacks_upstreams)
        events_log_no_upstreams();
    if (uv_loop_init(&daemon.loop) != 0)
        return give_up(
            "cannot create an event loop; check the limit of file descriptors (ulimit -n)");
    int code = run_server(&daemon);
    uv_run(&daemon.loop, UV_RUN_DEFAULT); /* runs the close callbacks */
    uv_loop_close(&daemon.loop);
    service_close(&daemon.service);
    takeover_close(&daemon.takeover);
    upgrade_close(&daemon.upgrade);
    return code;
}

/* Zone files that could not be read have no findings to count. */
static void print_outcome(const struct zones_loading *loading)
{
    bool has_failed = loading->err.code != ERR_NONE;

    if (has_failed)
        fprintf(stdout, "spacednsd: %s\n", loading->err.text);
    if (has_failed && report_count(loading->report, FINDING_ERROR) == 0)
        fprintf(stdout, "%s: not checked\n", loading->zones);
    else
        summary_print(loading->zones, loading->outcome.file_count, loading->snapshot,
                      loading->report, stdout);
}

/*
 * Root could read everything: what the server's user may not read must be found by a check, too. A
 * host without that user is one where files are only checked.
 */
static bool check_as_user(const struct settings *settings)
{
    struct report *unknown = report_new();
    struct privileges privileges;
    struct err err;

    bool is_known = unknown != NULL && privileges_find(&privileges, settings, unknown);
    report_free(unknown);
    if (!is_known || privileges_begin(&privileges, settings, &err))
        return true;
    print_sentence(err.text);
    return false;
}

int daemon_check(const struct settings *settings, struct report *report)
{
    struct daemon daemon;

    if (!check_as_user(settings)) {
        report_free(report);
        return EXIT_REFUSED;
    }
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
    print_outcome(loading);
    snapshot_free(loading->snapshot);
    reloads_close(&daemon.reloads);
    return passed ? EXIT_SUCCESS : EXIT_REFUSED;
}

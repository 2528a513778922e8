#include "spacednsd/daemon.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/journal.h"
#include "base/log.h"
#include "config/port_range.h"
#include "spacednsd/control.h"
#include "spacednsd/daemon_replica.h"
#include "spacednsd/daemon_requests.h"
#include "spacednsd/daemon_upgrade.h"
#include "spacednsd/events.h"
#include "spacednsd/findings_log.h"
#include "spacednsd/handover.h"
#include "spacednsd/reload_first.h"
#include "spacednsd/settings_reload.h"
#include "spacednsd/zones.h"
#include "upstream/datagrams.h"

/* ---- why it ends ---- */

void daemon_print(const char *sentence)
{
    FILE *errors = journal_open_errors();

    fprintf(errors, "spacednsd: %s\n", sentence);
    journal_close_errors(errors);
}

/* For what is to be mended in the settings, or the files. */
static bool refuse(struct daemon *daemon, const char *sentence)
{
    daemon_print(sentence);
    daemon->code = EXIT_REFUSED;
    return false;
}

/* For what a later start may find otherwise: addresses, ports, memory, limits of this host. */
static bool give_up(struct daemon *daemon, const char *sentence)
{
    daemon_print(sentence);
    daemon->code = EXIT_UNAVAILABLE;
    return false;
}

static bool refuse_report(struct daemon *daemon, const struct report *report)
{
    FILE *errors = journal_open_errors();

    report_print_errors(report, errors);
    journal_close_errors(errors);
    daemon->code = EXIT_REFUSED;
    return false;
}

static bool refuse_zones(struct daemon *daemon)
{
    FILE *errors = journal_open_errors();

    findings_print_refusal(&daemon->reloads.loading, errors);
    journal_close_errors(errors);
    daemon->code = EXIT_REFUSED;
    return false;
}

/* ---- the process ---- */

/* Its end works from here on. */
static bool init(struct daemon *daemon, const struct settings *settings, struct report *report)
{
    struct reloads *reloads = &daemon->reloads;

    *daemon = (struct daemon){.settings = settings, .report = report, .code = EXIT_SUCCESS};
    daemon->cookies = (struct cookies){.settings = &reloads->settings, .state = &reloads->state};
    daemon->source = (struct status_source){.settings = &reloads->settings,
                                            .last = &reloads->last,
                                            .history = &reloads->history,
                                            .reload_log = &reloads->log,
                                            .last_good = &reloads->last_good,
                                            .state = &reloads->state,
                                            .storing = &reloads->storing,
                                            .privileges = &daemon->privileges,
                                            .sandbox = &daemon->sandbox,
                                            .upgrade = &daemon->upgrade,
                                            .usage = &daemon->usage,
                                            .minute = &daemon->top_calls.minute,
                                            .started_ns = clock_monotonic_ns()};
    daemon_upgrade_init(daemon);
    takeover_init(&daemon->takeover);
    web_init(&daemon->web);
    upgrade_init(&daemon->upgrade, &daemon->loop, &daemon->upgrade_owner);
    daemon->service.notify.descriptor = -1;
    if (!reloads_init(reloads, settings))
        return give_up(daemon, "out of memory");
    reloads->loop = &daemon->loop;
    reloads->service = &daemon->service;
    reloads->usage = &daemon->usage;
    reloads->on_idle = daemon_upgrade_on_idle;
    reloads->context = daemon;
    return true;
}

/* The ports that queries to upstreams are sent from. */
static void find_ports(struct settings *settings)
{
    uint32_t count = PORT_RANGE_ANY_COUNT;

    if (settings->upstream_ports == UPSTREAM_PORTS_SYSTEM)
        count = port_range_read(PORT_RANGE_PATH);
    if (count == 0)
        count = datagrams_estimate_ports(); /* the file is hidden */
    settings->upstream_port_count = count;
    if (port_range_is_narrow(settings) && settings->upstream_zones.count > 0)
        events_log_few_ports(settings);
}

/* Becomes the user of the settings, with the right to bind. Only root may raise some limits. */
static bool become_user(struct daemon *daemon, struct settings *settings)
{
    struct err err;

    /* Early: later no database of groups may be within reach. */
    if (!control_find_access(settings, &daemon->access, &err))
        return give_up(daemon, err.text);
    signals_prepare();
    if (!privileges_find(&daemon->privileges, settings, daemon->report))
        return refuse_report(daemon, daemon->report);
    settings_raise_descriptor_limit(settings);
    return privileges_begin(&daemon->privileges, settings, &err) || refuse(daemon, err.text);
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
static bool inherit(struct daemon *daemon)
{
    struct takeover *takeover = &daemon->takeover;
    struct err err;

    privileges_close_memory(takeover->is_memory_closed);
    if (!takeover_is_upgrade(takeover))
        log_open(); /* else once it has its own standard error */
    const struct launcher_options options = {
        .argv = daemon->settings->argv,
        .standard_error =
            takeover_is_upgrade(takeover) ? takeover->standard_error : log_descriptor(),
        .trusts_own_user = is_program_own(),
    };
    upgrade_prepare(&daemon->upgrade, &options);
    return !takeover_is_upgrade(takeover) || takeover_receive(takeover, &err) ||
           give_up(daemon, err.text);
}

/*
 * A start without the state is better than none; an upgrade without it is not: the running server
 * knows names kept back, which would go upstream.
 */
static bool open_state(struct daemon *daemon)
{
    const struct state *state = &daemon->reloads.state;
    struct err err;

    reload_first_open_state(&daemon->reloads, daemon->takeover.state);
    daemon->takeover.state = -1;
    if (!takeover_is_upgrade(&daemon->takeover) || daemon->settings->state_dir == NULL ||
        state_is_used(state))
        return true;
    err_set(&err, ERR_SYSTEM,
            "not taking over, because names kept back would be forgotten; mend the state folder "
            "and upgrade again, or restart the server to go on without it: %s",
            state->problem.text);
    return give_up(daemon, err.text);
}

/* After the state, which has what the registry said in an earlier run. */
static bool open_replica(struct daemon *daemon)
{
    struct err err;

    if (!replica_open(&daemon->replica, &daemon->reloads, &err))
        return refuse(daemon, err.text);
    if (!replica_is_used(&daemon->replica))
        return true;
    daemon->reloads.replica = daemon->source.replica = &daemon->replica;
    daemon->reloads.service = NULL; /* until it is ready: loads end before */
    return true;
}

static bool become_process(struct daemon *daemon, struct settings *settings)
{
    struct err err;

    if (!takeover_read(&daemon->takeover, &err))
        return give_up(daemon, err.text);
    if (!become_user(daemon, settings) || !inherit(daemon))
        return false;
    log_set_level((enum log_level)settings->log_level);
    service_open(&daemon->service);
    return open_state(daemon) && open_replica(daemon);
}

/* ---- the zones ---- */

static bool load(struct daemon *daemon)
{
    struct zones_loading *loading = &daemon->reloads.loading;

    reloads_prepare(&daemon->reloads, NULL);
    zones_loading_open(loading, daemon->report);
    daemon->report = NULL;
    service_load(&daemon->service,
                 replica_is_used(&daemon->replica) ? "the registry" : loading->zones);
    zones_load(loading);
    service_loaded(&daemon->service);
    if (loading->snapshot == NULL)
        return refuse_zones(daemon);
    if (!reload_first_check(&daemon->reloads))
        return refuse_report(daemon, loading->report);
    if (!takeover_is_upgrade(&daemon->takeover))
        reload_first_store(&daemon->reloads);
    if (daemon->settings->lacks_upstreams)
        events_log_no_upstreams();
    return true;
}

/* ---- the server ---- */

static void daemon_on_http_socket(void *context, int descriptor)
{
    struct daemon *daemon = context;

    service_store_http(&daemon->service, descriptor);
}

void daemon_become_ready(struct daemon *daemon)
{
    daemon->is_ready = true;
    service_store(&daemon->service, daemon->server);
    web_walk_sockets(&daemon->web, daemon_on_http_socket, daemon);
    events_log_ready(daemon->settings, server_current(daemon->server), &daemon->reloads.loading);
    daemon->reloads.service = &daemon->service;
    if (daemon->reloads.is_reloading)
        reloads_finish(&daemon->reloads);
    else
        service_ready(&daemon->service, &daemon->reloads.last);
}

static void daemon_on_adopted(void *context, uint64_t generation)
{
    struct daemon *daemon = context;

    (void)generation;
    if (!daemon->reloads.is_published)
        return; /* new states of dynos, which nobody waits for */
    cookies_apply(&daemon->cookies);
    usage_keeping_note_adopted(&daemon->usage, server_current(daemon->server));
    if (daemon->is_ready) {
        reloads_log_done(&daemon->reloads);
        reloads_finish(&daemon->reloads);
    } else if (replica_is_used(&daemon->replica)) {
        daemon_replica_go_on(daemon);
    } else if (takeover_is_upgrade(&daemon->takeover)) {
        takeover_probe(&daemon->takeover);
    } else {
        daemon_become_ready(daemon);
    }
}

static void daemon_on_reports(void *context)
{
    struct daemon *daemon = context;

    inspection_on_reports(&daemon->inspection);
}

static void daemon_on_flows(void *context, const struct flow_table *table)
{
    struct daemon *daemon = context;

    usage_keeping_add(&daemon->usage, table);
}

static void daemon_on_lines(void *context)
{
    struct daemon *daemon = context;

    log_calls_send(&daemon->log_calls);
    web_send_lines(&daemon->web);
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

/* Its sockets are bound, and its first snapshot waits for its workers. */
static bool make_server(struct daemon *daemon)
{
    struct server_options options = {
        .settings = daemon->settings,
        .loop = &daemon->loop,
        .log_descriptor = STDOUT_FILENO,
        .on_adopted = daemon_on_adopted,
        .on_reports = daemon_on_reports,
        .on_flows = daemon_on_flows,
        .on_lines = daemon_on_lines,
        .context = daemon,
        .inherited = &daemon->takeover.inherited,
        .is_waiting = takeover_is_upgrade(&daemon->takeover),
        .connections = daemon->takeover.connections,
        .freshness = replica_is_used(&daemon->replica) ? &daemon->replica.freshness : NULL};
    struct err err;

    daemon->has_loop = uv_loop_init(&daemon->loop) == 0;
    if (!daemon->has_loop)
        return give_up(daemon, "cannot create an event loop; check the limit of file descriptors "
                               "(ulimit -n)");
    if (!usage_keeping_start(&daemon->usage, &daemon->loop, &daemon->reloads.state,
                             daemon->settings->metrics_apps))
        return give_up(daemon, "out of memory");
    daemon->server = server_new(&options, &err);
    if (daemon->server == NULL)
        return give_up(daemon, err.text);
    close_unused(daemon);
    daemon->source.server = daemon->reloads.server = daemon->log_calls.server = daemon->server;
    daemon->source.xdp = server_xdp(daemon->server);
    daemon->replica.server = daemon->server;
    daemon->reloads.is_reloading = true;
    reloads_start(&daemon->reloads);
    inspection_start(&daemon->inspection, &daemon->loop, daemon->server, &daemon->source);
    top_calls_start(&daemon->top_calls, &daemon->loop, &daemon->inspection, &daemon->source);
    cookies_start(&daemon->cookies, &daemon->loop, daemon->server);
    reloads_publish(&daemon->reloads);
    if (!takeover_is_upgrade(&daemon->takeover))
        usage_keeping_read(&daemon->usage);
    return true;
}

/* Once everything is bound and open, and before the process has another thread. */
static bool confine(struct daemon *daemon)
{
    struct err err;

    if (!privileges_end(&daemon->privileges, &err))
        return refuse(daemon, err.text);
    sandbox_enter(&daemon->sandbox, daemon->settings, control_path(daemon->settings),
                  takeover_is_upgrade(&daemon->takeover));
    events_log_privileges(&daemon->privileges, &daemon->sandbox, daemon->settings);
    return true;
}

/* Before the sandbox, which lets nobody listen anew; what the server before handed over and the
 * settings no longer have is closed. */
static bool open_web(struct daemon *daemon)
{
    struct takeover *takeover = &daemon->takeover;
    const struct web_options options = {.loop = &daemon->loop,
                                        .settings = daemon->settings,
                                        .server = daemon->server,
                                        .source = &daemon->source,
                                        .inspection = &daemon->inspection,
                                        .is_ready = &daemon->is_ready,
                                        .inherited = takeover->http,
                                        .inherited_count = takeover->http_count};
    struct err err;
    bool is_open = web_open(&daemon->web, &options, &err);

    if (takeover->http_count > 0)
        service_unstore(&daemon->service, HANDOVER_HTTP); /* those in use are stored again */
    takeover_close_http(takeover);
    return is_open || give_up(daemon, err.text);
}

/* One that takes over is not to be called yet. */
static bool open_requests(struct daemon *daemon)
{
    struct err err;

    return takeover_is_upgrade(&daemon->takeover) || daemon_requests_open(daemon, &err) ||
           refuse(daemon, err.text);
}

static bool serve(struct daemon *daemon)
{
    struct err err;

    if (!open_web(daemon) || !open_requests(daemon) || !confine(daemon))
        return false;
    if (!server_start(daemon->server, &err))
        return give_up(daemon, err.text);
    service_start(&daemon->service, &daemon->loop, daemon->server);
    replica_start(&daemon->replica, &daemon->loop, daemon->server);
    if (!takeover_is_upgrade(&daemon->takeover))
        replica_begin_writing(&daemon->replica);
    upgrade_watch(&daemon->upgrade);
    if (takeover_is_upgrade(&daemon->takeover))
        takeover_start(&daemon->takeover, &daemon->loop, daemon->server, &daemon->takeover_owner);
    else
        daemon_requests_watch_signals(daemon);
    if (!takeover_is_upgrade(&daemon->takeover))
        web_start(&daemon->web);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    return true;
}

/* ---- the end, from wherever it is reached ---- */

static void free_all(struct daemon *daemon)
{
    if (daemon->server == NULL)
        snapshot_free(daemon->reloads.loading.snapshot);
    daemon_requests_close(daemon);
    takeover_close(&daemon->takeover);
    replica_close(&daemon->replica); /* as the next line */
    usage_keeping_stop(&daemon->usage);
    usage_keeping_close(&daemon->usage); /* the state folder is still open */
    reloads_close(&daemon->reloads);
    server_free(daemon->server);
    if (daemon->has_loop) {
        uv_run(&daemon->loop, UV_RUN_DEFAULT); /* runs the close callbacks */
        uv_loop_close(&daemon->loop);
    }
    service_close(&daemon->service);
    upgrade_close(&daemon->upgrade); /* last: who has taken over sees the end of this process */
    report_free(daemon->report);
}

int daemon_run(struct settings *settings, struct report *report)
{
    struct daemon daemon;

    find_ports(settings); /* before others copy the settings */
    bool serves = init(&daemon, settings, report) && become_process(&daemon, settings) &&
                  load(&daemon) && make_server(&daemon) && serve(&daemon);
    assert(serves || daemon.code != EXIT_SUCCESS);
    free_all(&daemon);
    return daemon.code;
}

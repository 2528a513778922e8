#include "spacednsd/daemon_upgrade.h"

#include <signal.h>

#include "base/log.h"
#include "spacednsd/daemon_requests.h"
#include "spacednsd/events.h"
#include "spacednsd/reload_first.h"

/* ---- this server leaves ---- */

void daemon_upgrade_request(struct daemon *daemon, struct call *call)
{
    const struct upgrade_offer offer = {
        .server = daemon->server,
        .control = control_socket_descriptor(daemon->control_socket),
        .web = &daemon->web,
        .state = daemon->reloads.state.folder,
    };

    upgrade_request(&daemon->upgrade, call, &offer);
}

static bool daemon_hold(void *context)
{
    struct daemon *daemon = context;
    bool is_idle = reloads_hold(&daemon->reloads);
    bool is_written = replica_end_writing(&daemon->replica);

    return is_idle && is_written && !takeover_is_pending(&daemon->takeover);
}

/* A server before hands connections over until it ends. */
void daemon_upgrade_on_idle(void *context)
{
    struct daemon *daemon = context;

    if (!daemon->reloads.is_reloading && !replica_is_writing(&daemon->replica) &&
        !takeover_is_pending(&daemon->takeover))
        upgrade_go_on(&daemon->upgrade);
}

static void daemon_on_upgrade_failed(void *context, bool had_state)
{
    struct daemon *daemon = context;

    service_ready(&daemon->service, &daemon->reloads.last);
    reloads_resume(&daemon->reloads, had_state);
    replica_begin_writing(&daemon->replica);
}

/* What it knew of who uses what is in the state folder now. */
static void daemon_on_left(void *context)
{
    struct daemon *daemon = context;

    usage_keeping_read(&daemon->usage);
    daemon_upgrade_on_idle(daemon);
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
    log_calls_stop(&daemon->log_calls,
                   "an upgrade has replaced the server; run the command again to follow the log of "
                   "the new one");
    top_calls_end_streams(&daemon->top_calls,
                          "an upgrade has replaced the server; run the command again to watch the "
                          "new one");
    control_socket_hand_over(daemon->control_socket);
    web_hand_over(&daemon->web);
    daemon_requests_close(daemon);
    takeover_close(&daemon->takeover);
    server_leave(daemon->server, daemon->upgrade.connections);
    events_log_counters(daemon->server);
    uv_idle_init(&daemon->loop, &daemon->leaving);
    daemon->leaving.data = daemon;
    uv_idle_start(&daemon->leaving, daemon_on_last_turn);
}

/* ---- this server takes over ---- */

/* The zone files may have changed while they were read: the state is stored before it is served. */
static void daemon_on_go(void *context)
{
    struct daemon *daemon = context;
    struct err err;

    if (replica_is_used(&daemon->replica))
        reload_first_close(&daemon->reloads); /* its texts are from the state itself */
    else
        reload_first_store(&daemon->reloads);
    server_begin(daemon->server);
    daemon_requests_open(daemon, &err); /* after an upgrade never false */
    takeover_serve(&daemon->takeover, server_current(daemon->server)->generation);
    log_open();
    daemon_requests_watch_signals(daemon);
    web_start(&daemon->web);
    daemon_become_ready(daemon);
    replica_begin_writing(&daemon->replica);
    if (!takeover_is_pending(&daemon->takeover))
        usage_keeping_read(&daemon->usage);
}

void daemon_upgrade_fail(struct daemon *daemon, const char *sentence)
{
    daemon_print(sentence);
    daemon->code = EXIT_UNAVAILABLE;
    upgrade_stop(&daemon->upgrade);
    takeover_close(&daemon->takeover);
    service_give_up(&daemon->service);
    daemon_requests_close(daemon);
    server_stop(daemon->server);
}

static void daemon_on_takeover_failed(void *context, const char *sentence)
{
    daemon_upgrade_fail(context, sentence);
}

void daemon_upgrade_init(struct daemon *daemon)
{
    daemon->takeover_owner = (struct takeover_owner){.on_go = daemon_on_go,
                                                     .on_failed = daemon_on_takeover_failed,
                                                     .on_left = daemon_on_left,
                                                     .on_signal = daemon_requests_take_signal,
                                                     .context = daemon};
    daemon->upgrade_owner = (struct upgrade_owner){.hold = daemon_hold,
                                                   .on_failed = daemon_on_upgrade_failed,
                                                   .on_done = daemon_on_upgraded,
                                                   .context = daemon};
}

#include "spacednsd/daemon_requests.h"

#include <signal.h>
#include <stdlib.h>

#include "base/log.h"
#include "spacednsd/control.h"
#include "spacednsd/daemon_upgrade.h"
#include "spacednsd/events.h"

/* ---- calls ---- */

static bool is_reload(enum command_name command)
{
    return command == COMMAND_RELOAD || command == COMMAND_PLAN || command == COMMAND_FORGET;
}

/* A call that waits for what the workers have counted. */
struct traffic_visit {
    struct inspection_visit visit; /* first, so that a visit's address is its own */
    struct daemon *daemon;
    struct call *call;
};

static size_t count_silent(const struct server *server)
{
    size_t count = 0;

    for (size_t i = 0; i < server_worker_count(server); i++)
        count += server_worker_report(server, i) == NULL;
    return count;
}

static void traffic_on_reports(struct inspection_visit *visit)
{
    struct traffic_visit *traffic = (struct traffic_visit *)visit;
    struct daemon *daemon = traffic->daemon;
    struct call *call = traffic->call;

    free(traffic);
    call->next = NULL;
    if (daemon->reloads.is_stopping) {
        control_answer_stopping(call);
    } else if (upgrade_is_running(&daemon->upgrade)) {
        control_answer_upgrading(call);
    } else {
        daemon->reloads.silent_workers = count_silent(daemon->server);
        reloads_request(&daemon->reloads, call);
    }
}

/* So that no question lacks that a client has its reply to. */
static void request_with_traffic(struct daemon *daemon, struct call *call)
{
    struct traffic_visit *traffic = malloc(sizeof *traffic);

    if (traffic == NULL) {
        control_answer_problem(call, &(struct err){.text = "out of memory; try again"});
        return;
    }
    *traffic = (struct traffic_visit){
        .visit.on_reports = traffic_on_reports, .daemon = daemon, .call = call};
    inspection_add_visit(&daemon->inspection, &traffic->visit);
}

static void daemon_on_call(void *context, struct call *call)
{
    struct daemon *daemon = context;
    enum command_name command = call->invocation.command;

    if (is_reload(command) && upgrade_is_running(&daemon->upgrade))
        control_answer_upgrading(call);
    else if (is_reload(command) && invocation_has(&call->invocation, OPTION_TRAFFIC))
        request_with_traffic(daemon, call);
    else if (is_reload(command))
        reloads_request(&daemon->reloads, call);
    else if (command == COMMAND_UPGRADE)
        daemon_upgrade_request(daemon, call);
    else if (command == COMMAND_LOGS)
        log_calls_answer(&daemon->log_calls, call);
    else if (command == COMMAND_TOP && !invocation_has(&call->invocation, OPTION_ONCE))
        top_calls_begin_stream(&daemon->top_calls, call);
    else if (inspection_is_for(command))
        inspection_request(&daemon->inspection, call);
    else
        control_answer(call, &daemon->source);
}

/* Without a path, an inherited socket is only closed. */
static bool open_socket(struct daemon *daemon, const char *path, struct err *err)
{
    const struct control_owner owner = {
        .access = &daemon->access, .on_call = daemon_on_call, .context = daemon};
    int inherited = daemon->takeover.control;

    daemon->takeover.control = -1;
    if (inherited >= 0)
        daemon->control_socket =
            control_socket_take_over(&daemon->loop, path, inherited, &owner, err);
    else if (path != NULL)
        daemon->control_socket = control_socket_open(&daemon->loop, path, &owner, err);
    return path == NULL || daemon->control_socket != NULL;
}

bool daemon_requests_open(struct daemon *daemon, struct err *err)
{
    daemon->source.socket = control_path(daemon->settings);
    if (open_socket(daemon, daemon->source.socket, err))
        return true;
    if (daemon->settings->control_socket != NULL && !takeover_is_upgrade(&daemon->takeover))
        return false;
    log_sentence(LOG_WARNING, "control_failed", err->text);
    return true;
}

void daemon_requests_close(struct daemon *daemon)
{
    cookies_stop(&daemon->cookies);
    replica_stop(&daemon->replica);
    reloads_stop(&daemon->reloads);
    top_calls_end_streams(&daemon->top_calls,
                          "the server is stopping; start it again, then run the command again");
    inspection_stop(&daemon->inspection);
    top_calls_stop(&daemon->top_calls);
    log_calls_stop(&daemon->log_calls,
                   "the server is stopping; start it again, then follow its log again");
    web_close(&daemon->web);
    control_socket_close(daemon->control_socket);
    daemon->control_socket = NULL;
}

/* ---- signals ---- */

/* With the signals closed the loop ends by itself, after a load under way. */
static void stop(struct daemon *daemon, int number)
{
    events_log_stopping(number, &daemon->signals.sender);
    upgrade_stop(&daemon->upgrade);
    takeover_close(&daemon->takeover);
    signals_stop(&daemon->signals);
    service_stop(&daemon->service);
    daemon_requests_close(daemon);
    server_stop(daemon->server);
    events_log_counters(daemon->server);
}

void daemon_requests_take_signal(void *context, int number)
{
    struct daemon *daemon = context;

    if (daemon->upgrade.step == UPGRADE_DONE)
        upgrade_pass_signal(&daemon->upgrade, number);
    else if (number == SIGTERM || number == SIGINT)
        stop(daemon, number);
    else if (number == SIGUSR1)
        events_log_counters(daemon->server);
    else
        reloads_request_by_signal(&daemon->reloads, &daemon->signals.sender);
}

void daemon_requests_watch_signals(struct daemon *daemon)
{
    signals_start(&daemon->signals, &daemon->loop, daemon_requests_take_signal,
                  daemon_requests_take_signal, daemon);
}

#include "spacednsd/control.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/settings_change.h"
#include "control/explain_call.h"
#include "inspect/diff_print.h"
#include "inspect/findings_json.h"
#include "inspect/print.h"
#include "spacednsd/cache_call.h"
#include "spacednsd/settings_check.h"
#include "spacednsd/settings_reload.h"
#include "spacednsd/status.h"
#include "spacednsd/top_calls.h"
#include "spacednsd/traffic_print.h"
#include "spacednsd/usage_call.h"
#include "spacednsd/usage_dyno.h"
#include "spacednsd/workers.h"

enum { CODE_DONE = 0, CODE_REFUSED = 1, CODE_USAGE = 2 };

const char *control_path(const struct settings *settings)
{
    static const char usual[] = CONTROL_SOCKET_DEFAULT;
    char folder[sizeof usual];

    if (settings->control_socket != NULL)
        return settings->control_socket;
    memcpy(folder, usual, sizeof usual);
    *strrchr(folder, '/') = '\0';
    return access(folder, F_OK) == 0 ? usual : NULL;
}

static bool find_group(const char *name, struct control_group *group, struct err *err)
{
    group->name = name;
    return name == NULL || settings_find_group(name, &group->gid, err);
}

bool control_find_access(const struct settings *settings, struct control_access *access,
                         struct err *err)
{
    return find_group(settings->control_group, &access->all, err) &&
           find_group(settings->control_read_group, &access->read, err);
}

static bool wants_json(const struct call *call)
{
    return invocation_has(&call->invocation, OPTION_JSON);
}

static void fail(struct call *call, int code, const char *sentence)
{
    fprintf(call->err, "Error: %s\n", sentence);
    call_finish(call, code);
}

/* ---- explain, whoami ---- */

static void answer_explain(struct call *call, const struct status_source *source)
{
    struct explain_question words = explain_call_question(&call->invocation);
    struct explain_request request;
    struct err err;

    if (!explain_request_read(&words, &request, &err)) {
        fail(call, CODE_USAGE, err.text);
        return;
    }
    workers_explain(source, &request, wants_json(call), call->out);
    call_finish(call, CODE_DONE);
}

/* The source address that this host uses to reach the server's first address; sends nothing. */
static bool find_own_address(const struct settings *settings, struct explain_source *client)
{
    struct sockaddr_in own = {0},
                       to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct endpoint *first = &settings->listen.items[0].endpoint;
    socklen_t size = sizeof own;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return false;
    if (first->any.sa_family == AF_INET && first->v4.sin_addr.s_addr != htonl(INADDR_ANY))
        to = first->v4;
    to.sin_port = htons(DNS_PORT);
    bool found = connect(descriptor, (const struct sockaddr *)&to, sizeof to) == 0 &&
                 getsockname(descriptor, (struct sockaddr *)&own, &size) == 0;
    close(descriptor);
    if (found)
        client->path = (struct path){.source = ntohl(own.sin_addr.s_addr),
                                     .destination = ntohl(to.sin_addr.s_addr)};
    return found;
}

static void answer_whoami(struct call *call, const struct status_source *source)
{
    const struct explain_client words = explain_call_client(&call->invocation);
    struct explain_source client = {0};
    struct err err;

    if (words.from == NULL && !find_own_address(source->settings, &client)) {
        fail(call, CODE_REFUSED, "this host has no route to the server's address; add --from ADDR");
        return;
    }
    if (!explain_read_client(&words, &client, &err)) {
        fail(call, CODE_USAGE, err.text);
        return;
    }
    explain_print_client(server_current(source->server), &client, wants_json(call), call->out);
    call_finish(call, CODE_DONE);
}

static void answer_status(struct call *call, const struct status_source *source)
{
    if (status_print(source, wants_json(call), call->out))
        call_finish(call, CODE_DONE);
    else
        fail(call, CODE_REFUSED, "out of memory");
}

static void answer_kept_back(struct call *call, const struct status_source *source)
{
    kept_answer_list(call, server_current(source->server), source->state, wants_json(call));
}

typedef void answer_command(struct call *call, const struct status_source *source);

void control_answer(struct call *call, const struct status_source *source)
{
    /* The commands that the server runs and that need no reload. */
    static answer_command *const answers[COMMAND_COUNT] = {
        [COMMAND_STATUS] = answer_status,           [COMMAND_KEPT_BACK] = answer_kept_back,
        [COMMAND_EXPLAIN] = answer_explain,         [COMMAND_WHOAMI] = answer_whoami,
        [COMMAND_CACHE] = cache_call_answer_list,   [COMMAND_CACHE_FLUSH] = cache_call_answer_flush,
        [COMMAND_WHO_USES] = usage_call_answer_who, [COMMAND_LAST_ASKED] = usage_call_answer_last,
        [COMMAND_WASTE] = usage_call_answer_waste,  [COMMAND_SAFE_TO_STOP] = usage_dyno_answer,
        [COMMAND_TOP] = top_calls_answer_once,
    };
    answer_command *answer = answers[call->invocation.command];

    if (answer != NULL)
        answer(call, source);
    else
        fail(call, CODE_USAGE, "the server does not run this command; run it with spacedns alone");
}

/* ---- reloads ---- */

/* The keys of the settings that changed. */
static json_t *json_changed(const struct settings_reload *reloaded)
{
    json_t *keys = json_array();

    for (size_t i = 0; reloaded != NULL && i < reloaded->changed.count; i++)
        json_array_append_new(keys, json_string(reloaded->changed.items[i]));
    return keys;
}

static bool has_failed(const struct reload_result *result)
{
    return result->end == RELOAD_REFUSED || result->end == RELOAD_GUARDED;
}

static void answer_json(struct call *call, const struct reload_result *result)
{
    const struct zones_loading *loading = result->loading;
    const struct snapshot *current = result->current;
    bool has_error = has_failed(result) && loading->err.code != ERR_NONE;
    print_json(json_pack("{s:s, s:I, s:i, s:i, s:i, s:i, s:i, s:o, s:s?, s:o}", "reload",
                         reload_end_text(result->end), "generation",
                         (json_int_t)current->generation, "files", (int)loading->outcome.file_count,
                         "read", (int)loading->outcome.read_count, "spaces",
                         (int)snapshot_count_spaces(current), "apps", (int)current->app_count, "ms",
                         (int)result->ms, "settings", json_changed(loading->reloaded), "error",
                         has_error ? loading->err.text : NULL, "findings",
                         findings_to_json(loading->report)),
               call->out);
}

static const char *refusal_of(const struct call *call)
{
    bool is_dry = call->invocation.command == COMMAND_PLAN ||
                  invocation_has(&call->invocation, OPTION_DRY_RUN);

    return is_dry ? "Q50 reload would be refused" : "Q50 reload refused";
}

/* How many errors a refused reload has, and in which files. */
static void print_errors(struct call *call, const struct zones_loading *loading, size_t errors,
                         unsigned long long generation)
{
    bool are_settings = loading->reloaded == NULL;

    fprintf(call->err,
            "Error: %s: %zu error%s in the %s%s; generation %llu is still served; "
            "fix them, then try again\n",
            refusal_of(call), errors, errors == 1 ? "" : "s",
            are_settings ? "settings" : "zone files of ", are_settings ? "" : loading->zones,
            generation);
}

static void print_line(void *context, const char *line)
{
    fprintf(context, "%s\n", line);
}

static void answer_refused(struct call *call, const struct reload_result *result)
{
    const struct zones_loading *loading = result->loading;
    unsigned long long generation = result->current->generation;
    size_t errors = 0;

    if (loading->report != NULL && result->end == RELOAD_REFUSED) {
        report_print(loading->report, call->out);
        errors = report_count(loading->report, FINDING_ERROR);
    }
    if (errors > 0) {
        print_errors(call, loading, errors, generation);
        return;
    }
    if (result->end == RELOAD_GUARDED)
        diff_print_refusal(result->diff, print_line, call->out);
    fprintf(call->err, "Error: %s: %s; generation %llu is still served%s\n", refusal_of(call),
            loading->err.text, generation,
            result->end == RELOAD_GUARDED ? "; put it back, or use --force if it is meant to go"
                                          : "");
}

static bool is_about_settings(enum finding_code code)
{
    return code == FINDING_RESTART || code == FINDING_RESOLV_CONF || code == FINDING_LOCAL_AS ||
           code == FINDING_LISTEN_SPACE || code == FINDING_TLS_NAME ||
           code == FINDING_REGISTRY_LOGIN;
}

/* Warnings of settings are always printed: a reload is for the settings as well. */
static void print_settings_warnings(struct call *call, const struct report *report)
{
    const struct finding *findings = report_findings(report);

    for (size_t i = 0; i < report_total(report); i++)
        if (is_about_settings(findings[i].code))
            finding_print(&findings[i], call->out);
}

static void answer_text(struct call *call, const struct reload_result *result)
{
    const struct load_outcome *outcome = &result->loading->outcome;
    const struct snapshot *current = result->current;
    char changed[SETTINGS_CHANGES_OCTETS];

    if (has_failed(result)) {
        answer_refused(call, result);
        return;
    }
    settings_format_changes(&result->loading->reloaded->changed, changed);
    print_settings_warnings(call, result->loading->report);
    fprintf(call->out,
            "Reloading zones... %s, generation=%llu files=%zu read=%zu spaces=%zu apps=%zu "
            "ms=%llu%s%s\n",
            result->end == RELOAD_DONE ? "done" : "unchanged",
            (unsigned long long)current->generation, outcome->file_count, outcome->read_count,
            snapshot_count_spaces(current), current->app_count, (unsigned long long)result->ms,
            changed[0] == '\0' ? "" : " settings=", changed);
}

/* Prints the diff; what the guard would refuse is an error. Returns the exit code. */
static int answer_tried(struct call *call, const struct reload_result *result)
{
    struct err err;

    if (wants_json(call)) {
        json_t *json = diff_json(result->diff);
        if (result->replay != NULL)
            json_object_set_new(json, "traffic",
                                traffic_json(result->replay, result->silent_workers));
        print_json(json, call->out);
    } else {
        diff_print(result->diff, print_line, call->out);
        if (result->replay != NULL)
            traffic_print(result->replay, result->silent_workers, call->out);
    }
    if (invocation_has(&call->invocation, OPTION_FORCE) || diff_guard(result->diff, &err))
        return CODE_DONE;
    fprintf(call->err, "Error: %s; put it back, or use --force if it is meant to go\n", err.text);
    return CODE_REFUSED;
}

static int answer_forget(struct call *call, const struct reload_result *result)
{
    if (result->end != RELOAD_REFUSED)
        return kept_answer_forget(call, result->names, result->current->generation,
                                  wants_json(call));
    fprintf(call->err, "Error: %s; nothing was let go\n", result->loading->err.text);
    return CODE_REFUSED;
}

static int answer_one(struct call *call, const struct reload_result *result)
{
    if (call->invocation.command == COMMAND_FORGET)
        return answer_forget(call, result);
    if (result->end == RELOAD_TRIED)
        return answer_tried(call, result);
    if (wants_json(call))
        answer_json(call, result);
    else
        answer_text(call, result);
    return has_failed(result) ? CODE_REFUSED : CODE_DONE;
}

void control_answer_reload(struct call *calls, const struct reload_result *result)
{
    while (calls != NULL) {
        struct call *next = calls->next;
        call_finish(calls, answer_one(calls, result));
        calls = next;
    }
}

void control_answer_problem(struct call *call, const struct err *err)
{
    fail(call, CODE_USAGE, err->text);
}

void control_answer_upgrading(struct call *call)
{
    fail(call, CODE_REFUSED, "an upgrade is running; run the command again once it has ended");
}

void control_answer_stopping(struct call *calls)
{
    while (calls != NULL) {
        struct call *next = calls->next;
        fail(calls, CODE_REFUSED, "the server is stopping; start it again to load its zones");
        calls = next;
    }
}

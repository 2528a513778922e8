#include "spacednsd/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "inspect/print.h"
#include "spacednsd/handover.h"

enum {
    CODE_DONE = 0,
    CODE_REFUSED = 1,
    CODE_USAGE = 2,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
    ENDING_MS = 5000, /* a process that is killed, or has closed its channel */
    LINES_LOGGED_MOST = 100,
    READ_OCTETS = 4096,
    NAMES_PER_MESSAGE = PASS_DESCRIPTORS_MOST,
    INIT_PROCESS = 1,
};

void upgrade_prepare(struct upgrade *upgrade, uv_loop_t *loop, const struct upgrade_owner *owner,
                     const struct launcher_options *options)
{
    ssize_t length = readlink("/proc/self/exe", upgrade->program, sizeof upgrade->program - 1);
    struct err err;

    upgrade->program[length < 0 ? 0 : length] = '\0';
    upgrade->loop = loop;
    upgrade->owner = owner;
    upgrade->channel = upgrade->error = upgrade->connections = -1;
    if (!launcher_start(&upgrade->launcher, options, &err))
        log_sentence(LOG_WARNING, "launcher_failed", err.text);
}

bool upgrade_is_running(const struct upgrade *upgrade)
{
    return upgrade->step != UPGRADE_IDLE && upgrade->step != UPGRADE_DONE;
}

static uint64_t elapsed_ms(const struct upgrade *upgrade)
{
    return (clock_monotonic_ns() - upgrade->started_ns) / NS_PER_MS;
}

/* ---- the end ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct upgrade *upgrade = handle->data;

    upgrade->open_handles--;
}

static void close_handles(struct upgrade *upgrade)
{
    uv_handle_t *const handles[UPGRADE_HANDLES] = {
        (uv_handle_t *)&upgrade->timer, (uv_handle_t *)&upgrade->launcher_poll,
        (uv_handle_t *)&upgrade->channel_poll, (uv_handle_t *)&upgrade->error_poll};

    for (size_t i = 0; i < UPGRADE_HANDLES && upgrade->open_handles > 0; i++)
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], on_handle_closed);
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static void close_descriptors(struct upgrade *upgrade)
{
    close_descriptor(&upgrade->channel);
    close_descriptor(&upgrade->error);
    close_descriptor(&upgrade->connections);
}

static void answer(struct upgrade *upgrade, int code)
{
    if (upgrade->call != NULL)
        call_finish(upgrade->call, code);
    upgrade->call = NULL;
}

static void print_failure(const struct upgrade *upgrade, FILE *to)
{
    fprintf(to, "Error: upgrade failed: %s%s%s; this server goes on, pid=%d version=%s\n",
            upgrade->problem.text, upgrade->last_line[0] == '\0' ? "" : ": ", upgrade->last_line,
            (int)getpid(), SPACEDNS_VERSION);
}

static void log_failure(const struct upgrade *upgrade)
{
    struct log_line line;

    log_start(&line, LOG_ERROR, "upgrade_failed");
    log_string(&line, "program", upgrade->path);
    log_string(&line, "text", upgrade->problem.text);
    if (upgrade->last_line[0] != '\0')
        log_string(&line, "last_line", upgrade->last_line);
    audit_log(&upgrade->audit, &line);
    log_send(&line);
}

/* The other's process has ended, or never began. */
static void finish_failed(struct upgrade *upgrade, bool had_state)
{
    log_failure(upgrade);
    if (upgrade->call != NULL)
        print_failure(upgrade, upgrade->call->err);
    answer(upgrade, CODE_REFUSED);
    close_handles(upgrade);
    close_descriptors(upgrade);
    upgrade->step = UPGRADE_IDLE;
    upgrade->owner->on_failed(upgrade->owner->context, had_state);
}

/* ---- standard error of the other ---- */

/* True for an event of the log that is no error: not why a start failed. */
static bool is_harmless(const char *line)
{
    size_t time = strcspn(line, " ");

    return strncmp(line + time, " info ", 6) == 0 || strncmp(line + time, " warning ", 9) == 0;
}

static void end_line(struct upgrade *upgrade)
{
    upgrade->line[upgrade->line_length] = '\0';
    upgrade->line_length = 0;
    if (upgrade->line[0] == '\0')
        return;
    if (!is_harmless(upgrade->line))
        memcpy(upgrade->last_line, upgrade->line, sizeof upgrade->line);
    if (upgrade->lines_logged++ < LINES_LOGGED_MOST)
        log_sentence(LOG_INFO, "upgrade_output", upgrade->line);
}

static void take_octets(struct upgrade *upgrade, const char *octets, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (octets[i] == '\n')
            end_line(upgrade);
        else if (upgrade->line_length < sizeof upgrade->line - 1)
            upgrade->line[upgrade->line_length++] = octets[i];
    }
}

static void read_error(struct upgrade *upgrade)
{
    char octets[READ_OCTETS];
    ssize_t length;

    while ((length = read(upgrade->error, octets, sizeof octets)) > 0)
        take_octets(upgrade, octets, (size_t)length);
    if (length == 0)
        uv_poll_stop(&upgrade->error_poll);
}

static void upgrade_on_error_output(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    read_error(poll->data);
}

/* ---- failing ---- */

/* Without a launcher the other cannot be ended, and would go on as if this server had ended. */
static void leave_other(struct upgrade *upgrade, bool had_state)
{
    handover_send(upgrade->channel, HANDOVER_STAY, NULL);
    finish_failed(upgrade, had_state);
}

/* Ends the other's process; its end finishes the upgrade. */
static void end_other(struct upgrade *upgrade, bool had_state)
{
    if (upgrade->launcher.descriptor < 0) {
        leave_other(upgrade, had_state);
        return;
    }
    upgrade->step = had_state ? UPGRADE_GOING : UPGRADE_ENDING;
    launcher_end(&upgrade->launcher);
    uv_poll_stop(&upgrade->channel_poll);
    uv_timer_stop(&upgrade->timer);
}

static void upgrade_on_timeout(uv_timer_t *timer)
{
    static const char *const what[] = {
        [UPGRADE_STARTING] = "has not said hello (is it a spacednsd that knows upgrades?)",
        [UPGRADE_LOADING] = "was not ready to answer",
        [UPGRADE_GOING] = "did not begin to serve",
    };
    struct upgrade *upgrade = timer->data;
    bool had_state = upgrade->step == UPGRADE_GOING;

    if (!uv_is_active((const uv_handle_t *)&upgrade->channel_poll))
        err_set(&upgrade->problem, ERR_SYSTEM, "%s no longer spoke to this server and was ended",
                upgrade->path);
    else
        err_set(&upgrade->problem, ERR_LIMIT, "%s %s within %u s and was ended", upgrade->path,
                what[upgrade->step], upgrade->timeout_s);
    end_other(upgrade, had_state);
}

/* The process ends by itself next, as a rule. */
static void lose_channel(struct upgrade *upgrade)
{
    uv_poll_stop(&upgrade->channel_poll);
    uv_timer_start(&upgrade->timer, upgrade_on_timeout, ENDING_MS, 0);
}

/* ---- messages ---- */

/* Descriptors that wait for a message. */
struct offering {
    struct upgrade *upgrade;
    size_t left; /* in all */
    int descriptors[NAMES_PER_MESSAGE];
    char names[HANDOVER_TEXT_MOST - 64];
    size_t count;
    bool has_failed;
};

static void send_offering(struct offering *offering)
{
    char text[HANDOVER_TEXT_MOST];

    snprintf(text, sizeof text, "%zu%s", offering->left, offering->names);
    if (!handover_send_descriptors(offering->upgrade->channel, text, offering->descriptors,
                                   offering->count))
        offering->has_failed = true;
    offering->count = 0;
    offering->names[0] = '\0';
}

static void offer(struct offering *offering, const char *name, int descriptor)
{
    size_t length = strlen(offering->names);

    snprintf(offering->names + length, sizeof offering->names - length, " %s", name);
    offering->descriptors[offering->count++] = descriptor;
    offering->left--;
    if (offering->count == NAMES_PER_MESSAGE)
        send_offering(offering);
}

static void count_socket(void *context, enum listen_scheme scheme, size_t worker, int descriptor)
{
    struct offering *offering = context;

    (void)scheme, (void)worker, (void)descriptor;
    offering->left++;
}

static void offer_socket(void *context, enum listen_scheme scheme, size_t worker, int descriptor)
{
    char name[INHERITED_NAME_OCTETS];

    inherited_write_name(scheme, worker, name);
    offer(context, name, descriptor);
}

static bool send_descriptors(struct upgrade *upgrade)
{
    struct offering offering = {.upgrade = upgrade};
    int ends[2];

    if (!pass_pair(ends, SOCK_NONBLOCK))
        return false;
    upgrade->connections = ends[0];
    server_walk_sockets(upgrade->server, count_socket, &offering);
    offering.left += 1 + (size_t)(upgrade->control >= 0) + (size_t)(upgrade->state >= 0);
    server_walk_sockets(upgrade->server, offer_socket, &offering);
    if (upgrade->control >= 0)
        offer(&offering, HANDOVER_CONTROL, upgrade->control);
    if (upgrade->state >= 0)
        offer(&offering, HANDOVER_STATE, upgrade->state);
    offer(&offering, HANDOVER_CONNECTIONS, ends[1]);
    if (offering.count > 0)
        send_offering(&offering);
    close(ends[1]);
    return !offering.has_failed;
}

static void take_hello(struct upgrade *upgrade, const char *text)
{
    unsigned version = 0;

    if (sscanf(text, "%u %63s", &version, upgrade->version) != 2 || version != HANDOVER_VERSION) {
        err_set(&upgrade->problem, ERR_SYSTEM,
                "%s takes over in another way (version %u, this server has %d), so it must be "
                "started anew: stop this server, then start that one",
                upgrade->path, version, HANDOVER_VERSION);
        end_other(upgrade, false);
        return;
    }
    upgrade->step = UPGRADE_LOADING;
    if (send_descriptors(upgrade))
        return;
    err_set(&upgrade->problem, ERR_SYSTEM, "the sockets cannot be handed over: %s",
            strerror(errno));
    end_other(upgrade, false);
}

static void take_ready(struct upgrade *upgrade)
{
    upgrade->step = UPGRADE_GOING;
    if (!handover_send(upgrade->channel, HANDOVER_GO, NULL))
        lose_channel(upgrade);
}

static void log_done(const struct upgrade *upgrade, const char *generation)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "upgrade_done");
    log_string(&line, "program", upgrade->path);
    log_number(&line, "pid", (uint64_t)upgrade->pid);
    log_string(&line, "version", upgrade->version);
    log_string(&line, "generation", generation);
    log_number(&line, "ms", elapsed_ms(upgrade));
    audit_log(&upgrade->audit, &line);
    log_send(&line);
}

static void print_done(const struct upgrade *upgrade, unsigned long long generation)
{
    struct call *call = upgrade->call;

    if (call == NULL)
        return;
    if (invocation_has(&call->invocation, OPTION_JSON))
        print_json(json_pack("{s:s, s:i, s:s, s:I, s:I}", "upgrade", "done", "pid",
                             (int)upgrade->pid, "version", upgrade->version, "generation",
                             (json_int_t)generation, "ms", (json_int_t)elapsed_ms(upgrade)),
                   call->out);
    else
        fprintf(call->out, "Upgrading... done, pid=%d version=%s generation=%llu ms=%llu\n",
                (int)upgrade->pid, upgrade->version, generation,
                (unsigned long long)elapsed_ms(upgrade));
}

static void take_serving(struct upgrade *upgrade, const char *text)
{
    log_done(upgrade, text);
    print_done(upgrade, strtoull(text, NULL, 10));
    answer(upgrade, CODE_DONE);
    upgrade->step = UPGRADE_DONE;
    close_handles(upgrade); /* the channel stays open until this process ends */
    upgrade->owner->on_done(upgrade->owner->context);
}

static void take_message(struct upgrade *upgrade, const struct handover_message *message)
{
    if (message->kind == HANDOVER_HELLO && upgrade->step == UPGRADE_STARTING)
        take_hello(upgrade, message->text);
    else if (message->kind == HANDOVER_READY && upgrade->step == UPGRADE_LOADING)
        take_ready(upgrade);
    else if (message->kind == HANDOVER_SERVING && upgrade->step == UPGRADE_GOING)
        take_serving(upgrade, message->text);
    else
        lose_channel(upgrade);
}

static void upgrade_on_message(uv_poll_t *poll, int status, int events)
{
    struct upgrade *upgrade = poll->data;
    struct handover_message message;

    (void)status;
    (void)events;
    if (handover_receive(upgrade->channel, &message) == HANDOVER_NOTHING)
        return;
    for (size_t i = 0; i < message.descriptor_count; i++)
        close(message.descriptors[i]);
    take_message(upgrade, &message);
}

/* ---- the launcher ---- */

static void log_started(const struct upgrade *upgrade)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "upgrade_started");
    log_string(&line, "program", upgrade->path);
    log_number(&line, "pid", (uint64_t)upgrade->pid);
    audit_log(&upgrade->audit, &line);
    log_send(&line);
}

static void take_end(struct upgrade *upgrade, const char *how)
{
    static const char *const when[] = {
        [UPGRADE_STARTING] = "before it said hello",
        [UPGRADE_LOADING] = "before it was ready to answer",
        [UPGRADE_GOING] = "before it served",
    };

    read_error(upgrade);
    end_line(upgrade);
    if (upgrade->problem.code == ERR_NONE)
        err_set(&upgrade->problem, ERR_SYSTEM, "%s ended %s, with %s", upgrade->path,
                when[upgrade->step], how);
    finish_failed(upgrade, upgrade->step == UPGRADE_GOING);
}

/* What has been told to go needs no launcher any more; the timer ends the waiting for it. */
static void lose_launcher(struct upgrade *upgrade)
{
    launcher_close(&upgrade->launcher);
    if (upgrade->step == UPGRADE_GOING) {
        uv_poll_stop(&upgrade->launcher_poll);
        return;
    }
    err_set(&upgrade->problem, ERR_SYSTEM,
            "the process that starts programs for this server has ended; restart the server");
    leave_other(upgrade, false);
}

static void upgrade_on_launcher(uv_poll_t *poll, int status, int events)
{
    struct upgrade *upgrade = poll->data;
    char text[LAUNCHER_TEXT_MOST];

    (void)status;
    (void)events;
    switch (launcher_take(&upgrade->launcher, &upgrade->pid, text)) {
    case LAUNCHER_NOTHING:
        break;
    case LAUNCHER_STARTED:
        log_started(upgrade);
        break;
    case LAUNCHER_REFUSED:
        err_set(&upgrade->problem, ERR_SYSTEM, "%s", text);
        finish_failed(upgrade, false);
        break;
    case LAUNCHER_ENDED:
        take_end(upgrade, text);
        break;
    case LAUNCHER_GONE:
        lose_launcher(upgrade);
        break;
    }
}

/* ---- the beginning ---- */

static void refuse(struct upgrade *upgrade, int code, const char *sentence)
{
    fprintf(upgrade->call->err, "Error: %s\n", sentence);
    answer(upgrade, code);
    upgrade->step = UPGRADE_IDLE;
}

static void watch(struct upgrade *upgrade, uv_poll_t *poll, int descriptor, uv_poll_cb on_readable)
{
    uv_poll_init(upgrade->loop, poll, descriptor);
    poll->data = upgrade;
    uv_poll_start(poll, UV_READABLE, on_readable);
    upgrade->open_handles++;
}

static void begin(struct upgrade *upgrade)
{
    int channel[2], error[2];

    upgrade->step = UPGRADE_STARTING;
    if (!pass_pair(channel, SOCK_NONBLOCK) || pipe2(error, O_CLOEXEC) != 0) {
        refuse(upgrade, CODE_REFUSED, "no descriptors are left for an upgrade; try again later");
        upgrade->owner->on_failed(upgrade->owner->context, false);
        return;
    }
    upgrade->channel = channel[0];
    upgrade->error = error[0];
    fcntl(error[0], F_SETFL, O_NONBLOCK);
    bool is_requested = launcher_request(&upgrade->launcher, upgrade->path, channel[1], error[1]);
    close(channel[1]);
    close(error[1]);
    uv_timer_init(upgrade->loop, &upgrade->timer);
    upgrade->timer.data = upgrade;
    upgrade->open_handles++;
    watch(upgrade, &upgrade->launcher_poll, upgrade->launcher.descriptor, upgrade_on_launcher);
    watch(upgrade, &upgrade->channel_poll, upgrade->channel, upgrade_on_message);
    watch(upgrade, &upgrade->error_poll, upgrade->error, upgrade_on_error_output);
    uv_timer_start(&upgrade->timer, upgrade_on_timeout, (uint64_t)upgrade->timeout_s * MS_PER_S, 0);
    if (is_requested)
        return;
    err_set(&upgrade->problem, ERR_SYSTEM,
            "the process that starts programs for this server does not take the request; restart "
            "the server");
    finish_failed(upgrade, false);
}

/* Why no upgrade may begin; NULL: it may. */
static const char *find_refusal(const struct upgrade *upgrade)
{
    if (getpid() == INIT_PROCESS)
        return "this server is the first process of its container, which ends with it; start a "
               "container of the new image instead";
    if (upgrade->launcher.descriptor < 0)
        return "this server has no process that can start programs for it; restart it, and see "
               "launcher_failed in its log";
    return NULL;
}

static bool read_timeout(const struct call *call, unsigned *timeout_s)
{
    const char *text = call->invocation.options[OPTION_TIMEOUT];
    char end;

    *timeout_s = UPGRADE_TIMEOUT_S;
    return text == NULL || (sscanf(text, "%4u%c", timeout_s, &end) == 1 && *timeout_s >= 1 &&
                            *timeout_s <= UPGRADE_TIMEOUT_MOST_S);
}

static void fill_in(struct upgrade *upgrade, struct call *call, const struct upgrade_offer *offer)
{
    const char *path = invocation_operand(&call->invocation, 0);

    snprintf(upgrade->path, sizeof upgrade->path, "%s", path == NULL ? upgrade->program : path);
    upgrade->call = call;
    upgrade->server = offer->server;
    upgrade->control = offer->control;
    upgrade->state = offer->state;
    upgrade->started_ns = clock_monotonic_ns();
    upgrade->problem.code = ERR_NONE;
    upgrade->version[0] = upgrade->last_line[0] = '\0';
    upgrade->line_length = upgrade->lines_logged = 0;
}

void upgrade_request(struct upgrade *upgrade, struct call *call, const struct upgrade_offer *offer)
{
    const char *refusal = find_refusal(upgrade);

    if (upgrade->step != UPGRADE_IDLE || upgrade->open_handles > 0) {
        fputs("Error: an upgrade is running already; wait for its end\n", call->err);
        call_finish(call, CODE_REFUSED);
        return;
    }
    fill_in(upgrade, call, offer);
    upgrade->audit = (struct audit){.by = ""};
    audit_add_call(&upgrade->audit, call);
    if (refusal != NULL) {
        refuse(upgrade, CODE_REFUSED, refusal);
        return;
    }
    if (!read_timeout(call, &upgrade->timeout_s)) {
        refuse(upgrade, CODE_USAGE, "--timeout needs a number of seconds from 1 to 3600");
        return;
    }
    upgrade->step = UPGRADE_QUEUED;
    if (upgrade->owner->hold(upgrade->owner->context))
        begin(upgrade);
}

void upgrade_go_on(struct upgrade *upgrade)
{
    if (upgrade->step == UPGRADE_QUEUED)
        begin(upgrade);
}

void upgrade_pass_signal(const struct upgrade *upgrade, int number)
{
    char text[16];

    snprintf(text, sizeof text, "%d", number);
    if (upgrade->step == UPGRADE_DONE)
        handover_send(upgrade->channel, HANDOVER_SIGNAL, text);
}

void upgrade_stop(struct upgrade *upgrade)
{
    if (!upgrade_is_running(upgrade))
        return;
    if (upgrade->step != UPGRADE_QUEUED)
        launcher_end(&upgrade->launcher);
    close_handles(upgrade);
    refuse(upgrade, CODE_REFUSED, "the server is stopping, so the upgrade was given up");
}

void upgrade_close(struct upgrade *upgrade)
{
    close_descriptors(upgrade);
    launcher_close(&upgrade->launcher);
}

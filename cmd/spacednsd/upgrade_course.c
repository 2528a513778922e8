#include "spacednsd/upgrade_course.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "spacednsd/handover.h"
#include "spacednsd/upgrade_events.h"

enum {
    MS_PER_S = 1000,
    ENDING_MS = 5000, /* a process that is killed, or has closed its channel */
};

/* ---- the end ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct upgrade *upgrade = handle->data;

    upgrade->open_handles--;
}

static void close_handle(struct upgrade *upgrade, uv_handle_t *handle)
{
    if (upgrade->open_handles > 0 && !uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

void upgrade_course_close_handles(struct upgrade *upgrade)
{
    close_handle(upgrade, (uv_handle_t *)&upgrade->timer);
    close_handle(upgrade, (uv_handle_t *)&upgrade->channel_poll);
    close_handle(upgrade, (uv_handle_t *)&upgrade->output_poll);
}

void upgrade_course_leave_launcher(struct upgrade *upgrade)
{
    if (upgrade->is_watching)
        uv_close((uv_handle_t *)&upgrade->launcher_poll, NULL);
    upgrade->is_watching = false;
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

void upgrade_course_close_descriptors(struct upgrade *upgrade)
{
    close_descriptor(&upgrade->channel);
    close_descriptor(&upgrade->output.descriptor);
    close_descriptor(&upgrade->connections);
}

void upgrade_course_answer(struct upgrade *upgrade, int code)
{
    if (upgrade->call != NULL)
        call_finish(upgrade->call, code);
    upgrade->call = NULL;
}

/* The other's process has ended, or never began. */
void upgrade_course_fail(struct upgrade *upgrade, bool had_state)
{
    upgrade_log_failure(upgrade);
    if (upgrade->call != NULL)
        upgrade_print_failure(upgrade, upgrade->call->err);
    upgrade_course_answer(upgrade, UPGRADE_CODE_REFUSED);
    upgrade_course_close_handles(upgrade);
    upgrade_course_close_descriptors(upgrade);
    upgrade->step = UPGRADE_IDLE;
    upgrade->owner->on_failed(upgrade->owner->context, had_state);
}

static void upgrade_on_output(uv_poll_t *poll, int status, int events)
{
    struct upgrade *upgrade = poll->data;

    (void)status;
    (void)events;
    if (!upgrade_output_read(&upgrade->output))
        uv_poll_stop(poll);
}

/* ---- failing ---- */

/* Without a launcher the other cannot be ended, and would go on as if this server had ended. */
static void leave_other(struct upgrade *upgrade, bool had_state)
{
    handover_send(upgrade->channel, HANDOVER_STAY, NULL);
    upgrade_course_fail(upgrade, had_state);
}

/* A launcher that is stopped takes the request to end it once it goes on. */
static void upgrade_on_silence(uv_timer_t *timer)
{
    struct upgrade *upgrade = timer->data;
    int pid = (int)upgrade->launcher.pid;

    err_set(&upgrade->launcher_problem, ERR_SYSTEM,
            "the process that starts programs for this server, pid=%d, does not answer; let it go "
            "on (kill -CONT %d), or restart the server",
            pid, pid);
    err_set(&upgrade->problem, ERR_SYSTEM, "%s was to be ended, but %s", upgrade->path,
            upgrade->launcher_problem.text);
    leave_other(upgrade, upgrade->step == UPGRADE_GOING);
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
    uv_timer_start(&upgrade->timer, upgrade_on_silence, ENDING_MS, 0);
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
    if (upgrade_offer_send(&upgrade->offer, upgrade->channel, &upgrade->connections))
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

static void take_serving(struct upgrade *upgrade, const char *text)
{
    upgrade_log_done(upgrade, text);
    upgrade_print_done(upgrade, strtoull(text, NULL, 10));
    upgrade_course_answer(upgrade, UPGRADE_CODE_DONE);
    upgrade->step = UPGRADE_DONE;
    upgrade_course_leave_launcher(upgrade);
    upgrade_course_close_handles(upgrade); /* the channel stays open until this process ends */
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

/* From the request until it has failed, or serves. */
static bool is_launched(const struct upgrade *upgrade)
{
    return upgrade_is_running(upgrade) && upgrade->step != UPGRADE_QUEUED;
}

static void take_end(struct upgrade *upgrade, const char *how)
{
    static const char *const when[] = {
        [UPGRADE_STARTING] = "before it said hello",
        [UPGRADE_LOADING] = "before it was ready to answer",
        [UPGRADE_GOING] = "before it served",
    };

    upgrade_output_read(&upgrade->output);
    upgrade_output_end_line(&upgrade->output);
    if (upgrade->problem.code == ERR_NONE)
        err_set(&upgrade->problem, ERR_SYSTEM, "%s ended %s, with %s", upgrade->path,
                when[upgrade->step], how);
    upgrade_course_fail(upgrade, upgrade->step == UPGRADE_GOING);
}

/* What has been told to go needs no launcher any more; the timer ends the waiting for it. */
static void lose_launcher(struct upgrade *upgrade)
{
    upgrade_course_leave_launcher(upgrade);
    launcher_close(&upgrade->launcher);
    err_set(&upgrade->launcher_problem, ERR_SYSTEM,
            "the process that starts programs for this server has ended, so it cannot be upgraded; "
            "restart the server (it will serve as before until then)");
    log_sentence(LOG_WARNING, "launcher_lost", upgrade->launcher_problem.text);
    if (!is_launched(upgrade) || upgrade->step == UPGRADE_GOING)
        return;
    err_set(&upgrade->problem, ERR_SYSTEM,
            "the process that starts programs for this server has ended; restart the server");
    leave_other(upgrade, false);
}

/* Of an upgrade given up before, it has nothing more to be waited for. */
static void take_event(struct upgrade *upgrade, enum launcher_event event, pid_t pid,
                       const char *text)
{
    bool is_starting = upgrade->step == UPGRADE_STARTING || upgrade->step == UPGRADE_ENDING;

    upgrade->launcher_problem.code = ERR_NONE;
    if (event == LAUNCHER_STARTED && is_starting) {
        upgrade->pid = pid;
        upgrade_log_started(upgrade);
    } else if (event == LAUNCHER_REFUSED && is_starting) {
        err_set(&upgrade->problem, ERR_SYSTEM, "%s", text);
        upgrade_course_fail(upgrade, false);
    } else if (event == LAUNCHER_ENDED && is_launched(upgrade) && pid == upgrade->pid) {
        take_end(upgrade, text);
    }
}

static void upgrade_on_launcher(uv_poll_t *poll, int status, int events)
{
    struct upgrade *upgrade = poll->data;
    char text[LAUNCHER_TEXT_MOST];
    pid_t pid = 0;
    enum launcher_event event = launcher_take(&upgrade->launcher, &pid, text);

    (void)status;
    (void)events;
    if (event == LAUNCHER_GONE)
        lose_launcher(upgrade);
    else if (event != LAUNCHER_NOTHING)
        take_event(upgrade, event, pid, text);
}

/* ---- watching ---- */

static void watch(struct upgrade *upgrade, uv_poll_t *poll, int descriptor, uv_poll_cb on_readable)
{
    uv_poll_init(upgrade->loop, poll, descriptor);
    poll->data = upgrade;
    uv_poll_start(poll, UV_READABLE, on_readable);
}

void upgrade_course_watch_launcher(struct upgrade *upgrade)
{
    upgrade->is_watching = upgrade->launcher.descriptor >= 0;
    if (upgrade->is_watching)
        watch(upgrade, &upgrade->launcher_poll, upgrade->launcher.descriptor, upgrade_on_launcher);
}

void upgrade_course_begin(struct upgrade *upgrade)
{
    uv_timer_init(upgrade->loop, &upgrade->timer);
    upgrade->timer.data = upgrade;
    watch(upgrade, &upgrade->channel_poll, upgrade->channel, upgrade_on_message);
    watch(upgrade, &upgrade->output_poll, upgrade->output.descriptor, upgrade_on_output);
    upgrade->open_handles = UPGRADE_HANDLES;
    uv_timer_start(&upgrade->timer, upgrade_on_timeout, (uint64_t)upgrade->timeout_s * MS_PER_S, 0);
}

#include "spacednsd/upgrade.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "spacednsd/handover.h"
#include "spacednsd/upgrade_course.h"

enum { CODE_USAGE = 2, INIT_PROCESS = 1 };

void upgrade_init(struct upgrade *upgrade, uv_loop_t *loop, const struct upgrade_owner *owner)
{
    *upgrade = (struct upgrade){.loop = loop,
                                .owner = owner,
                                .launcher.descriptor = -1,
                                .channel = -1,
                                .output.descriptor = -1,
                                .connections = -1};
}

void upgrade_prepare(struct upgrade *upgrade, const struct launcher_options *options)
{
    ssize_t length = readlink("/proc/self/exe", upgrade->program, sizeof upgrade->program - 1);
    struct err *problem = &upgrade->launcher_problem;

    upgrade->program[length < 0 ? 0 : length] = '\0';
    if (launcher_start(&upgrade->launcher, options, problem))
        return;
    log_sentence(LOG_WARNING, "launcher_failed", problem->text);
    err_set(problem, ERR_SYSTEM,
            "this server has no process that can start programs for it; restart it, and see "
            "launcher_failed in its log");
}

void upgrade_watch(struct upgrade *upgrade)
{
    upgrade_course_watch_launcher(upgrade);
}

bool upgrade_is_running(const struct upgrade *upgrade)
{
    return upgrade->step != UPGRADE_IDLE && upgrade->step != UPGRADE_DONE;
}

static void refuse(struct upgrade *upgrade, int code, const char *sentence)
{
    fprintf(upgrade->call->err, "Error: %s\n", sentence);
    upgrade_course_answer(upgrade, code);
    upgrade->step = UPGRADE_IDLE;
}

static void begin(struct upgrade *upgrade)
{
    int channel[2], error[2];

    upgrade->step = UPGRADE_STARTING;
    if (!pass_pair(channel, SOCK_NONBLOCK) || pipe2(error, O_CLOEXEC) != 0) {
        refuse(upgrade, UPGRADE_CODE_REFUSED,
               "no descriptors are left for an upgrade; try again later");
        upgrade->owner->on_failed(upgrade->owner->context, false);
        return;
    }
    upgrade->channel = channel[0];
    upgrade->output = (struct upgrade_output){.descriptor = error[0]};
    fcntl(error[0], F_SETFL, O_NONBLOCK);
    bool is_requested = launcher_request(&upgrade->launcher, upgrade->path, channel[1], error[1]);
    close(channel[1]);
    close(error[1]);
    upgrade_course_begin(upgrade);
    if (is_requested)
        return;
    err_set(&upgrade->problem, ERR_SYSTEM,
            "the process that starts programs for this server does not take the request; restart "
            "the server");
    upgrade_course_fail(upgrade, false);
}

const char *upgrade_problem(const struct upgrade *upgrade)
{
    const struct err *problem = &upgrade->launcher_problem;

    return problem->code == ERR_NONE ? NULL : problem->text;
}

/* Why no upgrade may begin; NULL: it may. */
static const char *find_refusal(const struct upgrade *upgrade)
{
    if (getpid() == INIT_PROCESS)
        return "this server is the first process of its container, which ends with it; start a "
               "container of the new image instead";
    return upgrade_problem(upgrade);
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
    upgrade->offer = *offer;
    upgrade->started_ns = clock_monotonic_ns();
    upgrade->problem.code = ERR_NONE;
    upgrade->version[0] = '\0';
    upgrade->pid = 0;
}

void upgrade_request(struct upgrade *upgrade, struct call *call, const struct upgrade_offer *offer)
{
    const char *refusal = find_refusal(upgrade);

    if (upgrade->step != UPGRADE_IDLE || upgrade->open_handles > 0) {
        fputs("Error: an upgrade is running already; wait for its end\n", call->err);
        call_finish(call, UPGRADE_CODE_REFUSED);
        return;
    }
    fill_in(upgrade, call, offer);
    upgrade->audit = (struct audit){.by = ""};
    audit_add_call(&upgrade->audit, call);
    if (refusal != NULL) {
        refuse(upgrade, UPGRADE_CODE_REFUSED, refusal);
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
    upgrade_course_leave_launcher(upgrade);
    if (!upgrade_is_running(upgrade))
        return;
    if (upgrade->step != UPGRADE_QUEUED)
        launcher_end(&upgrade->launcher);
    upgrade_course_close_handles(upgrade);
    refuse(upgrade, UPGRADE_CODE_REFUSED, "the server is stopping, so the upgrade was given up");
}

void upgrade_close(struct upgrade *upgrade)
{
    upgrade_course_close_descriptors(upgrade);
    launcher_close(&upgrade->launcher);
}

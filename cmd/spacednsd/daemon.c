#include "spacednsd/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/diff_tell.h"
#include "control/policy.h"
#include "serve/server.h"
#include "spacednsd/control.h"
#include "spacednsd/events.h"
#include "spacednsd/zones.h"

enum { SIGNAL_COUNT = 4, EXIT_REFUSED = 1, SPARE_DESCRIPTORS = 64 };

/* Calls that wish the same share a reload. */
struct wish {
    bool is_dry;        /* tell what would change, and change nothing */
    bool is_forced;     /* the guard is not asked */
    const char *folder; /* of a dry one; NULL: the server's own */
};

struct daemon {
    const struct settings *settings;
    struct policy policy;
    struct hash_key key;
    uv_loop_t loop;
    uv_signal_t signals[SIGNAL_COUNT];
    uv_work_t work;
    struct server *server;
    struct listener *listener; /* NULL: no control socket */
    struct control_view view;
    struct zones_loading loading;
    struct wish wish;     /* what the reload under way is to do */
    char *folder;         /* of that wish: a call may end before the loading does */
    struct diff *diff;    /* what it would change, when that is asked */
    bool is_reloading;    /* from the signal until every worker answers from the new snapshot */
    bool wants_reload;    /* another signal came meanwhile */
    struct call *calls;   /* that asked for the reload under way */
    struct call *waiting; /* that asked meanwhile, for another one */
    bool is_stopping;
    bool is_ready; /* the first snapshot is being answered from */
};

static int refuse(const char *sentence)
{
    fprintf(stderr, "spacednsd: %s\n", sentence);
    return EXIT_REFUSED;
}

/* ---- reloads ---- */

static void set_request(struct daemon *daemon, const struct snapshot *before)
{
    const char *folder = daemon->wish.folder;

    daemon->loading = (struct zones_loading){
        .request = {.folder = folder == NULL ? daemon->settings->zones : folder,
                    .policy = &daemon->policy,
                    .key = daemon->key,
                    .threads = (unsigned)daemon->settings->workers,
                    .before = before},
    };
}

static struct wish wish_of_call(const struct call *call)
{
    const struct invocation *invocation = &call->invocation;
    bool is_plan = invocation->command == COMMAND_PLAN;

    return (struct wish){
        .is_dry = is_plan || invocation_has(invocation, OPTION_DRY_RUN),
        .is_forced = !is_plan && invocation_has(invocation, OPTION_FORCE),
        .folder = is_plan ? invocation_operand(invocation, 0) : NULL,
    };
}

static struct wish wish_of_signal(const struct daemon *daemon)
{
    return (struct wish){.is_forced = !daemon->settings->reload_guard};
}

static bool is_same_wish(const struct wish *a, const struct wish *b)
{
    bool is_same_folder = a->folder == NULL || b->folder == NULL
                              ? a->folder == b->folder
                              : strcmp(a->folder, b->folder) == 0;

    return a->is_dry == b->is_dry && a->is_forced == b->is_forced && is_same_folder;
}

static void keep_folder(struct daemon *daemon)
{
    free(daemon->folder);
    daemon->folder = daemon->wish.folder == NULL ? NULL : strdup(daemon->wish.folder);
    daemon->wish.folder = daemon->folder;
}

/* Takes one wish, and every call that has the same. Returns false when nobody wishes. */
static bool take_wish(struct daemon *daemon)
{
    struct call **link = &daemon->waiting;

    if (!daemon->wants_reload && daemon->waiting == NULL)
        return false;
    daemon->wish = daemon->wants_reload ? wish_of_signal(daemon) : wish_of_call(daemon->waiting);
    daemon->wants_reload = false;
    keep_folder(daemon);
    while (*link != NULL) {
        struct call *call = *link;
        struct wish wish = wish_of_call(call);
        if (!is_same_wish(&wish, &daemon->wish)) {
            link = &call->next;
            continue;
        }
        *link = call->next;
        call->next = daemon->calls;
        daemon->calls = call;
    }
    return true;
}

static void begin_reload(struct daemon *daemon);

static void end_reload(struct daemon *daemon, enum reload_end end)
{
    struct reload_result result = {.end = end,
                                   .loading = &daemon->loading,
                                   .current = server_current(daemon->server),
                                   .diff = daemon->diff};

    control_answer_reload(daemon->calls, &result);
    daemon->calls = NULL;
    diff_free(daemon->diff);
    daemon->diff = NULL;
    zones_loading_close(&daemon->loading);
    daemon->is_reloading = false;
    server_reclaim(daemon->server);
    begin_reload(daemon);
}

/* What would change; the loading fails when that cannot be told. */
static void compare(struct daemon *daemon)
{
    struct zones_loading *loading = &daemon->loading;
    const struct snapshot *before = loading->request.before;
    const struct snapshot *after = loading->outcome.is_unchanged ? before : loading->snapshot;

    if (after == NULL || (!daemon->wish.is_dry && (daemon->wish.is_forced || after == before)))
        return;
    daemon->diff = diff_new(before, after, daemon->wish.is_dry ? DIFF_CHANGES_MOST : 0);
    if (daemon->diff != NULL)
        return;
    snapshot_free(loading->snapshot);
    loading->snapshot = NULL;
    loading->outcome.is_unchanged = false;
    err_set(&loading->err, ERR_MEMORY, "out of memory while comparing the zone files");
}

/* On a thread of the pool, so that signals are served meanwhile. */
static void load_on_pool(uv_work_t *work)
{
    struct daemon *daemon = work->data;

    zones_load(&daemon->loading);
    compare(daemon);
}

static void publish_loaded(struct daemon *daemon)
{
    const struct snapshot *snapshot = daemon->loading.snapshot;

    zones_log_findings(daemon->loading.report);
    zones_warn_listen(snapshot, daemon->settings);
    zones_warn_local(snapshot, daemon->settings);
    server_publish(daemon->server, daemon->loading.snapshot);
}

/* Lets go of what was loaded and is not to be served. */
static void drop_loaded(struct daemon *daemon)
{
    snapshot_free(daemon->loading.snapshot);
    daemon->loading.snapshot = NULL;
}

static void settle_loaded(struct daemon *daemon)
{
    struct zones_loading *loading = &daemon->loading;
    uint64_t generation = server_current(daemon->server)->generation;

    if (daemon->wish.is_dry) {
        drop_loaded(daemon);
        end_reload(daemon, daemon->diff == NULL ? RELOAD_REFUSED : RELOAD_TRIED);
    } else if (daemon->diff != NULL && !diff_guard(daemon->diff, &loading->err)) {
        drop_loaded(daemon);
        zones_log_refusal(loading, generation);
        end_reload(daemon, RELOAD_GUARDED);
    } else if (loading->snapshot != NULL) {
        publish_loaded(daemon); /* daemon_on_adopted ends the reload */
    } else if (loading->outcome.is_unchanged) {
        events_log_unchanged(loading, generation);
        end_reload(daemon, RELOAD_UNCHANGED);
    } else {
        zones_log_refusal(loading, generation);
        end_reload(daemon, RELOAD_REFUSED);
    }
}

static void daemon_on_loaded(uv_work_t *work, int status)
{
    struct daemon *daemon = work->data;

    (void)status; /* never cancelled */
    if (!daemon->is_stopping) {
        settle_loaded(daemon);
        return;
    }
    drop_loaded(daemon);
    diff_free(daemon->diff);
    zones_loading_close(&daemon->loading);
}

/* What is being read may be read already, so whoever asks meanwhile gets a reload of their own. */
static void begin_reload(struct daemon *daemon)
{
    if (daemon->is_reloading || daemon->is_stopping || !take_wish(daemon))
        return;
    daemon->is_reloading = true;
    set_request(daemon, server_current(daemon->server));
    daemon->work.data = daemon;
    uv_queue_work(&daemon->loop, &daemon->work, load_on_pool, daemon_on_loaded);
}

static void daemon_on_adopted(void *context, uint64_t generation)
{
    struct daemon *daemon = context;
    const struct snapshot *snapshot = server_current(daemon->server);

    (void)generation;
    if (!daemon->is_ready) {
        daemon->is_ready = true;
        events_log_ready(daemon->settings, snapshot, &daemon->loading);
    } else {
        events_log_reloaded(snapshot, &daemon->loading);
    }
    end_reload(daemon, RELOAD_DONE);
}

/* ---- the operator's command ---- */

static void daemon_on_call(void *context, struct call *call)
{
    struct daemon *daemon = context;

    if (call->invocation.command != COMMAND_RELOAD && call->invocation.command != COMMAND_PLAN) {
        control_answer(call, &daemon->view);
        return;
    }
    call->next = daemon->waiting;
    daemon->waiting = call;
    begin_reload(daemon);
}

/* Without a path that was asked for, the server does without. */
static bool open_control(struct daemon *daemon)
{
    const char *path = control_path(daemon->settings);
    struct err err;

    if (path == NULL)
        return true;
    daemon->view.socket = path;
    daemon->listener = listener_open(&daemon->loop, path, daemon_on_call, daemon, &err);
    if (daemon->listener != NULL)
        return true;
    if (daemon->settings->control_socket == NULL) {
        log_sentence(LOG_WARNING, "control_failed", err.text);
        return true;
    }
    refuse(err.text);
    return false;
}

static void close_control(struct daemon *daemon)
{
    control_answer_stopping(daemon->calls);
    control_answer_stopping(daemon->waiting);
    daemon->calls = NULL;
    daemon->waiting = NULL;
    listener_close(daemon->listener);
    daemon->listener = NULL;
}

/* ---- signals ---- */

/*
 * From here on a second signal has its default effect: the process ends at once. With the signals
 * closed the loop ends by itself, after a load that is under way.
 */
static void stop(struct daemon *daemon, int number)
{
    events_log_stopping(number);
    daemon->is_stopping = true;
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&daemon->signals[i], NULL);
    close_control(daemon);
    server_stop(daemon->server);
    events_log_counters(daemon->server);
}

static void daemon_on_signal(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;

    if (number == SIGTERM || number == SIGINT) {
        stop(daemon, number);
    } else if (number == SIGUSR1) {
        events_log_counters(daemon->server);
    } else {
        daemon->wants_reload = true;
        begin_reload(daemon);
    }
}

static void watch_signals(struct daemon *daemon)
{
    static const int numbers[SIGNAL_COUNT] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT};

    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&daemon->loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        uv_signal_start(&daemon->signals[i], daemon_on_signal, numbers[i]);
    }
}

/* A reload asked for while the program starts waits until it can be done. */
static void hold_signals(int how)
{
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGHUP);
    sigaddset(&held, SIGUSR1);
    pthread_sigmask(how, &held, NULL);
}

/* ---- start ---- */

/* A descriptor for each connection and each question on its way, as far as the host allows. */
static void raise_descriptor_limit(const struct settings *settings)
{
    rlim_t questions = settings->upstream_zones.count > 0 ? settings->upstream_questions : 0;
    rlim_t per_worker =
        settings->tcp_connections + questions + 2 * (rlim_t)settings->listen.count + 8;
    rlim_t wanted = SPARE_DESCRIPTORS + (rlim_t)settings->workers * per_worker;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        events_log_few_descriptors((uint64_t)limit.rlim_cur, (uint64_t)wanted);
}

static bool check_local(const struct snapshot *snapshot, const struct settings *settings, FILE *out)
{
    const char *near = NULL;
    const char *missing = zones_find_missing_local(snapshot, settings, &near);

    if (missing == NULL)
        return true;
    fprintf(out, "spacednsd: local_as (--local-as): no zone file of %s has a space `%.80s`%s%s%s\n",
            settings->zones, missing, near == NULL ? "" : "; did you mean `",
            near == NULL ? "" : near, near == NULL ? "" : "`?");
    return false;
}

static int run_server(struct daemon *daemon)
{
    struct server_options options = {.settings = daemon->settings,
                                     .loop = &daemon->loop,
                                     .log_descriptor = STDOUT_FILENO,
                                     .on_adopted = daemon_on_adopted,
                                     .context = daemon};
    struct err err;

    daemon->server = server_new(&options, &err);
    if (daemon->server == NULL) {
        snapshot_free(daemon->loading.snapshot);
        zones_loading_close(&daemon->loading);
        return refuse(err.text);
    }
    daemon->view.server = daemon->server;
    daemon->is_reloading = true;
    publish_loaded(daemon);
    bool is_open = open_control(daemon);
    if (!is_open || !server_start(daemon->server, &err)) {
        close_control(daemon);
        zones_loading_close(&daemon->loading);
        server_free(daemon->server);
        return is_open ? refuse(err.text) : EXIT_REFUSED;
    }
    watch_signals(daemon);
    hold_signals(SIG_UNBLOCK);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    zones_loading_close(&daemon->loading);
    server_free(daemon->server);
    return EXIT_SUCCESS;
}

static bool prepare(struct daemon *daemon, const struct settings *settings)
{
    *daemon = (struct daemon){.settings = settings};
    daemon->view = (struct control_view){.settings = settings, .started_ns = clock_monotonic_ns()};
    daemon->key = hash_key_random();
    set_request(daemon, NULL);
    return policy_set(&daemon->policy, settings);
}

int daemon_run(const struct settings *settings)
{
    struct daemon daemon;

    if (!prepare(&daemon, settings))
        return refuse("out of memory");
    hold_signals(SIG_BLOCK);
    signal(SIGPIPE, SIG_IGN); // NOLINT: cannot fail
    log_set_level((enum log_level)settings->log_level);
    zones_load(&daemon.loading);
    if (daemon.loading.snapshot == NULL) {
        zones_print_refusal(&daemon.loading, stderr);
        zones_loading_close(&daemon.loading);
        return EXIT_REFUSED;
    }
    if (!check_local(daemon.loading.snapshot, settings, stderr)) {
        snapshot_free(daemon.loading.snapshot);
        zones_loading_close(&daemon.loading);
        return EXIT_REFUSED;
    }
    if (settings->lacks_upstreams)
        events_log_no_upstreams();
    raise_descriptor_limit(settings);
    if (uv_loop_init(&daemon.loop) != 0)
        return refuse("no event loop to be had; are there file descriptors left?");
    int code = run_server(&daemon);
    uv_run(&daemon.loop, UV_RUN_DEFAULT); /* what is closing */
    free(daemon.folder);
    uv_loop_close(&daemon.loop);
    return code;
}

int daemon_check(const struct settings *settings)
{
    struct daemon daemon;

    if (!prepare(&daemon, settings))
        return refuse("out of memory");
    zones_load(&daemon.loading);
    struct zones_loading *loading = &daemon.loading;
    if (loading->report != NULL)
        report_print(loading->report, stdout);
    bool passed = loading->snapshot != NULL && check_local(loading->snapshot, settings, stdout);
    if (loading->err.code != ERR_NONE)
        fprintf(stdout, "spacednsd: %s\n", loading->err.text);
    events_print_summary(loading, stdout);
    snapshot_free(loading->snapshot);
    zones_loading_close(loading);
    return passed ? EXIT_SUCCESS : EXIT_REFUSED;
}

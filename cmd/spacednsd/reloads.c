#include "spacednsd/reloads.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "inspect/diff_print.h"
#include "spacednsd/events.h"
#include "spacednsd/settings_reload.h"

enum {
    REFUSAL_LINES_MOST = 50, /* in the log; plan prints all */
    US_PER_SECOND = 1000000,
};

void reloads_prepare(struct reloads *reloads, const struct snapshot *before)
{
    const char *folder = reloads->request.folder;
    bool is_stored = state_is_used(&reloads->state) && !reloads->request.is_dry;

    reloads->loading = (struct zones_loading){
        .request = {.folder = folder == NULL ? reloads->settings.zones : folder,
                    .policy = &reloads->policy,
                    .key = reloads->key,
                    .threads = (unsigned)reloads->settings.workers,
                    .before = before,
                    .stored = is_stored ? &reloads->state.stored : NULL,
                    .reads_all =
                        reloads->request.reads_all || (is_stored && reloads->state.is_behind),
                    .now_s = clock_wall_us() / US_PER_SECOND,
                    .ran_s = storing_ran_s(&reloads->storing)},
    };
}

static struct reload_request request_of_call(const struct reloads *reloads, const struct call *call)
{
    const struct invocation *invocation = &call->invocation;
    bool is_plan = invocation->command == COMMAND_PLAN;

    if (invocation->command == COMMAND_FORGET)
        return (struct reload_request){.kind = REQUEST_FORGET};
    return (struct reload_request){
        .is_dry = is_plan || invocation_has(invocation, OPTION_DRY_RUN),
        .is_forced = !is_plan &&
                     (invocation_has(invocation, OPTION_FORCE) || !reloads->settings.reload_guard),
        .reads_all = invocation_has(invocation, OPTION_FORCE),
        .folder = is_plan ? invocation_operand(invocation, 0) : NULL,
    };
}

static struct reload_request request_of_signal(const struct reloads *reloads)
{
    return (struct reload_request){.is_forced = !reloads->settings.reload_guard};
}

static bool is_same_request(const struct reload_request *a, const struct reload_request *b)
{
    bool is_same_folder = a->folder == NULL || b->folder == NULL
                              ? a->folder == b->folder
                              : strcmp(a->folder, b->folder) == 0;

    return a->kind == REQUEST_RELOAD && b->kind == REQUEST_RELOAD && a->is_dry == b->is_dry &&
           a->is_forced == b->is_forced && a->reads_all == b->reads_all && is_same_folder;
}

/* A call may end before the loading does, when the server is stopped. */
static void keep_folder(struct reloads *reloads)
{
    free(reloads->folder);
    reloads->folder = reloads->request.folder == NULL ? NULL : strdup(reloads->request.folder);
    if (reloads->folder != NULL)
        reloads->request.folder = reloads->folder;
}

static void take_upkeep(struct reloads *reloads)
{
    reloads->wants_upkeep = false;
    reloads->request = (struct reload_request){.kind = REQUEST_UPKEEP};
}

/* Returns false when an operand is not a name, with the call answered. */
static bool take_forget(struct reloads *reloads)
{
    struct call *call = reloads->waiting;
    struct err err;

    reloads->waiting = call->next;
    call->next = NULL;
    reloads->request = (struct reload_request){.kind = REQUEST_FORGET};
    if (kept_read_names(&reloads->names, call, &err)) {
        reloads->calls = call;
        return true;
    }
    kept_close_names(&reloads->names);
    control_answer_problem(call, &err);
    return false;
}

/* Takes the next request, and all calls with an equal one. Returns false when there is none. */
static bool take_request(struct reloads *reloads)
{
    struct call **link = &reloads->waiting;

    while (!reloads->wants_reload && reloads->waiting != NULL &&
           reloads->waiting->invocation.command == COMMAND_FORGET)
        if (take_forget(reloads))
            return true;
    if (!reloads->wants_reload && reloads->waiting == NULL) {
        if (!reloads->wants_upkeep)
            return false;
        take_upkeep(reloads);
        return true;
    }
    reloads->request = reloads->wants_reload ? request_of_signal(reloads)
                                             : request_of_call(reloads, reloads->waiting);
    reloads->wants_reload = false;
    while (*link != NULL) {
        struct call *call = *link;
        struct reload_request request = request_of_call(reloads, call);
        if (!is_same_request(&request, &reloads->request)) {
            link = &call->next;
            continue;
        }
        *link = call->next;
        call->next = reloads->calls;
        reloads->calls = call;
    }
    keep_folder(reloads);
    return true;
}

static void begin_reload(struct reloads *reloads);

/* Frees what was read, unless it is in force now. */
static void close_loading(struct reloads *reloads)
{
    struct zones_loading *loading = &reloads->loading;

    load_outcome_close(&loading->outcome);
    zones_loading_close(loading);
    if (loading->reloaded != reloads->reloaded)
        settings_reload_free(loading->reloaded);
    loading->reloaded = NULL;
    diff_free(reloads->diff);
    reloads->diff = NULL;
    kept_close_names(&reloads->names);
}

static void record_last(struct reloads *reloads, enum reload_end end)
{
    struct reload_last *last = &reloads->last;

    if (reloads->request.is_dry || reloads->request.kind != REQUEST_RELOAD)
        return;
    *last = (struct reload_last){.has_been = true, .end = end, .ended_ns = clock_monotonic_ns()};
    if (end == RELOAD_REFUSED || end == RELOAD_GUARDED)
        zones_format_cause(&reloads->loading, &last->cause);
}

static void reloads_on_upkeep(uv_timer_t *timer)
{
    struct reloads *reloads = timer->data;

    reloads->wants_upkeep = true;
    begin_reload(reloads);
}

void reloads_start(struct reloads *reloads)
{
    uv_timer_init(reloads->loop, &reloads->upkeep);
    reloads->upkeep.data = reloads;
    reloads->has_timer = true;
}

static uint64_t sooner(uint64_t a_ms, uint64_t b_ms)
{
    return a_ms == 0 || (b_ms > 0 && b_ms < a_ms) ? b_ms : a_ms;
}

/* Sets the timer for the oldest kept-back name, or for a write that has failed. */
static void schedule_upkeep(struct reloads *reloads)
{
    const struct snapshot *current = server_current(reloads->server);
    uint64_t left_ms = sooner(kept_next_ms(current, storing_ran_s(&reloads->storing)),
                              storing_next_ms(&reloads->storing, &reloads->state));

    if (!reloads->has_timer)
        return;
    uv_timer_stop(&reloads->upkeep);
    if (left_ms > 0)
        uv_timer_start(&reloads->upkeep, reloads_on_upkeep, left_ms, 0);
}

static void end_reload(struct reloads *reloads, enum reload_end end)
{
    struct reload_result result = {.end = end,
                                   .loading = &reloads->loading,
                                   .current = server_current(reloads->server),
                                   .diff = reloads->diff,
                                   .names = &reloads->names};

    record_last(reloads, end);
    control_answer_reload(reloads->calls, &result);
    reloads->calls = NULL;
    close_loading(reloads);
    reloads->is_reloading = false;
    server_reclaim(reloads->server);
    schedule_upkeep(reloads);
    begin_reload(reloads);
}

/* Computes what would change; without memory for it the loading fails. */
static void compare(struct reloads *reloads)
{
    struct zones_loading *loading = &reloads->loading;
    const struct snapshot *before = loading->request.before;
    const struct snapshot *after = loading->outcome.is_unchanged ? before : loading->snapshot;

    if (after == NULL ||
        (!reloads->request.is_dry && (reloads->request.is_forced || after == before)))
        return;
    const struct diff_options options = {
        .changes_most = reloads->request.is_dry ? DIFF_CHANGES_MOST : 0,
        .guard_share_percent = loading->reloaded->settings.guard_share,
    };
    reloads->diff = diff_new(before, after, &options);
    if (reloads->diff != NULL)
        return;
    snapshot_free(loading->snapshot);
    loading->snapshot = NULL;
    loading->outcome.is_unchanged = false;
    err_set(&loading->err, ERR_MEMORY, "out of memory while comparing the zone files");
}

/* Settings come first: they name the zones folder and set the policy. */
static bool reread_settings(struct reloads *reloads)
{
    struct zones_loading *loading = &reloads->loading;

    if (!zones_loading_open(loading))
        return false;
    loading->reloaded = settings_reload_read(&reloads->settings, loading->report);
    if (loading->reloaded == NULL)
        return false;
    loading->request.policy = &loading->reloaded->policy;
    loading->request.is_new_policy = loading->reloaded->changed[0] != '\0';
    if (reloads->request.folder == NULL)
        loading->request.folder = loading->reloaded->settings.zones;
    return true;
}

/* On a thread of the pool, so that signals are handled meanwhile. */
static void load_on_pool(uv_work_t *work)
{
    struct reloads *reloads = work->data;

    if (reloads->request.kind != REQUEST_RELOAD) {
        reloads->loading.started_ns = clock_monotonic_ns();
        kept_let_go(&reloads->loading, &reloads->names);
        return;
    }
    if (!reread_settings(reloads))
        return;
    zones_load(&reloads->loading);
    compare(reloads);
}

/* The previous settings live as long as a snapshot holds them. */
static void take_over_settings(struct reloads *reloads)
{
    struct settings_reload *reloaded = reloads->loading.reloaded;

    if (reloaded == NULL)
        return; /* the first loading uses the settings of the start */
    settings_reload_apply(&reloaded->settings, &reloads->settings);
    settings_reload_free(reloads->reloaded);
    reloads->reloaded = reloaded;
    reloads->settings = reloaded->settings;
    reloads->policy = reloaded->policy;
}

void reloads_publish(struct reloads *reloads)
{
    const struct snapshot *snapshot = reloads->loading.snapshot;

    take_over_settings(reloads);
    if (reloads->request.kind == REQUEST_RELOAD) {
        zones_log_findings(reloads->loading.report);
        zones_warn_listen(snapshot, &reloads->settings);
        zones_warn_local(snapshot, &reloads->settings);
        kept_log_fallen(snapshot, &reloads->loading.outcome.fallen);
    }
    server_publish(reloads->server, reloads->loading.snapshot);
}

static void log_refusal_line(void *context, const char *text)
{
    size_t *left = context;
    struct log_line line;

    if (*left == 0)
        return;
    --*left;
    log_start(&line, LOG_ERROR, "reload_guard");
    log_string(&line, "text", text + strspn(text, " "));
    log_send(&line);
}

/* With the list: an operator who sent a signal has only the log. */
static void log_guarded(const struct reloads *reloads)
{
    size_t left = REFUSAL_LINES_MOST;

    diff_print_refusal(reloads->diff, log_refusal_line, &left);
    zones_log_refusal(&reloads->loading, server_current(reloads->server)->generation);
}

/* Frees what was loaded and must not be served. */
static void drop_loaded(struct reloads *reloads)
{
    snapshot_free(reloads->loading.snapshot);
    reloads->loading.snapshot = NULL;
}

/* ---- state ---- */

void reloads_open_state(struct reloads *reloads)
{
    const char *path = reloads->settings.state_dir;

    if (path != NULL)
        state_open(&reloads->state, path, &reloads->key);
    storing_begin(&reloads->storing, &reloads->state);
}

static void note_stored(struct reloads *reloads)
{
    storing_note(&reloads->storing, &reloads->state, &reloads->loading.outcome);
    reloads->state.damage.code = ERR_NONE; /* logged */
    state_drop_names(&reloads->state);
}

void reloads_store_first(struct reloads *reloads)
{
    struct zones_loading *loading = &reloads->loading;

    state_store(&reloads->state, loading->snapshot, loading->request.ran_s, &loading->outcome);
    note_stored(reloads);
}

/* On a thread of the pool: disks are slow. */
static void store_on_pool(uv_work_t *work)
{
    struct reloads *reloads = work->data;
    struct zones_loading *loading = &reloads->loading;

    state_store(&reloads->state,
                loading->snapshot == NULL ? loading->request.before : loading->snapshot,
                loading->request.ran_s, &loading->outcome);
}

static void reloads_on_stored(uv_work_t *work, int status)
{
    struct reloads *reloads = work->data;
    const struct zones_loading *loading = &reloads->loading;

    (void)status;
    if (reloads->is_stopping) {
        drop_loaded(reloads);
        return;
    }
    note_stored(reloads);
    if (loading->snapshot != NULL)
        reloads_publish(reloads); /* reloads_finish ends the reload */
    else
        end_reload(reloads, RELOAD_UNCHANGED);
}

/* Stored before it is served, so that a crash loses nothing. */
static void store(struct reloads *reloads)
{
    if (state_is_used(&reloads->state))
        uv_queue_work(reloads->loop, &reloads->work, store_on_pool, reloads_on_stored);
    else if (reloads->loading.snapshot != NULL)
        reloads_publish(reloads);
    else
        end_reload(reloads, RELOAD_UNCHANGED);
}

static void finish_let_go(struct reloads *reloads)
{
    if (reloads->loading.snapshot != NULL || reloads->loading.outcome.is_unchanged)
        store(reloads); /* when unchanged, the running time and what is behind */
    else
        end_reload(reloads, RELOAD_REFUSED);
}

static void finish_loading(struct reloads *reloads)
{
    struct zones_loading *loading = &reloads->loading;
    uint64_t generation = server_current(reloads->server)->generation;

    if (reloads->request.kind != REQUEST_RELOAD) {
        finish_let_go(reloads);
    } else if (reloads->request.is_dry) {
        drop_loaded(reloads);
        end_reload(reloads, reloads->diff == NULL ? RELOAD_REFUSED : RELOAD_TRIED);
    } else if (reloads->diff != NULL && !diff_guard(reloads->diff, &loading->err)) {
        drop_loaded(reloads);
        log_guarded(reloads);
        end_reload(reloads, RELOAD_GUARDED);
    } else if (loading->snapshot != NULL) {
        store(reloads);
    } else if (loading->outcome.is_unchanged) {
        zones_log_findings(loading->report);
        events_log_unchanged(loading, generation);
        if (reloads->state.is_behind)
            store(reloads);
        else
            end_reload(reloads, RELOAD_UNCHANGED);
    } else {
        zones_log_refusal(loading, generation);
        end_reload(reloads, RELOAD_REFUSED);
    }
}

static void reloads_on_loaded(uv_work_t *work, int status)
{
    struct reloads *reloads = work->data;

    (void)status; /* never cancelled */
    if (reloads->is_stopping)
        drop_loaded(reloads);
    else
        finish_loading(reloads);
}

static void begin_reload(struct reloads *reloads)
{
    if (reloads->is_reloading || reloads->is_stopping || !take_request(reloads))
        return;
    reloads->is_reloading = true;
    reloads_prepare(reloads, server_current(reloads->server));
    reloads->work.data = reloads;
    uv_queue_work(reloads->loop, &reloads->work, load_on_pool, reloads_on_loaded);
}

void reloads_request(struct reloads *reloads, struct call *call)
{
    if (call == NULL) {
        reloads->wants_reload = true;
    } else {
        call->next = reloads->waiting;
        reloads->waiting = call;
    }
    begin_reload(reloads);
}

void reloads_log_done(const struct reloads *reloads)
{
    const struct snapshot *snapshot = server_current(reloads->server);

    if (reloads->request.kind == REQUEST_RELOAD)
        events_log_reloaded(snapshot, &reloads->loading);
    else
        kept_log_let_go(snapshot, &reloads->loading, &reloads->names);
}

void reloads_finish(struct reloads *reloads)
{
    end_reload(reloads, RELOAD_DONE);
}

void reloads_stop(struct reloads *reloads)
{
    reloads->is_stopping = true;
    if (reloads->has_timer)
        uv_close((uv_handle_t *)&reloads->upkeep, NULL);
    reloads->has_timer = false;
    control_answer_stopping(reloads->calls);
    control_answer_stopping(reloads->waiting);
    reloads->calls = NULL;
    reloads->waiting = NULL;
}

void reloads_close(struct reloads *reloads)
{
    close_loading(reloads);
    state_close(&reloads->state);
    settings_reload_free(reloads->reloaded);
    free(reloads->folder);
    reloads->reloaded = NULL;
    reloads->folder = NULL;
}

#include "spacednsd/reloads.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "inspect/diff_print.h"
#include "spacednsd/events.h"
#include "spacednsd/findings_log.h"
#include "spacednsd/reload_first.h"
#include "spacednsd/reload_load.h"
#include "spacednsd/reload_registry.h"
#include "spacednsd/replica.h"
#include "spacednsd/settings_reload.h"

enum {
    REFUSAL_LINES_MOST = 50, /* in the log; plan prints all */
    US_PER_SECOND = 1000000,
};

bool reloads_init(struct reloads *reloads, const struct settings *settings)
{
    *reloads = (struct reloads){
        .settings = *settings, .key = hash_key_random(), .state = {.folder = -1, .zones = -1}};
    return reload_log_init(&reloads->log) && policy_set(&reloads->policy, settings);
}

/* A registry has no texts but of what has changed. */
static bool reads_all(const struct reloads *reloads, bool is_stored)
{
    return !reload_reads_registry(reloads) &&
           (reloads->queue.request.reads_all || (is_stored && reloads->state.is_behind));
}

void reloads_prepare(struct reloads *reloads, const struct snapshot *before)
{
    const char *folder = reloads->queue.request.folder;
    bool is_stored = state_is_used(&reloads->state) && !reloads->queue.request.is_dry;

    bool is_start = before == NULL && reloads->compiled != NULL;

    reloads->loading = (struct zones_loading){
        .zones = folder == NULL ? reloads->settings.zones : folder,
        .request = {.policy = &reloads->policy,
                    .key = reloads->key,
                    .threads = (unsigned)reloads->settings.workers,
                    .before = is_start ? reloads->compiled : before,
                    .is_start = is_start,
                    .stored = is_stored ? &reloads->state.stored : NULL,
                    .reads_all = reads_all(reloads, is_stored),
                    .now_s = clock_wall_us() / US_PER_SECOND,
                    .ran_s = storing_ran_s(&reloads->storing)},
    };
    reload_prepare_registry(reloads, before);
}

static void begin_reload(struct reloads *reloads);

/* Frees what was read, unless it is in force now. */
static void close_loading(struct reloads *reloads)
{
    struct zones_loading *loading = &reloads->loading;

    zones_loading_close(loading);
    if (loading->reloaded != reloads->reloaded)
        settings_reload_free(loading->reloaded);
    loading->reloaded = NULL;
    diff_free(reloads->diff);
    reloads->diff = NULL;
    questions_free(reloads->questions);
    reloads->questions = NULL;
    replay_free(reloads->replay);
    reloads->replay = NULL;
    kept_close_names(&reloads->queue.names);
}

static void record_history(struct reloads *reloads, enum reload_end end)
{
    const struct report *report = reloads->loading.report;
    struct reload_history *history = &reloads->history;

    history->ended[end]++;
    history->last_ms = zones_loading_ms(&reloads->loading);
    for (unsigned level = 0; level < RELOAD_FINDING_LEVELS; level++)
        history->findings[level] =
            report == NULL ? 0 : report_count(report, (enum finding_level)level);
}

static void record_last(struct reloads *reloads, enum reload_end end)
{
    struct reload_last *last = &reloads->last;

    if (end == RELOAD_DONE)
        reloads->history.adopted_ns = clock_monotonic_ns();
    if (reloads->queue.request.is_dry || reloads->queue.request.kind != REQUEST_RELOAD)
        return;
    record_history(reloads, end);
    *last = (struct reload_last){.has_been = true, .end = end, .ended_ns = clock_monotonic_ns()};
    if (end == RELOAD_REFUSED || end == RELOAD_GUARDED)
        findings_format_cause(&reloads->loading, &last->cause);
    reload_log_add(&reloads->log,
                   &(struct reload_entry){.at_s = clock_wall_us() / US_PER_SECOND,
                                          .end = end,
                                          .generation = server_current(reloads->server)->generation,
                                          .ms = reloads->history.last_ms,
                                          .files_changed = reloads->loading.outcome.read_count,
                                          .audit = reloads->queue.audit,
                                          .cause = last->cause});
}

static void free_last_good(struct reloads *reloads)
{
    load_last_good_free(reloads->last_good.files, reloads->last_good.count);
    reloads->last_good = (struct last_good){.files = NULL};
}

/* Follows a loading of all zone files that is now served. */
static void note_last_good(struct reloads *reloads)
{
    struct load_outcome *outcome = &reloads->loading.outcome;

    if (reloads->last_good.count > 0 && outcome->last_good_count == 0)
        log_sentence(LOG_INFO, "last_good_over",
                     "the files are correct, and served as they are again");
    free_last_good(reloads);
    reloads->last_good = (struct last_good){outcome->last_good, outcome->last_good_count};
    outcome->last_good = NULL;
    outcome->last_good_count = 0;
}

static void reloads_on_upkeep(uv_timer_t *timer)
{
    struct reloads *reloads = timer->data;

    reloads->queue.wants_upkeep = true;
    begin_reload(reloads);
}

/* Segments are held and released while no load does. */
static void reloads_on_compiling(void *context)
{
    struct reloads *reloads = context;

    if (!reloads->is_reloading && !reloads->is_held)
        compiling_settle(&reloads->compiling, &reloads->state, server_current(reloads->server));
}

/* Notes that zone files have changed which are now served. */
static void note_compiling(struct reloads *reloads)
{
    const struct load_outcome *outcome = &reloads->loading.outcome;

    if (reloads->queue.request.kind == REQUEST_RELOAD && !reloads->queue.request.is_dry &&
        state_is_used(&reloads->state) && outcome->change_count + outcome->read_count > 0)
        compiling_note(&reloads->compiling);
}

void reloads_start(struct reloads *reloads)
{
    uv_timer_init(reloads->loop, &reloads->upkeep);
    reloads->upkeep.data = reloads;
    reloads->has_timer = true;
    compiling_start(&reloads->compiling, reloads->loop, reloads_on_compiling, reloads);
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
                                   .replay = reloads->replay,
                                   .silent_workers = reloads->silent_workers,
                                   .names = &reloads->queue.names,
                                   .ms = zones_loading_ms(&reloads->loading)};

    record_last(reloads, end);
    reload_note_ended(reloads, end);
    if (reloads->service != NULL && !reloads->queue.request.is_dry)
        service_ready(reloads->service, &reloads->last);
    if (reloads->queue.request.kind == REQUEST_RELOAD &&
        (end == RELOAD_DONE || end == RELOAD_UNCHANGED))
        note_last_good(reloads);
    if (end == RELOAD_DONE)
        note_compiling(reloads);
    if (reloads->diff != NULL && reloads->usage != NULL) {
        reloads->diff->asked = usage_keeping_asked;
        reloads->diff->asked_context = reloads->usage;
    }
    control_answer_reload(reloads->queue.calls, &result);
    reloads->queue.calls = NULL;
    close_loading(reloads);
    reloads->is_reloading = reloads->is_published = false;
    server_reclaim(reloads->server);
    reloads_on_compiling(reloads);
    schedule_upkeep(reloads);
    begin_reload(reloads);
    if (reloads->replica != NULL)
        replica_go_on(reloads->replica);
}

/* On a thread of the pool, so that signals are handled meanwhile. */
static void load_on_pool(uv_work_t *work)
{
    reload_load(work->data);
}

/* The previous settings live as long as a snapshot holds them. */
static void take_over_settings(struct reloads *reloads)
{
    struct settings_reload *reloaded = reloads->loading.reloaded;

    if (reloaded == NULL)
        return; /* the first loading uses the settings of the start */
    settings_reload_apply(&reloaded->settings, &reloads->settings);
    server_set_log(reloads->server, &reloaded->settings);
    settings_reload_free(reloads->reloaded);
    reloads->reloaded = reloaded;
    reloads->settings = reloaded->settings;
    reloads->policy = reloaded->policy;
}

void reloads_publish(struct reloads *reloads)
{
    const struct snapshot *snapshot = reloads->loading.snapshot;

    take_over_settings(reloads);
    if (reloads->queue.request.kind == REQUEST_RELOAD) {
        findings_log(reloads->loading.report);
        kept_log_fallen(snapshot, &reloads->loading.outcome.fallen);
    }
    if (reloads->usage != NULL)
        usage_keeping_note_published(reloads->usage, snapshot);
    reloads->is_published = true;
    if (reloads->replica != NULL)
        reloads->loading.snapshot->is_waiting = replica_is_waiting(reloads->replica);
    server_publish(reloads->server, reloads->loading.snapshot);
    reload_note_published(reloads);
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
    findings_log_refusal(&reloads->loading, server_current(reloads->server)->generation,
                         &reloads->queue.audit);
}

/* Frees what was loaded and must not be served. */
static void drop_loaded(struct reloads *reloads)
{
    snapshot_free(reloads->loading.snapshot);
    reloads->loading.snapshot = NULL;
}

/* ---- state ---- */

void reloads_note_stored(struct reloads *reloads)
{
    storing_note(&reloads->storing, &reloads->state, &reloads->loading.outcome);
    reloads->state.damage.code = ERR_NONE; /* logged */
    state_drop_names(&reloads->state);
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
    reloads_note_stored(reloads);
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

    if (reloads->queue.request.kind != REQUEST_RELOAD) {
        finish_let_go(reloads);
    } else if (reloads->queue.request.is_dry) {
        drop_loaded(reloads);
        end_reload(reloads, reloads->diff == NULL ? RELOAD_REFUSED : RELOAD_TRIED);
    } else if (reloads->diff != NULL && !diff_guard(reloads->diff, &loading->err)) {
        drop_loaded(reloads);
        log_guarded(reloads);
        end_reload(reloads, RELOAD_GUARDED);
    } else if (loading->snapshot != NULL) {
        store(reloads);
    } else if (loading->outcome.is_unchanged) {
        findings_log(loading->report);
        if (!reloads->queue.request.is_documents)
            events_log_unchanged(loading, generation, &reloads->queue.audit);
        if (reloads->state.is_behind)
            store(reloads);
        else
            end_reload(reloads, RELOAD_UNCHANGED);
    } else {
        findings_log_refusal(loading, generation, &reloads->queue.audit);
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

void reloads_note_idle(struct reloads *reloads)
{
    if (reloads->is_held && !reloads->is_reloading && reloads->on_idle != NULL)
        reloads->on_idle(reloads->context);
}

static void begin_reload(struct reloads *reloads)
{
    reloads_note_idle(reloads);
    if (reloads->is_reloading || reloads->is_stopping || reloads->is_held ||
        !reload_queue_take(&reloads->queue, reloads->settings.reload_guard))
        return;
    reloads->is_reloading = true;
    if (reloads->service != NULL && reloads->queue.request.kind == REQUEST_RELOAD &&
        !reloads->queue.request.is_dry && !reloads->queue.request.is_documents)
        service_reload(reloads->service);
    reloads_prepare(reloads, server_current(reloads->server));
    if (reloads->queue.request.has_traffic && reloads->usage != NULL)
        reloads->questions = questions_copy(reloads->usage->questions);
    reloads->work.data = reloads;
    uv_queue_work(reloads->loop, &reloads->work, load_on_pool, reloads_on_loaded);
}

void reloads_request(struct reloads *reloads, struct call *call)
{
    reload_queue_add(&reloads->queue, call);
    begin_reload(reloads);
}

void reloads_request_by_signal(struct reloads *reloads, const struct signal_sender *sender)
{
    reload_queue_add_signal(&reloads->queue, sender);
    begin_reload(reloads);
}

void reloads_request_documents(struct reloads *reloads)
{
    reloads->queue.wants_documents = true;
    begin_reload(reloads);
}

void reloads_log_done(const struct reloads *reloads)
{
    const struct snapshot *snapshot = server_current(reloads->server);

    if (reloads->queue.request.kind == REQUEST_RELOAD)
        events_log_reloaded(snapshot, &reloads->loading, &reloads->tally, &reloads->queue.audit);
    else
        kept_log_let_go(snapshot, &reloads->loading, &reloads->queue.names, &reloads->queue.audit);
}

void reloads_finish(struct reloads *reloads)
{
    end_reload(reloads, RELOAD_DONE);
}

bool reloads_hold(struct reloads *reloads)
{
    reloads->is_held = true;
    compiling_pause(&reloads->compiling);
    return !reloads->is_reloading;
}

void reloads_resume(struct reloads *reloads, bool had_writer)
{
    reloads->is_held = false;
    compiling_resume(&reloads->compiling);
    if (had_writer && state_is_used(&reloads->state)) {
        reloads->state.is_behind = true;
        reloads->queue.wants_reload = true;
    }
    begin_reload(reloads);
}

void reloads_stop(struct reloads *reloads)
{
    reloads->is_stopping = true;
    if (reloads->has_timer)
        uv_close((uv_handle_t *)&reloads->upkeep, NULL);
    reloads->has_timer = false;
    compiling_stop(&reloads->compiling);
    reload_queue_stop(&reloads->queue);
}

void reloads_close(struct reloads *reloads)
{
    close_loading(reloads);
    free_last_good(reloads);
    compiling_close(&reloads->compiling);
    reload_first_close(reloads);
    state_close(&reloads->state);
    settings_reload_free(reloads->reloaded);
    reload_queue_close(&reloads->queue);
    reload_log_close(&reloads->log);
    reloads->reloaded = NULL;
}

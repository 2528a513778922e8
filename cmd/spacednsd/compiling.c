#include "spacednsd/compiling.h"

#include "spacednsd/write_events.h"

static const struct write_events events = {.failed = "compiled_failed",
                                           .stored = "compiled_stored",
                                           .text = "the compiled zone files are written again"};

static void compiling_on_due(uv_timer_t *timer);

static void wait(struct compiling *compiling, uint64_t ms)
{
    if (compiling->has_timer && !uv_is_active((uv_handle_t *)&compiling->timer))
        uv_timer_start(&compiling->timer, compiling_on_due, ms, 0);
}

static void compiling_on_due(uv_timer_t *timer)
{
    struct compiling *compiling = timer->data;

    compiling->is_due = true;
    compiling->on_due(compiling->context);
}

void compiling_start(struct compiling *compiling, uv_loop_t *loop, void (*on_due)(void *context),
                     void *context)
{
    uv_timer_init(loop, &compiling->timer);
    compiling->timer.data = compiling;
    compiling->on_due = on_due;
    compiling->context = context;
    compiling->has_timer = true;
}

void compiling_note(struct compiling *compiling)
{
    uint64_t ms = COMPILING_SOON_MS;

    if (!compiling->has_timer)
        return;
    uint64_t now_ms = uv_now(compiling->timer.loop);
    uint64_t next_ms = compiling->ended_ms == 0 ? 0 : compiling->ended_ms + COMPILING_SELDOM_MS;
    if (next_ms > now_ms + ms)
        ms = next_ms - now_ms;
    wait(compiling, ms);
}

/* On a thread of the pool. */
static void write_on_pool(uv_work_t *work)
{
    struct compiling *compiling = work->data;

    compiling->is_written = compiled_write(compiling->compiled, compiling->folder,
                                           &compiling->is_stopping, &compiling->err);
}

/* What changed during the write, or failed, is due again: seldom, as from its end. */
static void note_again(struct compiling *compiling)
{
    uv_timer_t *timer = &compiling->timer;

    if (compiling->err.code == ERR_NONE && !compiling->is_due &&
        !uv_is_active((uv_handle_t *)timer))
        return;
    uv_timer_stop(timer);
    compiling->is_due = false;
    compiling_note(compiling);
}

static void compiling_on_written(uv_work_t *work, int status)
{
    struct compiling *compiling = work->data;

    (void)status; /* never cancelled */
    compiling->is_writing = false;
    if (!compiling->has_timer)
        return;                                                     /* stopped */
    if (compiling->is_written || compiling->err.code != ERR_NONE) { /* not ended by a pause */
        compiling->ended_ms = uv_now(compiling->timer.loop);
        write_events_note(&events, &compiling->err, &compiling->problem);
    }
    note_again(compiling);
    compiling->on_due(compiling->context);
}

void compiling_settle(struct compiling *compiling, const struct state *state,
                      const struct snapshot *snapshot)
{
    if (compiling->is_writing || !compiling->has_timer)
        return;
    compiled_release(compiling->compiled);
    compiling->compiled = NULL;
    if (!compiling->is_due)
        return;
    compiling->is_due = false;
    if (!state_is_used(state))
        return;
    if (!state->is_behind)
        compiling->compiled = compiled_hold(snapshot);
    if (compiling->compiled == NULL) {
        wait(compiling, COMPILING_SELDOM_MS);
        return;
    }
    compiling->folder = state->folder;
    compiling->err.code = ERR_NONE;
    compiling->work.data = compiling;
    compiling->is_writing = true;
    uv_queue_work(compiling->timer.loop, &compiling->work, write_on_pool, compiling_on_written);
}

void compiling_pause(struct compiling *compiling)
{
    atomic_store_explicit(&compiling->is_stopping, true, memory_order_relaxed);
}

/* What was not written, or only in part, is written after all. */
void compiling_resume(struct compiling *compiling)
{
    atomic_store_explicit(&compiling->is_stopping, false, memory_order_relaxed);
    compiling_note(compiling);
}

void compiling_stop(struct compiling *compiling)
{
    compiling_pause(compiling);
    if (compiling->has_timer)
        uv_close((uv_handle_t *)&compiling->timer, NULL);
    compiling->has_timer = false;
}

void compiling_close(struct compiling *compiling)
{
    compiled_release(compiling->compiled);
    compiling->compiled = NULL;
}

// wrap: uv_now uv_timer_start uv_queue_work compiled_hold compiled_release compiled_write
// forks: its tests leave something behind
#include "spacednsd/compiling.h"

#include <string.h>

#include "support/capture.h"
#include "support/suite.h"

/* The loop's clock and timer, the pool, and what is held, as the test has them. */
static uint64_t now_ms, due_ms;
static uv_timer_cb on_timer;
static uv_work_cb work_on_pool;
static uv_after_work_cb on_worked;
static unsigned held, writes, dues;
static bool is_without_memory;
static struct err next_problem; /* of the next write */

static uv_loop_t loop;
static struct compiling compiling;
static struct state state;
static struct snapshot *const snapshot =
    (struct snapshot *)(void *)&state; /* nobody looks into it */
static struct capture capture;

uint64_t __wrap_uv_now(const uv_loop_t *of);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_due, uint64_t ms, uint64_t repeat_ms);
int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_due, uint64_t ms, uint64_t repeat_ms);
int __wrap_uv_queue_work(uv_loop_t *of, uv_work_t *work, uv_work_cb work_fn,
                         uv_after_work_cb after);
struct compiled *__wrap_compiled_hold(const struct snapshot *of);
void __wrap_compiled_release(struct compiled *compiled);
bool __wrap_compiled_write(const struct compiled *compiled, int folder,
                           const atomic_bool *is_stopping, struct err *err);

uint64_t __wrap_uv_now(const uv_loop_t *of)
{
    (void)of;
    return now_ms;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_due, uint64_t ms, uint64_t repeat_ms)
{
    ck_assert_ptr_eq(timer, &compiling.timer);
    ck_assert_uint_eq(repeat_ms, 0);
    on_timer = on_due;
    due_ms = now_ms + ms;
    return __real_uv_timer_start(timer, on_due, ms, repeat_ms); /* active, but no loop runs */
}

/* When the timer fires; 0: it does not run. */
static uint64_t next_ms(void)
{
    return uv_is_active((uv_handle_t *)&compiling.timer) ? due_ms : 0;
}

int __wrap_uv_queue_work(uv_loop_t *of, uv_work_t *work, uv_work_cb work_fn, uv_after_work_cb after)
{
    (void)of;
    ck_assert_ptr_eq(work, &compiling.work);
    ck_assert(work_on_pool == NULL); /* one at a time */
    work_on_pool = work_fn;
    on_worked = after;
    return 0;
}

struct compiled *__wrap_compiled_hold(const struct snapshot *of)
{
    ck_assert_ptr_eq(of, snapshot);
    if (is_without_memory)
        return NULL;
    held++;
    return (struct compiled *)(void *)&held;
}

void __wrap_compiled_release(struct compiled *compiled)
{
    ck_assert(work_on_pool == NULL); /* never while it is written */
    held -= compiled != NULL;
}

/* Stopped, it has written nothing, and that is no failure. */
bool __wrap_compiled_write(const struct compiled *compiled, int folder,
                           const atomic_bool *is_stopping, struct err *err)
{
    ck_assert_ptr_nonnull(compiled);
    ck_assert_int_eq(folder, state.folder);
    if (atomic_load(is_stopping))
        return false;
    writes++;
    if (next_problem.code != ERR_NONE)
        *err = next_problem;
    return next_problem.code == ERR_NONE;
}

static void on_due(void *context)
{
    ck_assert_ptr_eq(context, &held);
    dues++;
}

static void set_up(void)
{
    now_ms = 1000;
    held = writes = dues = 0;
    next_problem.code = ERR_NONE;
    state = (struct state){.folder = 7};
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    compiling = (struct compiling){.is_due = false};
    compiling_start(&compiling, &loop, on_due, &held);
}

/* The clock goes on; the timer fires in time. */
static void pass(uint64_t ms)
{
    now_ms += ms;
    if (next_ms() == 0 || next_ms() > now_ms)
        return;
    uv_timer_stop(&compiling.timer);
    on_timer(&compiling.timer);
}

static void settle(void)
{
    compiling_settle(&compiling, &state, snapshot);
}

/* The pool does its work. */
static void work(void)
{
    uv_work_cb run = work_on_pool;

    ck_assert(run != NULL);
    run(&compiling.work);
}

/* The loop gets to know of it; what is logged is in `capture`. */
static void end_work(void)
{
    work_on_pool = NULL;
    capture_start(&capture);
    on_worked(&compiling.work, 0);
    capture_stop(&capture);
}

/* A write that begins now, and ends. */
static void write_once(void)
{
    unsigned before = writes;

    compiling_note(&compiling);
    pass(COMPILING_SELDOM_MS + COMPILING_SOON_MS);
    settle();
    work();
    end_work();
    settle();
    ck_assert_uint_eq(writes, before + 1);
}

static void tear_down(void)
{
    compiling_stop(&compiling);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (work_on_pool != NULL) {
        work();
        end_work();
    }
    compiling_close(&compiling);
    ck_assert_uint_eq(held, 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

FIXTURE(set_up, tear_down)

TEST(a_change_is_written_soon_and_released)
{
    settle(); /* nothing has changed */
    ck_assert_uint_eq(held, 0);
    compiling_note(&compiling);
    pass(COMPILING_SOON_MS - 1);
    settle();
    ck_assert_uint_eq(held + dues, 0);
    compiling_note(&compiling); /* another does not put it off */
    pass(1);
    ck_assert_uint_eq(dues, 1);
    settle();
    ck_assert_uint_eq(held, 1);
    work();
    end_work();
    ck_assert_uint_eq(dues, 2);
    ck_assert_uint_eq(held, 1);
    settle(); /* not before: a load may be under way */
    ck_assert_uint_eq(held, 0);
    ck_assert_uint_eq(writes, 1);
    ck_assert_str_eq(capture.text, "");
    ck_assert_uint_eq(next_ms(), 0);
}

TEST(further_changes_are_written_seldom)
{
    write_once();
    for (unsigned i = 0; i < 10; i++) {
        compiling_note(&compiling);
        pass(COMPILING_SOON_MS);
    }
    ck_assert_uint_eq(next_ms(), now_ms - 10 * COMPILING_SOON_MS + COMPILING_SELDOM_MS);
    pass(2 * COMPILING_SELDOM_MS);
    settle();
    work();
    end_work();
    ck_assert_uint_eq(writes, 2);
    pass(2 * COMPILING_SELDOM_MS);
    compiling_note(&compiling);
    ck_assert_uint_eq(next_ms(), now_ms + COMPILING_SOON_MS); /* the last one is long ago */
}

/* A write of a large state takes long: what changes meanwhile is due long after its end, too. */
TEST_LOOP(a_reload_during_a_write_is_written_seldom_after_it, 0, 2)
{
    compiling_note(&compiling);
    pass(COMPILING_SOON_MS);
    settle();
    compiling_note(&compiling);
    pass(_i == 0 ? COMPILING_SOON_MS : 1); /* due by the end of the write, or not yet */
    settle();
    ck_assert_uint_eq(held, 1);
    work();
    end_work();
    settle();
    ck_assert_uint_eq(held, 0);
    ck_assert_uint_eq(next_ms(), now_ms + COMPILING_SELDOM_MS);
    pass(COMPILING_SELDOM_MS);
    settle();
    work();
    end_work();
    ck_assert_uint_eq(writes, 2);
}

TEST(a_disk_that_is_full_is_logged_once_and_tried_again_seldom)
{
    err_set(&next_problem, ERR_SYSTEM, "compiled cannot be written: no space");
    write_once();
    ck_assert_ptr_nonnull(strstr(
        capture.text, " warning compiled_failed text=\"compiled cannot be written: no space\""));
    ck_assert_uint_eq(next_ms(), now_ms + COMPILING_SELDOM_MS);
    write_once();
    ck_assert_str_eq(capture.text, "");
    next_problem.code = ERR_NONE;
    write_once();
    ck_assert_ptr_nonnull(strstr(capture.text, " info compiled_stored "));
    ck_assert_uint_eq(next_ms(), 0);
    write_once();
    ck_assert_str_eq(capture.text, "");
}

TEST(a_state_that_is_behind_or_not_in_use_is_not_compiled)
{
    compiling_note(&compiling);
    state.is_behind = true;
    pass(COMPILING_SOON_MS);
    settle();
    ck_assert_uint_eq(held, 0);
    ck_assert_uint_eq(next_ms(), now_ms + COMPILING_SELDOM_MS); /* later, perhaps */
    state = (struct state){.folder = -1};
    pass(COMPILING_SELDOM_MS);
    settle();
    ck_assert_uint_eq(held, 0);
    ck_assert_uint_eq(next_ms(), 0);
}

TEST(without_memory_it_is_tried_again_seldom)
{
    is_without_memory = true;
    compiling_note(&compiling);
    pass(COMPILING_SOON_MS);
    settle();
    ck_assert_uint_eq(next_ms(), now_ms + COMPILING_SELDOM_MS);
}

/* As in an upgrade that fails: whether the write has ended by then, or not. */
TEST_LOOP(a_write_that_was_stopped_is_done_soon_after_all, 0, 2)
{
    compiling_note(&compiling);
    pass(COMPILING_SOON_MS);
    settle();
    compiling_pause(&compiling);
    work();
    if (_i == 0)
        end_work();
    compiling_resume(&compiling);
    if (_i == 1)
        end_work();
    settle();
    ck_assert_uint_eq(writes, 0);
    ck_assert_uint_eq(held, 0);
    ck_assert_uint_eq(next_ms(), now_ms + COMPILING_SOON_MS);
    pass(COMPILING_SOON_MS);
    settle();
    work();
    end_work();
    ck_assert_uint_eq(writes, 1);
}

/* Nothing was written, so nothing is written again. */
TEST(a_write_that_was_stopped_is_no_end_of_a_failure)
{
    err_set(&next_problem, ERR_SYSTEM, "compiled cannot be written: no space");
    write_once();
    pass(COMPILING_SELDOM_MS);
    settle();
    compiling_pause(&compiling);
    work();
    end_work();
    ck_assert_str_eq(capture.text, "");
    compiling_resume(&compiling);
    next_problem.code = ERR_NONE;
    write_once();
    ck_assert_ptr_nonnull(strstr(capture.text, " info compiled_stored "));
}

/* The end of the process in the middle of a write: held until the loop has ended. */
TEST(what_is_written_at_the_end_is_held_until_then)
{
    compiling_note(&compiling);
    pass(COMPILING_SOON_MS);
    settle();
    compiling_stop(&compiling);
    settle();
    compiling_note(&compiling);
    ck_assert_uint_eq(held, 1);
    work();
    end_work();
    ck_assert_uint_eq(writes, 0);
    ck_assert_uint_eq(dues, 1);
    ck_assert_uint_eq(next_ms(), 0);
    settle();
    ck_assert_uint_eq(held, 1);
}

TEST(nothing_is_noted_before_the_start)
{
    struct compiling none = {.is_due = false};

    compiling_note(&none);
    compiling_settle(&none, &state, snapshot);
    compiling_stop(&none);
    compiling_close(&none);
    ck_assert_uint_eq(next_ms(), 0);
}

// wrap: clock_monotonic_ns clock_wall_us
#include "spacednsd/usage_keeping.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/flowing.h"
#include "support/scratch.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "wire/types.h"

enum { BEGAN_S = 1700000000, YEAR_S = 365 * 86400 };

static struct usage_keeping keeping;
static const struct state state = {.folder = -1};
static struct flowing flowing;
static uv_loop_t loop;
static int64_t ran_ms; /* the monotonic clock */
static int64_t wall_s; /* the wall clock at its beginning */

uint64_t __wrap_clock_monotonic_ns(void);
int64_t __wrap_clock_wall_us(void);

uint64_t __wrap_clock_monotonic_ns(void)
{
    return (uint64_t)ran_ms * 1000000;
}

int64_t __wrap_clock_wall_us(void)
{
    return wall_s * 1000000 + ran_ms * 1000;
}

static void set_up(void)
{
    ran_ms = 1000;
    wall_s = BEGAN_S;
    snapshot_set_up();
    flowing_init(&flowing, fixture.snapshot);
    uv_loop_init(&loop);
    ck_assert(usage_keeping_start(&keeping, &loop, &state, 10));
}

static void tear_down(void)
{
    usage_keeping_stop(&keeping);
    usage_keeping_close(&keeping);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    flowing_close(&flowing);
    snapshot_tear_down();
}

FIXTURE(set_up, tear_down)

/* One answer with a dyno, at `now_ms` of the monotonic clock. */
static void ask_at(int64_t now_ms)
{
    ran_ms = now_ms;
    flowing_at(&flowing, (uint64_t)now_ms);
    flowing_reply(&flowing, "10.0.132.9", "1.web.frozen-oasis-70544.app.localspace", TYPE_A, 1);
    usage_keeping_add(&keeping, flowing_take(&flowing));
    flows_return(flowing.flows);
}

static uint32_t last_asked(void)
{
    uint32_t app = usage_find_app(keeping.usage, "test-space", "frozen-oasis-70544");

    return usage_app(keeping.usage, app)->asked.last_s;
}

static uint32_t in_use_until(void)
{
    return expiries_next(usage_expiries(keeping.usage), NULL)->until_s;
}

TEST(flows_have_the_time_of_day)
{
    ask_at(5000);
    ck_assert_uint_eq(last_asked(), BEGAN_S + 5);
    ck_assert_uint_eq(in_use_until(), BEGAN_S + 5 + 31);
}

TEST(a_clock_that_is_set_back_leaves_nothing_in_the_time_to_come)
{
    wall_s += YEAR_S;
    ask_at(5000);
    ck_assert_uint_eq(last_asked(), BEGAN_S + YEAR_S + 5);
    wall_s -= YEAR_S;
    ask_at(6000);
    ck_assert_uint_eq(last_asked(), BEGAN_S + 6);
    ck_assert_uint_eq(in_use_until(), BEGAN_S + 6 + 1 + LONGEST_TTL_USUAL_S);
}

/* Time goes on, and both clocks are read one after the other. */
TEST(a_clock_that_is_slewed_shortens_nothing)
{
    ask_at(5000);
    expiries_raise_floor(usage_expiries(keeping.usage), BEGAN_S + 9000);
    wall_s -= 1;
    ask_at(7000);
    ck_assert_uint_eq(expiries_floor(usage_expiries(keeping.usage)), BEGAN_S + 9000);
    wall_s += YEAR_S;
    ask_at(8000);
    ck_assert_uint_eq(expiries_floor(usage_expiries(keeping.usage)), BEGAN_S + 9000);
}

/* The server before had a clock that was ahead. */
TEST(what_is_read_is_not_in_the_time_to_come)
{
    wall_s += YEAR_S;
    ask_at(5000);
    wall_s -= YEAR_S;
    usage_keeping_read(&keeping);
    ck_assert_uint_eq(last_asked(), BEGAN_S + 5);
    ck_assert_uint_eq(in_use_until(), BEGAN_S + 5 + 1 + LONGEST_TTL_USUAL_S);
}

/* ---- the state folder, and servers one after the other ---- */

static struct scratch folder;
static struct state used_state;

static void set_up_folder(void)
{
    ran_ms = 1000;
    wall_s = BEGAN_S;
    scratch_init(&folder);
    used_state =
        (struct state){.path = folder.path, .folder = open(folder.path, O_RDONLY | O_DIRECTORY)};
    uv_loop_init(&loop);
}

static void tear_down_folder(void)
{
    uv_loop_close(&loop);
    close(used_state.folder);
    scratch_close(&folder);
}

FIXTURE(set_up_folder, tear_down_folder)

/* Published, and adopted by every worker. */
static void serve(uint32_t ttl_s)
{
    const struct segment segment = {.dyno_ttl_seconds = ttl_s};
    const struct segment *segments[] = {&segment};
    const struct snapshot snapshot = {.segments = segments, .segment_count = 1};

    usage_keeping_note_published(&keeping, &snapshot);
    usage_keeping_read(&keeping); /* the first time */
    usage_keeping_note_adopted(&keeping, &snapshot);
}

static void begin(const struct state *with, uint32_t ttl_s)
{
    ck_assert(usage_keeping_start(&keeping, &loop, with, 10));
    uv_ref((uv_handle_t *)&keeping.timer); /* so that the loop runs it */
    serve(ttl_s);
}

/* Writes what is due now, on the pool. */
static void write_due(void)
{
    ck_assert_uint_eq(uv_timer_get_due_in(&keeping.timer), 0);
    do
        uv_run(&loop, UV_RUN_NOWAIT);
    while (keeping.is_changed || keeping.is_writing);
}

static void write_after(int64_t seconds)
{
    ran_ms += seconds * 1000;
    uv_timer_start(&keeping.timer, keeping.timer.timer_cb, 0, USAGE_STORED_MS);
    write_due();
}

static void end_well(void)
{
    usage_keeping_stop(&keeping);
    usage_keeping_close(&keeping);
    uv_run(&loop, UV_RUN_DEFAULT);
}

/* Nothing more is written. */
static void crash(void)
{
    keeping.is_read = false;
    end_well();
}

static uint32_t unsafe_for(void)
{
    uint32_t floor_s = expiries_floor(usage_expiries(keeping.usage));
    uint32_t now_s = (uint32_t)(__wrap_clock_wall_us() / 1000000);

    return floor_s > now_s ? floor_s - now_s : 0;
}

TEST(after_a_crash_answers_with_a_ttl_that_was_lowered_are_still_in_use)
{
    begin(&used_state, 300);
    write_after(1);
    serve(10);
    write_after(20);
    crash();
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), 301 - 20);
    crash();
}

TEST(after_a_crash_a_ttl_that_was_in_force_when_the_file_was_written_may_have_been_until_the_end)
{
    begin(&used_state, 300);
    write_after(1);
    ran_ms += 1000000;
    crash();
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), 301);
    crash();
}

TEST(a_ttl_that_is_raised_is_written_at_once)
{
    begin(&used_state, 10);
    write_after(1);
    serve(300);
    write_due();
    crash();
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), 301);
    crash();
}

TEST(a_ttl_that_is_raised_while_the_file_is_written_is_written_after_it)
{
    begin(&used_state, 10);
    uv_timer_start(&keeping.timer, keeping.timer.timer_cb, 0, USAGE_STORED_MS);
    while (!keeping.is_writing)
        uv_run(&loop, UV_RUN_NOWAIT);
    serve(300);
    do
        uv_run(&loop, UV_RUN_NOWAIT);
    while (keeping.is_urgent || keeping.is_writing);
    crash();
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), 301);
    crash();
}

TEST(what_is_not_counted_yet_may_have_a_ttl_that_was_lowered)
{
    begin(&used_state, 300);
    uint32_t now_s = BEGAN_S + 1;
    ck_assert_uint_eq(usage_keeping_latest(&keeping, now_s), now_s + 301);
    serve(10);
    ck_assert_uint_eq(usage_keeping_latest(&keeping, now_s + 20), now_s + 301);
    ck_assert_uint_eq(usage_keeping_latest(&keeping, now_s + 400), now_s + 411);
    crash();
}

TEST(a_snapshot_that_not_every_worker_has_leaves_the_ttl_in_force)
{
    const struct snapshot none = {.segment_count = 0};

    begin(&used_state, 300);
    usage_keeping_note_published(&keeping, &none);
    ck_assert_uint_eq(usage_keeping_latest(&keeping, BEGAN_S + 900), BEGAN_S + 900 + 301);
    crash();
}

TEST(a_server_before_that_is_still_leaving_may_have_any_usual_ttl)
{
    ck_assert(usage_keeping_start(&keeping, &loop, &used_state, 10));
    ck_assert_uint_eq(usage_keeping_latest(&keeping, BEGAN_S), BEGAN_S + 1 + LONGEST_TTL_USUAL_S);
    crash();
}

/* A folder without the file is one that no server has used; of the others, nothing is known. */
static const struct {
    bool has_folder;
    const char *file; /* NULL: none */
    uint32_t unsafe_for;
} unknown[] = {
    {true, NULL, 11},
    {true, "damaged", LONGEST_TTL_USUAL_S + 1},
    {false, NULL, LONGEST_TTL_USUAL_S + 1},
};

TEST_OVER(where_the_ttl_of_the_server_before_is_not_known_it_was_any_usual_one, unknown)
{
    if (unknown[_i].file != NULL)
        scratch_write(&folder, "usage", unknown[_i].file, strlen(unknown[_i].file));
    begin(unknown[_i].has_folder ? &used_state : &state, 10);
    ck_assert_uint_eq(unsafe_for(), unknown[_i].unsafe_for);
    crash();
}

TEST(after_a_clean_stop_nothing_is_in_use_that_is_not_known)
{
    begin(&used_state, 10);
    ran_ms += 60000;
    end_well();
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), 0);
    crash();
}

/* ---- nothing can be written ---- */

/* No draft can be made, as on a full disk. */
static void fill_disk(void)
{
    ck_assert_int_eq(mkdirat(used_state.folder, "usage.draft", 0700), 0);
}

static void empty_disk(void)
{
    ck_assert_int_eq(unlinkat(used_state.folder, "usage.draft", AT_REMOVEDIR), 0);
}

static bool has_file(const char *name)
{
    return faccessat(used_state.folder, name, F_OK, 0) == 0;
}

TEST(last_words_count_once_even_if_nothing_can_be_written_after_them)
{
    begin(&used_state, 10);
    uint32_t since_s = usage_since(keeping.usage);
    end_well();
    fill_disk();
    ran_ms += 60000;
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), 0);
    crash();
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), LONGEST_TTL_USUAL_S + 1);
    ck_assert_uint_eq(usage_since(keeping.usage), since_s); /* what was counted is read */
    crash();
    empty_disk();
}

TEST(last_words_that_cannot_be_put_aside_are_none)
{
    begin(&used_state, 10);
    end_well();
    fill_disk();
    ck_assert_int_eq(mkdirat(used_state.folder, "usage.before", 0700), 0);
    ran_ms += 60000;
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), 11);
    crash();
    ck_assert_int_eq(unlinkat(used_state.folder, "usage.before", AT_REMOVEDIR), 0);
    empty_disk();
}

TEST(a_ttl_that_is_raised_and_cannot_be_written_may_be_any_usual_one)
{
    begin(&used_state, 10);
    write_after(1);
    fill_disk();
    serve(200);
    while (keeping.is_urgent || keeping.is_writing)
        uv_run(&loop, UV_RUN_NOWAIT);
    crash();
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), LONGEST_TTL_USUAL_S + 1);
    crash();
    empty_disk();
}

TEST(what_was_put_aside_is_removed_once_it_is_written_again)
{
    begin(&used_state, 10);
    fill_disk();
    serve(200);
    while (keeping.is_urgent || keeping.is_writing)
        uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert(has_file("usage.before") && !has_file("usage"));
    empty_disk();
    ck_assert(keeping.is_changed);
    write_after(120);
    ck_assert(!has_file("usage.before") && has_file("usage"));
    crash();
}

TEST(a_server_that_crashes_before_it_is_due_has_written_its_ttl)
{
    begin(&used_state, 300);
    crash();
    begin(&used_state, 10);
    ck_assert_uint_eq(unsafe_for(), 301);
    crash();
}

// wrap: clock_monotonic_ns clock_wall_us
#include "spacednsd/usage_keeping.h"

#include "base/clock.h"
#include "support/flowing.h"
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
    ck_assert_uint_eq(in_use_until(), BEGAN_S + 6 + 1 + USAGE_TTL_MOST_S);
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
    usage_keeping_read(&keeping, fixture.snapshot);
    ck_assert_uint_eq(last_asked(), BEGAN_S + 5);
    ck_assert_uint_eq(in_use_until(), BEGAN_S + 5 + 1 + USAGE_TTL_MOST_S);
}

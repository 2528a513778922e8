// wrap: clock_monotonic_ns
#include "spacednsd/storing.h"

#include <string.h>

#include "base/clock.h"
#include "support/capture.h"
#include "support/suite.h"

static uint64_t now_ns;
static struct storing storing;
static struct state state;
static struct load_outcome outcome;
static struct capture capture;

uint64_t __wrap_clock_monotonic_ns(void);

uint64_t __wrap_clock_monotonic_ns(void)
{
    return now_ns;
}

static void advance_ms(uint64_t ms)
{
    now_ns += ms * 1000000;
}

static void set_up(void)
{
    now_ns = UINT64_C(1) << 40;
    storing = (struct storing){.opened_ns = 0};
    state = (struct state){.folder = 3, .path = "/var/state", .stored = {.ran_s = 100}};
    outcome = (struct load_outcome){.is_unchanged = false};
}

/* A write ends: well, or with a problem. What is logged is in `capture`. */
static void note(bool has_failed)
{
    state.problem = (struct err){.code = ERR_NONE};
    state.is_behind = has_failed;
    if (has_failed)
        err_set(&state.problem, ERR_SYSTEM, "/var/state cannot be written: no space; free some");
    capture_start(&capture);
    storing_note(&storing, &state, &outcome);
    capture_stop(&capture);
}

static void expect_logged(const char *part)
{
    ck_assert_msg(strstr(capture.text, part) != NULL, "logged: %s", capture.text);
}

FIXTURE(set_up, NULL)

TEST(the_running_time_goes_on_from_what_is_stored)
{
    storing_begin(&storing, &state);
    ck_assert_int_eq(storing_ran_s(&storing), 100);
    advance_ms(1999);
    ck_assert_int_eq(storing_ran_s(&storing), 101);
    advance_ms(3600 * 1000);
    ck_assert_int_eq(storing_ran_s(&storing), 3701);
}

TEST(nothing_is_due_while_everything_is_stored)
{
    note(false);
    ck_assert_str_eq(capture.text, "");
    ck_assert_uint_eq(storing_next_ms(&storing, &state), 0);
    state.is_behind = true;
    state.folder = -1; /* not in use */
    ck_assert_uint_eq(storing_next_ms(&storing, &state), 0);
}

/* Twice as long after each failure, up to ten minutes. */
TEST(a_failed_write_is_tried_again_later_and_later)
{
    uint64_t wait_ms = 1000;

    for (unsigned i = 0; i < 14; i++) {
        note(true);
        ck_assert_uint_eq(storing_next_ms(&storing, &state), wait_ms + 1);
        advance_ms(wait_ms - 1);
        ck_assert_uint_eq(storing_next_ms(&storing, &state), 2);
        advance_ms(2);
        ck_assert_uint_eq(storing_next_ms(&storing, &state), 1);
        wait_ms = wait_ms * 2 < 600000 ? wait_ms * 2 : 600000;
    }
    ck_assert_uint_eq(wait_ms, 600000);
}

TEST(loads_that_store_before_a_try_is_due_do_not_put_it_off)
{
    note(true);
    for (unsigned i = 0; i < 12; i++) {
        advance_ms(50);
        note(true);
    }
    ck_assert_uint_eq(storing_next_ms(&storing, &state), 401);
    advance_ms(401);
    note(true);
    ck_assert_uint_eq(storing_next_ms(&storing, &state), 2001);
}

TEST(the_first_wait_is_short_again_after_a_write_that_went_well)
{
    for (unsigned i = 0; i < 5; i++)
        note(true);
    note(false);
    note(true);
    ck_assert_uint_eq(storing_next_ms(&storing, &state), 1001);
}

TEST(a_failure_and_its_end_are_logged_once)
{
    note(true);
    expect_logged(
        "warning state_failed text=\"/var/state cannot be written: no space; free some\"");
    note(true);
    ck_assert_str_eq(capture.text, "");
    note(false);
    expect_logged("info state_stored state_dir=/var/state text=\"everything is stored again\"");
    note(false);
    ck_assert_str_eq(capture.text, "");
}

TEST(a_folder_that_cannot_be_opened_is_logged_as_unused)
{
    state.folder = -1;
    note(true);
    expect_logged("warning state_unused text=\"/var/state cannot be written");
}

TEST(damage_is_logged)
{
    err_set(&state.damage, ERR_SYSTEM, "kept-back was damaged; its copy is used");
    outcome.lost_texts = 3;
    note(false);
    expect_logged("warning state_decayed text=\"kept-back was damaged; its copy is used\"");
    expect_logged("warning state_decayed count=3 text=\"texts of zone files in state_dir");
}

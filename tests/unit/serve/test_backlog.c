#include "serve/backlog.h"

#include "support/suite.h"

enum { NOW = 1000000 };

static const struct {
    const char *what;
    struct backlog backlog;
    bool is_old;
} ages[] = {
    {"none", {.is_there = false, .since_ms = 0}, false},
    {"just within the patience",
     {.is_there = true, .since_ms = NOW - BACKLOG_PATIENCE_MS + 1},
     false},
    {"beyond the patience", {.is_there = true, .since_ms = NOW - BACKLOG_PATIENCE_MS}, true},
    {"short after a drop",
     {.is_there = true, .since_ms = NOW - BACKLOG_LONG_MS, .dropped_ms = NOW},
     true},
    {"shorter after a drop",
     {.is_there = true, .since_ms = NOW - BACKLOG_LONG_MS + 1, .dropped_ms = NOW},
     false},
    {"short and the drop was a while ago",
     {.is_there = true, .since_ms = NOW - BACKLOG_LONG_MS, .dropped_ms = NOW - BACKLOG_OVERLOAD_MS},
     false},
    {"short and the drop was nearly as long ago",
     {.is_there = true,
      .since_ms = NOW - BACKLOG_LONG_MS,
      .dropped_ms = NOW - BACKLOG_OVERLOAD_MS + 1},
     true},
};

TEST_OVER(a_backlog_is_old_beyond_the_patience_which_is_less_after_a_drop, ages)
{
    ck_assert_msg(backlog_is_old(&ages[_i].backlog, NOW) == ages[_i].is_old, "%s", ages[_i].what);
}

/* At three requests a millisecond, 60 take as long as a backlog may. */
TEST(a_backlog_is_too_long_by_its_pace_so_far)
{
    struct backlog backlog = {.is_there = true, .since_ms = NOW - 200, .served = 600};

    ck_assert(!backlog_is_too_long(&backlog, 3 * BACKLOG_LONG_MS, NOW));
    ck_assert(backlog_is_too_long(&backlog, 3 * BACKLOG_LONG_MS + 1, NOW));
    ck_assert(!backlog_is_too_long(&backlog, 0, NOW));
}

TEST(a_backlog_begins_with_the_first_requests_left_over_and_ends_with_none)
{
    struct backlog backlog = {.served = 77};

    backlog_note_served(&backlog, 10, true, NOW);
    ck_assert(backlog.is_there);
    ck_assert_uint_eq(backlog.since_ms, NOW);
    ck_assert_uint_eq(backlog.served, 10);
    backlog_note_served(&backlog, 10, true, NOW + 5);
    ck_assert_uint_eq(backlog.since_ms, NOW);
    ck_assert_uint_eq(backlog.served, 20);
    backlog_note_served(&backlog, 10, false, NOW + 9);
    ck_assert(!backlog.is_there);
    backlog_note_served(&backlog, 10, true, NOW + 20);
    ck_assert_uint_eq(backlog.since_ms, NOW + 20);
    ck_assert_uint_eq(backlog.served, 10);
}

/* So that the next look at it finds it as old, and its pace as it was. */
TEST(a_drop_that_leaves_some_goes_on_with_the_same_backlog)
{
    struct backlog backlog = {.is_there = true, .since_ms = NOW - 300, .served = 600};

    backlog_note_dropped(&backlog, true, NOW);
    ck_assert(backlog_is_old(&backlog, NOW));
    ck_assert(backlog_is_too_long(&backlog, 3 * BACKLOG_LONG_MS + 1, NOW));
    backlog_note_dropped(&backlog, false, NOW + 1);
    ck_assert(!backlog_is_old(&backlog, NOW + 1));
    ck_assert_uint_eq(backlog.dropped_ms, NOW + 1);
}

TEST(requests_may_be_outdated_after_a_while_without_any)
{
    struct backlog backlog = {.read_ms = 0};

    ck_assert(!backlog_may_be_outdated(&backlog, NOW)); /* they waited for the server to begin */
    backlog_note_read(&backlog, NOW);
    ck_assert(!backlog_may_be_outdated(&backlog, NOW + BACKLOG_QUIET_MS));
    ck_assert(backlog_may_be_outdated(&backlog, NOW + BACKLOG_QUIET_MS + 1));
}

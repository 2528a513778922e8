#include "answer/segment_set.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/suite.h"
#include "support/zones.h"

enum { SEGMENTS = 4, SETS_MOST = 4, PUTS_MOST = 3 };

/* Segments that the test holds too: with one hold, no set holds them. */
static struct segment *segment_new(unsigned number)
{
    char text[128];

    snprintf(text, sizeof text, "space: set-%u\ncidr: 10.%u.0.0/16\nrouters: [10.%u.0.37]\n",
             number, number, number);
    return segment_of_text(text);
}

/* A set of all, which is set 0; every further one is a copy of an earlier one. */
static const struct row {
    const char *what;
    size_t set_count;
    unsigned copy_of[SETS_MOST];
    int puts[SETS_MOST][PUTS_MOST + 1]; /* numbers put into each, up to -1 */
    unsigned releases[SETS_MOST];       /* the order */
} rows[] = {
    {"one", 1, {0}, {{-1}}, {0}},
    {"a copy without changes, the first released first", 2, {0, 0}, {{-1}, {-1}}, {0, 1}},
    {"a copy, the first released first", 2, {0, 0}, {{-1}, {1, 3, -1}}, {0, 1}},
    {"a copy, the last released first", 2, {0, 0}, {{-1}, {1, 3, -1}}, {1, 0}},
    {"a line, in order", 4, {0, 0, 1, 2}, {{-1}, {0, 1, -1}, {1, 2, -1}, {0, -1}}, {0, 1, 2, 3}},
    {"a line, backwards", 4, {0, 0, 1, 2}, {{-1}, {0, 1, -1}, {1, 2, -1}, {0, -1}}, {3, 2, 1, 0}},
    {"a line, the middle first",
     4,
     {0, 0, 1, 2},
     {{-1}, {0, 1, -1}, {1, 2, -1}, {0, -1}},
     {2, 1, 0, 3}},
    {"a line, the first kept to the end",
     4,
     {0, 0, 1, 2},
     {{-1}, {0, 1, 3, -1}, {1, 2, 3, -1}, {0, 3, -1}},
     {1, 2, 3, 0}},
    {"three copies of one", 4, {0, 0, 0, 0}, {{-1}, {0, -1}, {0, 1, -1}, {2, -1}}, {0, 2, 3, 1}},
    {"three copies, one of them the last",
     4,
     {0, 0, 0, 0},
     {{-1}, {0, -1}, {0, 1, -1}, {2, -1}},
     {1, 0, 2, 3}},
    {"a fork below the first",
     4,
     {0, 0, 1, 1},
     {{-1}, {0, 1, -1}, {1, -1}, {0, 2, -1}},
     {1, 2, 0, 3}},
    {"a fork, the way to it released first",
     4,
     {0, 0, 1, 1},
     {{-1}, {0, 1, -1}, {1, -1}, {0, 2, -1}},
     {0, 1, 3, 2}},
};

struct stand {
    struct segment *made[SEGMENTS * (1 + SETS_MOST)];
    size_t made_count;
    struct segment_set *sets[SETS_MOST];
    const struct segment *shown[SETS_MOST][SEGMENTS]; /* of a released set: NULL */
};

static struct segment *make(struct stand *stand, unsigned number)
{
    struct segment *segment = segment_new(number);

    stand->made[stand->made_count++] = segment;
    return segment_hold(segment);
}

static void note_shown(struct stand *stand, size_t set)
{
    for (size_t i = 0; i < SEGMENTS; i++)
        stand->shown[set][i] = stand->sets[set]->segments[i];
}

static void set_up(struct stand *stand, const struct row *row)
{
    const struct segment **segments = calloc(SEGMENTS, sizeof *segments);

    ck_assert_ptr_nonnull(segments);
    for (unsigned i = 0; i < SEGMENTS; i++)
        segments[i] = make(stand, i);
    stand->sets[0] = segment_set_new(segments, SEGMENTS);
    note_shown(stand, 0);
    for (size_t i = 1; i < row->set_count; i++) {
        stand->sets[i] = segment_set_copy(stand->sets[row->copy_of[i]], PUTS_MOST);
        ck_assert_ptr_nonnull(stand->sets[i]);
        for (const int *number = row->puts[i]; *number >= 0; number++)
            segment_set_put(stand->sets[i], (size_t)*number, make(stand, (unsigned)*number));
        note_shown(stand, i);
    }
}

static bool is_shown(const struct stand *stand, const struct segment *segment)
{
    for (size_t i = 0; i < SETS_MOST; i++)
        for (size_t j = 0; j < SEGMENTS; j++)
            if (stand->shown[i][j] == segment)
                return true;
    return false;
}

static bool is_line(const struct row *row)
{
    bool follow = true;

    for (size_t i = 1; i < row->set_count; i++)
        follow = follow && row->copy_of[i] == i - 1;
    return follow;
}

/*
 * What a set shows is held once by all of them. In a line nothing else is held; in a fork, a set
 * that is released waits until it has one copy.
 */
static void expect_held(const struct stand *stand, const struct row *row)
{
    for (size_t i = 0; i < stand->made_count; i++) {
        bool shown = is_shown(stand, stand->made[i]);
        if (shown || is_line(row))
            ck_assert_msg(stand->made[i]->holds == 1U + shown, "%s: segment %zu has %u holds",
                          row->what, i, (unsigned)stand->made[i]->holds);
    }
}

static void release(struct stand *stand, unsigned set)
{
    segment_set_release(stand->sets[set]);
    for (size_t i = 0; i < SEGMENTS; i++)
        stand->shown[set][i] = NULL;
}

TEST_OVER(segments_are_held_while_a_set_shows_them, rows)
{
    const struct row *row = &rows[_i];
    struct stand stand = {.made_count = 0};

    set_up(&stand, row);
    expect_held(&stand, row);
    for (size_t i = 0; i < row->set_count; i++) {
        release(&stand, row->releases[i]);
        expect_held(&stand, row);
    }
    for (size_t i = 0; i < stand.made_count; i++) {
        ck_assert_msg(stand.made[i]->holds == 1, "%s: segment %zu is lost", row->what, i);
        segment_release(stand.made[i]);
    }
}

TEST(the_same_segment_may_be_put)
{
    const struct segment **segments = calloc(1, sizeof *segments);
    struct segment *segment = segment_new(0);

    segments[0] = segment_hold(segment);
    struct segment_set *set = segment_set_new(segments, 1);
    struct segment_set *copy = segment_set_copy(set, 1);
    segment_set_put(copy, 0, segment_hold(segment));
    ck_assert_uint_eq(segment->holds, 2);
    segment_set_release(set);
    ck_assert_uint_eq(segment->holds, 2);
    segment_set_release(copy);
    ck_assert_uint_eq(segment->holds, 1);
    segment_release(segment);
}

TEST(a_set_may_be_empty)
{
    struct segment_set *set = segment_set_new(calloc(1, sizeof(void *)), 0);
    struct segment_set *copy = segment_set_copy(set, 5);

    segment_set_release(set);
    segment_set_release(copy);
    segment_set_release(NULL);
}

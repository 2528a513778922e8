#include "spacedns/dyno_text.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_new();
    ck_assert_ptr_nonnull(arena);
}

static void close_arena(void)
{
    arena_free(arena);
}

FIXTURE(open_arena, close_arena)

static struct line_text over(const char *text)
{
    return (struct line_text){.octets = text, .length = strlen(text)};
}

static void expect(struct line_text text, const char *wanted)
{
    char got[256];

    snprintf(got, sizeof got, "%.*s", (int)text.length, text.octets);
    ck_assert_str_eq(got, wanted);
}

static const struct {
    const char *before;
    const char *after;
} additions[] = {
    {"", "7 up 10.0.130.9\n"},
    {"1 down\n", "1 down\n7 up 10.0.130.9\n"},
    {"1 down", "1 down\n7 up 10.0.130.9\n"},
    {"1 up 10.0.130.8 host=a\n\n", "1 up 10.0.130.8 host=a\n\n7 up 10.0.130.9\n"},
};

TEST_OVER(a_dyno_is_added_behind_the_others, additions)
{
    const struct dyno dyno = {.number = 7, .ip = 0x0a008209, .state = DYNO_UP};
    struct line_text text = over(additions[_i].before);

    ck_assert(dyno_text_add(arena, &text, &dyno));
    expect(text, additions[_i].after);
    ck_assert(dyno_text_has(text, 7));
}

TEST(a_dyno_without_an_address_is_its_number_and_state)
{
    const struct dyno dyno = {.number = 2, .state = DYNO_CRASHED};
    struct line_text text = over("");

    ck_assert(dyno_text_add(arena, &text, &dyno));
    expect(text, "2 crashed\n");
}

static const struct {
    const char *before;
    const char *after; /* without dyno 1 */
} removals[] = {
    {"", ""},
    {"1 up 10.0.130.8\n", ""},
    {"1 up 10.0.130.8", ""},
    {"1 up 10.0.130.8\n11 up 10.0.130.9\n", "11 up 10.0.130.9\n"},
    {"2 up 10.0.130.9 host=1\n  1\tup 10.0.130.8\r\n", "2 up 10.0.130.9 host=1\n"},
    {"nonsense 1\n1000000001 up\n", "nonsense 1\n1000000001 up\n"},
};

TEST_OVER(only_the_line_of_the_dyno_goes, removals)
{
    struct line_text text = over(removals[_i].before);

    ck_assert(dyno_text_remove(arena, &text, 1));
    expect(text, removals[_i].after);
    ck_assert(!dyno_text_has(text, 1));
}

static const struct {
    const char *before;
    const char *after; /* dyno 2 is down */
} states[] = {
    {"2 up 10.0.130.8 host=blue-7\n", "2 down 10.0.130.8 host=blue-7\n"},
    {"1 up 10.0.130.7\n2\tstarting", "1 up 10.0.130.7\n2\tdown"},
    {"2\n", "2\n"},
    {"22 up 10.0.130.8\n", "22 up 10.0.130.8\n"},
};

TEST_OVER(a_state_changes_and_the_other_words_of_the_line_stay, states)
{
    struct line_text text = over(states[_i].before);

    ck_assert(dyno_text_set(arena, &text, 2, DYNO_DOWN));
    expect(text, states[_i].after);
}

TEST(a_value_with_odd_octets_is_not_cut)
{
    static const char octets[] = "1 up 10.0.0.1\0x\n2 up 10.0.0.2\n";
    struct line_text text = {.octets = octets, .length = sizeof octets - 1};

    ck_assert(dyno_text_remove(arena, &text, 2));
    ck_assert_uint_eq(text.length, sizeof "1 up 10.0.0.1\0x\n" - 1);
    ck_assert_int_eq(memcmp(text.octets, octets, text.length), 0);
}

#include "traffic/uses.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

enum { MOST = 50, NAMES = 200, STEPS = 100000 };

static struct parties *parties;
static struct uses *uses;
static uint64_t pushed_out[NAMES];
static uint32_t words[NAMES];

static void uses_on_out(void *context, const struct use *use)
{
    (void)context;
    for (unsigned i = 0; i < NAMES; i++)
        if (words[i] == use->parties[1])
            pushed_out[i] += use_counts_total(&use->asked);
}

static void set_up(void)
{
    parties = parties_new();
    memset(pushed_out, 0, sizeof pushed_out);
}

static void make(uint32_t most, uint32_t idle_s)
{
    uses = uses_new(&(struct uses_options){
        .parties = parties, .most = most, .idle_s = idle_s, .on_pushed_out = uses_on_out});
    ck_assert_ptr_nonnull(uses);
}

static void tear_down(void)
{
    uses_free(uses);
    parties_free(parties);
}

FIXTURE(set_up, tear_down)

static uint32_t word(unsigned number)
{
    char name[16];

    snprintf(name, sizeof name, "w%u", number);
    words[number] = parties_add(
        parties,
        &(struct party_key){.kind = PARTY_WORD, .name = name, .name_length = strlen(name)});
    return words[number];
}

static struct use *raise_at(unsigned number, uint32_t at_s, uint64_t count)
{
    const struct use_counts more = {
        .counts = {[USE_ANSWERED] = count}, .first_s = at_s, .last_s = at_s};

    return uses_raise(uses, word(0), word(number), &more);
}

TEST(counts_and_times_add_up)
{
    make(MOST, 0);
    raise_at(1, 20, 3);
    raise_at(1, 10, 4);
    const struct use *use = raise_at(1, 15, 1);

    ck_assert_uint_eq(use->asked.counts[USE_ANSWERED], 8);
    ck_assert_uint_eq(use->asked.first_s, 10);
    ck_assert_uint_eq(use->asked.last_s, 20);
    ck_assert_uint_eq(uses_count(uses), 1);
}

/* Else it would keep its place, and who asked last, until that time comes. */
TEST(after_the_clock_was_set_back_nothing_was_asked_later_than_now)
{
    make(2, 100);
    raise_at(1, 10, 1);
    raise_at(2, 5000, 1);
    uses_set_back(uses, 50);

    const struct use *use = uses_find(uses, words[0], words[2]);
    ck_assert_uint_eq(use->asked.first_s, 50);
    ck_assert_uint_eq(use->asked.last_s, 50);
    ck_assert_uint_eq(uses_find(uses, words[0], words[1])->asked.last_s, 10);
    ck_assert_ptr_nonnull(raise_at(3, 150, 1));
    ck_assert_ptr_nonnull(raise_at(4, 151, 1));
}

TEST(guests_take_half_of_the_places_and_push_nobody_out)
{
    const struct use_counts more = {.counts = {[USE_REFUSED] = 1}, .first_s = 9, .last_s = 9};

    make(4, 0);
    raise_at(1, 1, 1);
    ck_assert_ptr_nonnull(uses_raise_guest(uses, word(0), word(2), &more));
    ck_assert_ptr_null(uses_raise_guest(uses, word(0), word(3), &more));
    ck_assert_ptr_nonnull(uses_raise_guest(uses, word(0), word(2), &more));
    ck_assert_uint_eq(uses_find(uses, words[0], words[2])->asked.counts[USE_REFUSED], 2);
    for (unsigned i = 4; i <= 5; i++)
        raise_at(i, i, 1);
    ck_assert_ptr_null(uses_raise_guest(uses, word(0), word(3), &more));
    ck_assert_uint_eq(uses_count(uses), 4);
    ck_assert_ptr_nonnull(uses_find(uses, words[0], words[1]));
}

TEST(the_use_raised_least_recently_is_pushed_out)
{
    make(3, 0);
    for (unsigned i = 1; i <= 3; i++)
        raise_at(i, i, i);
    raise_at(1, 4, 1);
    raise_at(4, 5, 1);

    ck_assert_ptr_null(uses_find(uses, words[0], words[2]));
    ck_assert_uint_eq(pushed_out[2], 2);
    ck_assert_ptr_nonnull(uses_find(uses, words[0], words[1]));
    ck_assert_ptr_nonnull(uses_find(uses, words[0], words[3]));
    const struct use *oldest = uses_next(uses, NULL);
    ck_assert_uint_eq(oldest->parties[1], words[3]);
    ck_assert_uint_eq(uses_next(uses, uses_next(uses, oldest))->parties[1], words[4]);
    ck_assert_ptr_null(uses_next(uses, uses_next(uses, uses_next(uses, oldest))));
}

TEST(a_use_that_was_asked_lately_is_not_pushed_out)
{
    make(2, 100);
    raise_at(1, 1000, 1);
    raise_at(2, 1001, 1);
    ck_assert_ptr_null(raise_at(3, 1099, 1));
    ck_assert_uint_eq(uses_count(uses), 2);
    ck_assert_ptr_nonnull(raise_at(3, 1100, 1));
    ck_assert_uint_eq(pushed_out[1], 1);
}

TEST(who_was_last_is_held)
{
    make(1, 0);
    struct use *use = raise_at(1, 1, 1);
    uses_set_by(uses, use, word(9), 1000);
    parties_collect(parties);
    ck_assert_str_eq(parties_at(parties, use->by)->name, "w9");
    uint32_t before = use->by;
    uses_set_by(uses, use, word(7), 999);
    ck_assert_uint_eq(use->by, before);
    uses_set_by(uses, use, word(8), 1001);
    ck_assert_uint_eq(parties_at(parties, before)->holds, 0);
    raise_at(2, 2, 1);
    ck_assert_uint_eq(parties_at(parties, words[8])->holds, 0);
    ck_assert_uint_eq(parties_at(parties, words[1])->holds, 0);
}

/* ---- against a plain count ---- */

static unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return (unsigned)(*state >> 33) % below;
}

/* The least recently raised of those that the table has, by the plain count's own times. */
static unsigned oldest_of(const uint32_t raised[NAMES], const bool has[NAMES])
{
    unsigned oldest = NAMES;

    for (unsigned i = 1; i < NAMES; i++)
        if (has[i] && (oldest == NAMES || raised[i] < raised[oldest]))
            oldest = i;
    return oldest;
}

TEST(what_is_in_the_table_and_what_was_pushed_out_is_all_that_was_asked)
{
    uint64_t state = 7, asked[NAMES] = {0}, since[NAMES] = {0};
    uint32_t raised[NAMES] = {0};
    bool has[NAMES] = {false};
    unsigned used = 0;

    make(MOST, 0);
    for (uint32_t step = 1; step <= STEPS; step++) {
        unsigned number = 1 + draw(&state, draw(&state, 2) == 0 ? NAMES - 1 : MOST / 2);
        if (!has[number]) {
            if (used == MOST)
                has[oldest_of(raised, has)] = false;
            else
                used++;
            since[number] = asked[number];
        }
        has[number] = true;
        raised[number] = step;
        asked[number]++;
        raise_at(number, step, 1);
    }
    for (unsigned i = 1; i < NAMES; i++) {
        const struct use *use = words[i] == 0 ? NULL : uses_find(uses, words[0], words[i]);
        ck_assert((use != NULL) == has[i]);
        uint64_t kept = use == NULL ? 0 : use_counts_total(&use->asked);
        ck_assert_uint_eq(kept + pushed_out[i], asked[i]);
        if (use != NULL)
            ck_assert_uint_eq(kept, asked[i] - since[i]);
    }
}

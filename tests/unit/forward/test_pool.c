// forks: its tests leave something behind
#include "forward/pool.h"

#include <signal.h>

#include "support/suite.h"
#include "wire/types.h"

enum { QUESTIONS = 4 };

static struct pool pool;
static struct name name;

static void set_up(void)
{
    ck_assert(pool_init(&pool, QUESTIONS));
    ck_assert(name_from_text("www.example.org", &name));
}

static void tear_down(void)
{
    pool_close(&pool);
}

static struct fetch *take(bool is_probe)
{
    const struct question question = {.name = &name, .type = TYPE_A, .class = CLASS_IN};

    return pool_take(&pool, &question, is_probe);
}

FIXTURE(set_up, tear_down)

TEST(questions_and_probes_have_slots_of_their_own)
{
    for (int i = 0; i < QUESTIONS; i++)
        ck_assert_ptr_nonnull(take(false));
    ck_assert_ptr_null(take(false));
    for (int i = 0; i < FETCH_PROBES; i++)
        ck_assert_ptr_nonnull(take(true));
    ck_assert_ptr_null(take(true));
    ck_assert_uint_eq(pool_busy(&pool), QUESTIONS);
}

TEST(a_released_slot_is_reused)
{
    for (int i = 0; i < 10 * QUESTIONS; i++) {
        struct fetch *question = take(false), *probe = take(true);
        pool_linger(&pool, question);
        ck_assert_uint_eq(pool_busy(&pool), 0);
        ck_assert_ptr_eq(pool_first_lingering(&pool), question);
        pool_release(&pool, question);
        pool_release(&pool, probe);
    }
    ck_assert_uint_eq(pool.used, 0);
    ck_assert_uint_eq(pool.touched, 2);
    ck_assert_ptr_null(pool_first_lingering(&pool));
}

/* Inconsistent counters must not lead to a slot that does not exist. */
static const struct {
    bool is_probe;
    uint32_t used, probes, lingering;
} wrong[] = {
    {.used = 0, .lingering = 1},
    {.is_probe = true, .used = 1, .probes = 0},
    {.used = 1, .probes = 2, .lingering = 1},
    {.used = 1, .lingering = 0},
};

TEST_OVER_SIGNAL(counters_that_disagree_end_the_process, wrong, SIGABRT)
{
    struct fetch *fetch = take(wrong[_i].is_probe);

    if (!wrong[_i].is_probe)
        pool_linger(&pool, fetch);
    pool.used = wrong[_i].used;
    pool.probes = wrong[_i].probes;
    pool.lingering = wrong[_i].lingering;
    pool_release(&pool, fetch);
}

TEST_SIGNAL(a_slot_is_not_released_twice, SIGABRT)
{
    struct fetch *fetch = take(false);

    take(false);
    pool_release(&pool, fetch);
    pool_release(&pool, fetch);
}

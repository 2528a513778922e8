#include "serve/share.h"

#include "support/suite.h"

enum { FIRST = 0x0a008201 };

static struct share share;

static unsigned take(uint32_t address, unsigned times)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < times; i++)
        taken += share_take(&share, address);
    return taken;
}

TEST(a_client_has_its_share_and_no_more)
{
    share_init(&share);
    share_begin(&share);
    ck_assert_uint_eq(take(FIRST, 10000), SHARE_OF_CLIENT);
    share_begin(&share);
    ck_assert_uint_eq(take(FIRST, 10000), SHARE_OF_CLIENT);
}

/* A few may hash to the flood's row: of 1,000 in 4,096 rows, two in 1,000 times are many. */
TEST(a_flood_takes_nothing_from_the_others)
{
    unsigned others = 0;

    share_init(&share);
    share_begin(&share);
    take(FIRST, 100000);
    for (uint32_t i = 1; i <= 900; i++)
        others += take(FIRST + i, 1);
    ck_assert_uint_ge(others, 890);
}

/* A client that has no share beside the flood: it has the same row. */
static uint32_t find_unlucky(void)
{
    const struct share flooded = share;

    for (uint32_t i = 1; i < 1000000; i++) {
        share = flooded;
        if (take(FIRST + i, 1) == 0)
            return FIRST + i;
    }
    ck_abort_msg("nobody has the flood's row");
    return 0;
}

TEST(nobody_shares_a_row_with_a_flood_for_long)
{
    unsigned taken = 0;

    share_init(&share);
    share_begin(&share);
    take(FIRST, 100);
    uint32_t unlucky = find_unlucky();
    for (unsigned round = 0; round < 100; round++) {
        share_begin(&share);
        take(FIRST, 100);
        taken += take(unlucky, 1);
    }
    ck_assert_uint_ge(taken, 95);
}

TEST(all_together_have_a_bound)
{
    unsigned taken = 0;

    share_init(&share);
    share_begin(&share);
    for (uint32_t i = 0; i < 100000; i++)
        taken += take(FIRST + i, 1);
    ck_assert_uint_eq(taken, SHARE_OF_ALL);
    ck_assert_uint_eq(take(FIRST + 1000000, 1), 0);
}

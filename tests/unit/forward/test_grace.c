#include "forward/grace.h"

#include <string.h>

#include "support/suite.h"

static struct grace grace;
static struct grace_member *one, *other;

static void set_up(void)
{
    memset(&grace, 0, sizeof grace);
    grace_init(&grace);
    one = grace_join(&grace);
    other = grace_join(&grace);
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_nonnull(other);
    ck_assert_ptr_ne(one, other);
}

FIXTURE(set_up, NULL)

TEST(nobody_reads_while_all_rest)
{
    ck_assert(grace_rests(one) && grace_rests(other));
    ck_assert(grace_is_over(&grace, grace_advance(&grace), NULL));
}

TEST(what_a_reader_may_hold_is_held_until_it_passes)
{
    grace_pass(&grace, one);
    grace_pass(&grace, other);
    uint64_t epoch = grace_advance(&grace);
    ck_assert(!grace_is_over(&grace, epoch, NULL));
    grace_pass(&grace, other);
    ck_assert(!grace_is_over(&grace, epoch, NULL));
    grace_pass(&grace, one);
    ck_assert(grace_is_over(&grace, epoch, NULL));
    ck_assert(!grace_is_over(&grace, grace_advance(&grace), NULL));
    ck_assert(grace_is_over(&grace, epoch, NULL));
}

TEST(a_reader_that_rests_or_leaves_holds_nothing)
{
    grace_pass(&grace, one);
    grace_pass(&grace, other);
    uint64_t epoch = grace_advance(&grace);
    grace_rest(one);
    ck_assert(!grace_is_over(&grace, epoch, NULL));
    grace_leave(other);
    ck_assert(grace_is_over(&grace, epoch, NULL));
}

TEST(a_reader_back_from_rest_holds_only_what_was_unlinked_since)
{
    uint64_t before = grace_advance(&grace);

    grace_pass(&grace, one);
    ck_assert(!grace_rests(one));
    ck_assert(grace_is_over(&grace, before, NULL));
    ck_assert(!grace_is_over(&grace, grace_advance(&grace), NULL));
}

TEST(a_writer_vouches_for_itself_alone)
{
    grace_pass(&grace, one);
    uint64_t epoch = grace_advance(&grace);
    ck_assert(grace_is_over(&grace, epoch, one));
    ck_assert(!grace_is_over(&grace, epoch, other));
    grace_pass(&grace, other);
    ck_assert(grace_is_over(&grace, epoch, one));
}

TEST(a_record_is_taken_again_once_it_was_left)
{
    for (int i = 2; i < GRACE_MEMBERS_MOST; i++)
        ck_assert_ptr_nonnull(grace_join(&grace));
    ck_assert_ptr_null(grace_join(&grace));
    grace_pass(&grace, one);
    grace_leave(one);
    ck_assert_ptr_eq(grace_join(&grace), one);
    ck_assert(grace_rests(one));
    grace_leave(NULL);
}

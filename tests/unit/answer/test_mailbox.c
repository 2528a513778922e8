#include "answer/mailbox.h"

#include "answer/snapshot.h"
#include "support/suite.h"

static const struct snapshot first = {.turn = 1}, second = {.turn = 2}, third = {.turn = 3};

TEST(an_empty_mailbox_gives_nothing)
{
    struct mailbox mailbox = {.adopted = 0};
    const struct snapshot *current = NULL;

    ck_assert(!mailbox_collect(&mailbox, &current));
    ck_assert_ptr_null(current);
    ck_assert_uint_eq(mailbox_adopted(&mailbox), 0);
}

TEST(what_was_posted_is_collected_once)
{
    struct mailbox mailbox = {.adopted = 0};
    const struct snapshot *current = NULL;

    mailbox_post(&mailbox, &first);
    ck_assert_uint_eq(mailbox_adopted(&mailbox), 0);
    ck_assert(mailbox_collect(&mailbox, &current));
    ck_assert_ptr_eq(current, &first);
    ck_assert_uint_eq(mailbox_adopted(&mailbox), 1);
    ck_assert(!mailbox_collect(&mailbox, &current));
    ck_assert_ptr_eq(current, &first);
}

TEST(a_snapshot_that_was_replaced_is_never_taken)
{
    struct mailbox mailbox = {.adopted = 0};
    const struct snapshot *current = NULL;

    mailbox_post(&mailbox, &first);
    ck_assert(mailbox_collect(&mailbox, &current));
    mailbox_post(&mailbox, &second);
    mailbox_post(&mailbox, &third);
    ck_assert_uint_eq(mailbox_adopted(&mailbox), 1);
    ck_assert(mailbox_collect(&mailbox, &current));
    ck_assert_ptr_eq(current, &third);
    ck_assert_uint_eq(mailbox_adopted(&mailbox), 3);
}

#include "forward/failures.h"

#include "support/suite.h"

enum { NOW_S = 1000 };
#define HASH UINT64_C(0x0123456789abcdef)
#define SAME_SLOT (HASH ^ UINT64_C(0xf000000000000000))

static struct failures failures;

static const struct failure silent = {.until_s = NOW_S + 2, .era = 7, .server = 3, .failure = 1};

TEST(a_failure_is_found_until_it_expires)
{
    struct failure found;

    ck_assert(!failures_find(&failures, HASH, NOW_S, &found));
    failures_keep(&failures, HASH, &silent);
    ck_assert(failures_find(&failures, HASH, NOW_S + 1, &found));
    ck_assert_uint_eq(found.until_s, NOW_S + 2);
    ck_assert_uint_eq(found.era, 7);
    ck_assert_uint_eq(found.server, 3);
    ck_assert_uint_eq(found.failure, 1);
    ck_assert(!failures_find(&failures, HASH, NOW_S + 2, &found));
}

TEST(a_failure_is_removed_once_the_question_is_answered)
{
    struct failure found;

    failures_keep(&failures, HASH, &silent);
    failures_forget(&failures, SAME_SLOT);
    ck_assert(failures_find(&failures, HASH, NOW_S, &found));
    failures_forget(&failures, HASH);
    ck_assert(!failures_find(&failures, HASH, NOW_S, &found));
}

TEST(a_question_of_the_same_slot_is_another)
{
    struct failure found;

    failures_keep(&failures, HASH, &silent);
    ck_assert(!failures_find(&failures, SAME_SLOT, NOW_S, &found));
    failures_keep(&failures, SAME_SLOT, &silent);
    ck_assert(failures_find(&failures, SAME_SLOT, NOW_S, &found));
    ck_assert(!failures_find(&failures, HASH, NOW_S, &found));
}

TEST(mixed_words_of_two_writers_count_as_empty)
{
    struct failure found;
    uint64_t slot = (HASH >> 16) % FAILURES_SLOTS;

    failures_keep(&failures, HASH, &silent);
    failures.slots[slot].what ^= UINT64_C(1) << 40;
    ck_assert(!failures_find(&failures, HASH, NOW_S, &found));
}

TEST(all_failures_are_removed_and_those_not_expired_are_counted)
{
    static const struct failure expired = {.until_s = NOW_S, .era = 7, .failure = 1};
    struct failure found;

    failures_keep(&failures, HASH, &silent);
    failures_keep(&failures, HASH + (1 << 16), &silent);
    failures_keep(&failures, HASH + (2 << 16), &expired);
    ck_assert_uint_eq(failures_forget_all(&failures, NOW_S), 2);
    for (unsigned i = 0; i < 2; i++)
        ck_assert(!failures_find(&failures, HASH + (i << 16), NOW_S, &found));
    ck_assert(!failures_find(&failures, 0, 0, &found));
    ck_assert_uint_eq(failures_forget_all(&failures, NOW_S), 0);
    failures_keep(&failures, HASH, &silent);
    ck_assert(failures_find(&failures, HASH, NOW_S, &found));
}

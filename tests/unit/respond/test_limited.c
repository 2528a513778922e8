#include "respond/limited.h"

#include "support/suite.h"

static struct limited limited;
static struct limited_list list;

static void set_up(void)
{
    limited = (struct limited){.has_lost = false};
}

static void tear_down(void)
{
}

/* All in one set. */
static void count(uint64_t who, unsigned times, uint32_t now_s)
{
    for (unsigned i = 0; i < times; i++)
        limited_count(&limited, who, 3 + 5 * LIMITED_SETS, now_s);
}

/* Returns its entry in the list, NULL without one. */
static const struct limited_one *find(uint64_t who, uint32_t now_s)
{
    limited_list(&limited, now_s, &list);
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].who == who)
            return &list.items[i];
    return NULL;
}

FIXTURE(set_up, tear_down)

TEST(requests_are_counted_with_the_first_and_the_last)
{
    ck_assert_ptr_null(find(7, 100));
    count(7, 3, 100);
    count(7, 2, 110);
    count(0, 1, 110);
    const struct limited_one *one = find(7, 115);
    ck_assert_ptr_nonnull(one);
    ck_assert_uint_eq(one->requests, 5);
    ck_assert_uint_eq(one->since_s, 15);
    ck_assert_uint_eq(one->ago_s, 5);
    ck_assert_uint_eq(list.count, 2);
    ck_assert(!list.has_more);
}

TEST(a_minute_after_its_last_request_it_is_forgotten)
{
    count(7, 3, 100);
    ck_assert_ptr_nonnull(find(7, 159));
    ck_assert_ptr_null(find(7, 160));
    count(7, 1, 200);
    ck_assert_uint_eq(find(7, 200)->requests, 1);
    ck_assert_uint_eq(list.items[0].since_s, 0);
    ck_assert_uint_eq(list.count, 1);
}

/* A flood of forged addresses: each is limited once. */
TEST(those_who_ask_most_stay)
{
    count(1, 9, 100);
    count(2, 5, 100);
    for (uint64_t who = 100; who < 300; who++)
        count(who, 1, 101);
    ck_assert_uint_eq(find(1, 101)->requests, 9);
    ck_assert_uint_eq(find(2, 101)->requests, 5);
    ck_assert_uint_eq(list.count, LIMITED_WAYS);
    ck_assert(list.has_more);
    find(1, 161);
    ck_assert(!list.has_more);
}

TEST(one_that_is_forgotten_makes_room_first)
{
    count(1, 9, 100);
    count(2, 1, 159);
    count(3, 1, 159);
    count(4, 1, 159);
    count(5, 1, 160);
    ck_assert_ptr_null(find(1, 160));
    ck_assert_ptr_nonnull(find(2, 160));
    ck_assert_ptr_nonnull(find(5, 160));
    ck_assert(!list.has_more);
}

TEST(each_set_has_room_of_its_own)
{
    for (uint64_t who = 0; who < LIMITED_MOST; who++)
        limited_count(&limited, who, who, 100);
    find(1, 100);
    ck_assert_uint_eq(list.count, LIMITED_MOST);
    ck_assert(!list.has_more);
}

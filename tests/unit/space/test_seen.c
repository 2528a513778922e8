/* The set behind every "given twice" rule. */
#include "space/seen.h"

#include <check.h>
#include <stdio.h>

#include "support/suite.h"

static struct seen seen;

static void set_up(void)
{
    seen_init(&seen, 0);
}

static void tear_down(void)
{
    seen_close(&seen);
}

static struct location line(unsigned number)
{
    return (struct location){.line = number & 0xffffff, .column = 1};
}

FIXTURE(set_up, tear_down)

TEST(a_key_added_twice_is_found_at_its_first_location)
{
    ck_assert_ptr_null(seen_add(&seen, 0, "api.example.com", line(3), &seen));
    const struct seen_entry *before = seen_add(&seen, 0, "api.example.com", line(7), NULL);
    ck_assert_ptr_nonnull(before);
    ck_assert_uint_eq(before->at.line, 3);
    ck_assert_ptr_eq(before->owner, &seen);
    ck_assert_ptr_nonnull(seen_find(&seen, 0, "api.example.com"));
    ck_assert_ptr_null(seen_find(&seen, 0, "api.example.net"));
}

TEST(a_salt_keeps_equal_keys_apart)
{
    ck_assert_ptr_null(seen_add(&seen, 0, "web", line(1), NULL));
    ck_assert_ptr_null(seen_add(&seen, 1, "web", line(2), NULL));
    ck_assert_ptr_null(seen_add_number(&seen, 0, 7, line(3), NULL));
    ck_assert_ptr_null(seen_add_number(&seen, 1, 7, line(4), NULL));
    ck_assert_uint_eq(seen_add_number(&seen, 1, 7, line(5), NULL)->at.line, 4);
    ck_assert_ptr_null(seen_find(&seen, 2, "web"));
}

TEST(case_counts_unless_it_is_folded)
{
    ck_assert_ptr_null(seen_add(&seen, 0, "web", line(1), NULL));
    ck_assert_ptr_null(seen_add(&seen, 0, "WEB", line(2), NULL));
    ck_assert_ptr_null(seen_add_folded(&seen, 1, "Web", line(3), NULL));
    ck_assert_uint_eq(seen_add_folded(&seen, 1, "wEB", line(4), NULL)->at.line, 3);
}

TEST(the_set_grows_and_forgets_nothing)
{
    enum { KEYS = 100000 };
    char text[32];

    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(text, sizeof text, "app-%u", i);
        ck_assert_ptr_null(seen_add(&seen, 0, text, line(i), NULL));
        ck_assert_ptr_null(seen_add_number(&seen, 1, i, line(i), NULL));
    }
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(text, sizeof text, "app-%u", i);
        ck_assert_uint_eq(seen_find(&seen, 0, text)->at.line, i);
        ck_assert_uint_eq(seen_add_number(&seen, 1, i, line(0), NULL)->at.line, i);
    }
    ck_assert(!seen.is_out_of_memory);
}

#include "base/number.h"

#include <string.h>

#include "support/suite.h"

static const struct {
    const char *text;
    uint64_t number;
} numbers[] = {
    {"0", 0}, {"1", 1}, {"10", 10}, {"4294967295", 4294967295}, {"9999999999", 9999999999},
};

TEST_OVER(digits_are_a_number, numbers)
{
    uint64_t number = 77;

    ck_assert(number_from_text(numbers[_i].text, strlen(numbers[_i].text), &number));
    ck_assert_uint_eq(number, numbers[_i].number);
}

static const char *const others[] = {"",   "00", "01", "-1",  "+1",
                                     " 1", "1 ", "1a", "0x1", "10000000000"};

TEST_OVER(anything_else_is_none, others)
{
    uint64_t number = 77;

    ck_assert(!number_from_text(others[_i], strlen(others[_i]), &number));
    ck_assert_uint_eq(number, 77);
}

TEST(the_length_ends_it)
{
    uint64_t number;

    ck_assert(number_from_text("123.4", 3, &number));
    ck_assert_uint_eq(number, 123);
}

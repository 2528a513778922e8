#include "findings/location.h"

#include "support/suite.h"

static const struct {
    uint32_t line, column, kept_line, kept_column;
} cases[] = {
    {0, 0, 0, 0},
    {1, 1, 1, 1},
    {16777215, 255, 16777215, 255},
    {16777216, 256, 16777215, 255},
    {UINT32_MAX, UINT32_MAX, 16777215, 255},
};

TEST_OVER(what_is_too_large_becomes_the_largest, cases)
{
    struct location at = location_at(cases[_i].line, cases[_i].column);

    ck_assert_uint_eq(at.line, cases[_i].kept_line);
    ck_assert_uint_eq(at.column, cases[_i].kept_column);
    ck_assert_uint_eq(sizeof at, 4);
}

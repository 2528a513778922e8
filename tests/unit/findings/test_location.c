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

START_TEST(what_is_too_large_becomes_the_largest)
{
    struct location at = location_at(cases[_i].line, cases[_i].column);

    ck_assert_uint_eq(at.line, cases[_i].kept_line);
    ck_assert_uint_eq(at.column, cases[_i].kept_column);
    ck_assert_uint_eq(sizeof at, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("location");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, what_is_too_large_becomes_the_largest, 0,
                        sizeof cases / sizeof cases[0]);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

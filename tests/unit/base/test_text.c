#include "base/text.h"

#include "support/suite.h"

START_TEST(pieces_follow_each_other)
{
    char buffer[64];
    struct text text = text_over(buffer, sizeof buffer);

    text_add_string(&text, "Q10 ");
    text_add(&text, "web.1xx", 5);
    text_add_string(&text, "");
    text_add_ipv4(&text, 0x0a008238);
    ck_assert_uint_eq(text_length(&text), 4 + 5 + 11);
    ck_assert_mem_eq(buffer, "Q10 web.110.0.130.56", 20);
    ck_assert(!text.cut);
}
END_TEST

static const struct {
    uint64_t number;
    const char *expected;
} numbers[] = {
    {0, "0"},
    {9, "9"},
    {10, "10"},
    {65535, "65535"},
    {4294967296, "4294967296"},
    {UINT64_MAX, "18446744073709551615"},
};

START_TEST(numbers_are_decimal)
{
    char buffer[32] = "";
    struct text text = text_over(buffer, sizeof buffer);

    text_add_number(&text, numbers[_i].number);
    *text.next = '\0';
    ck_assert_str_eq(buffer, numbers[_i].expected);
}
END_TEST

START_TEST(what_does_not_fit_is_cut_and_remembered)
{
    char buffer[8] = "-------";
    struct text text = text_over(buffer, 6);

    text_add_string(&text, "abcd");
    ck_assert(!text.cut);
    text_add_string(&text, "efgh");
    ck_assert(text.cut);
    text_add_string(&text, "i");
    ck_assert_uint_eq(text_length(&text), 6);
    ck_assert_mem_eq(buffer, "abcdef-", 7);
}
END_TEST

START_TEST(an_exact_fit_is_not_cut)
{
    char buffer[4];
    struct text text = text_over(buffer, 4);

    text_add_string(&text, "abcd");
    text_add(&text, "", 0);
    ck_assert(!text.cut);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/text");
    TCase *adding = tcase_create("adding");

    tcase_add_test(adding, pieces_follow_each_other);
    tcase_add_loop_test(adding, numbers_are_decimal, 0, sizeof numbers / sizeof numbers[0]);
    tcase_add_test(adding, what_does_not_fit_is_cut_and_remembered);
    tcase_add_test(adding, an_exact_fit_is_not_cut);
    suite_add_tcase(suite, adding);
    return suite_run(suite);
}

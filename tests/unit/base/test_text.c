#include "base/text.h"

#include "support/suite.h"

TEST(pieces_follow_each_other)
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

TEST_OVER(numbers_are_decimal, numbers)
{
    char buffer[32] = "";
    struct text text = text_over(buffer, sizeof buffer);

    text_add_number(&text, numbers[_i].number);
    *text.next = '\0';
    ck_assert_str_eq(buffer, numbers[_i].expected);
}

TEST(what_does_not_fit_is_cut_and_remembered)
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

TEST(an_exact_fit_is_not_cut)
{
    char buffer[4];
    struct text text = text_over(buffer, 4);

    text_add_string(&text, "abcd");
    text_add(&text, "", 0);
    ck_assert(!text.cut);
}

static const struct {
    size_t count;
    const char *expected;
} lists[] = {{0, ""}, {1, "up"}, {2, "up or down"}, {3, "up, down or idle"}};

TEST_OVER(words_are_listed_with_or_before_the_last, lists)
{
    static const char *const words[] = {"up", "down", "idle"};
    char buffer[32] = "";
    struct text text = text_over(buffer, sizeof buffer - 1);

    text_add_words(&text, words, lists[_i].count);
    ck_assert_str_eq(buffer, lists[_i].expected);
}

#include "base/suggest.h"

#include <string.h>

#include "support/suite.h"

static const struct {
    const char *a, *b;
    unsigned limit, expected;
} distances[] = {
    {"web", "web", 2, 0},
    {"web", "WEB", 2, 0},
    {"web", "wbe", 2, 1},  /* swapped neighbours */
    {"web", "we", 2, 1},   /* dropped */
    {"web", "webb", 2, 1}, /* inserted */
    {"web", "wed", 2, 1},  /* replaced */
    {"", "ab", 2, 2},
    {"ab", "", 2, 2},
    {"", "", 2, 0},
    {"web", "worker", 2, 3}, /* more than the limit is the limit and one */
    {"abcdef", "ghijkl", 3, 4},
    {"internal_routing", "internal_ruoting", 2, 1},
    {"kitten", "sitting", 5, 3},
};

TEST_OVER(distance_counts_typing_errors, distances)
{
    const char *a = distances[_i].a, *b = distances[_i].b;

    ck_assert_uint_eq(suggest_distance(a, strlen(a), b, strlen(b), distances[_i].limit),
                      distances[_i].expected);
    ck_assert_uint_eq(suggest_distance(b, strlen(b), a, strlen(a), distances[_i].limit),
                      distances[_i].expected);
}

TEST(words_too_long_are_never_suggested)
{
    char word[SUGGEST_WORD_MAX + 1];

    memset(word, 'a', sizeof word);
    ck_assert_uint_eq(suggest_distance(word, SUGGEST_WORD_MAX, word, SUGGEST_WORD_MAX, 2), 0);
    ck_assert_uint_eq(suggest_distance(word, sizeof word, word, sizeof word, 2), 3);
}

TEST(short_words_allow_one_typing_error_and_long_ones_two)
{
    ck_assert_uint_eq(suggest_limit(0), 1);
    ck_assert_uint_eq(suggest_limit(3), 1);
    ck_assert_uint_eq(suggest_limit(12), 2);
    ck_assert_uint_eq(suggest_limit(1000), 2);
}

TEST(the_closest_word_is_suggested)
{
    static const char *const words[] = {"domains", "domain", "formation", "state"};

    ck_assert_str_eq(suggest_among("domian", words, 4), "domain");
    ck_assert_str_eq(suggest_among("Domains", words, 4), "domains");
    ck_assert_str_eq(suggest_among("formatoin", words, 4), "formation");
    ck_assert_ptr_null(suggest_among("router", words, 4));
    ck_assert_ptr_null(suggest_among("domain", words, 0));
}

TEST(words_are_compared_one_by_one_too)
{
    static const char first[] = "domain", other[] = "domaim";

    ck_assert_ptr_null(suggest_nearer("domian", NULL, "router"));
    ck_assert_ptr_eq(suggest_nearer("domian", NULL, first), first);
    ck_assert_ptr_eq(suggest_nearer("domain", other, first), first);
    ck_assert_ptr_eq(suggest_nearer("domain", first, other), first);
    /* Of equally close ones, the first. */
    ck_assert_ptr_eq(suggest_nearer("domaix", first, other), first);
}

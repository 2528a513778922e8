#include "decide/reason.h"

#include <stdbool.h>
#include <string.h>

#include "decide/explain.h"
#include "support/suite.h"

/*
 * Every reason with its level and EDE code, as users see them; a change here changes the interface.
 */
static const struct {
    enum reason reason;
    const char *code;
    int ede; /* -1: never in an answer */
} expected[] = {
    {REASON_CRASHED, "Q10", 0},           {REASON_NO_WEB, "Q14", 0},
    {REASON_OUTSIDE, "Q18", 18},          {REASON_NOT_ALLOWED, "Q19", 18},
    {REASON_NOT_OURS, "Q20", 20},         {REASON_UPSTREAM, "Q22", 22},
    {REASON_UPSTREAM_NETWORK, "Q22", 23}, {REASON_REBIND, "Q23", 15},
    {REASON_SPECIAL_USE, "Q26", 0},       {REASON_WITHHELD, "Q27", 0},
    {REASON_ALIAS_ENDLESS, "Q28", 0},     {REASON_STALE, "Q41", 3},
    {REASON_STALE_NXDOMAIN, "Q41", 19},   {REASON_NOT_RUNNING, "Q24", 0},
    {REASON_NOT_DECLARED, "Q25", 0},      {REASON_NOT_READY, "Q30", 14},
    {REASON_SPACE_CHANGING, "Q31", 0},    {REASON_ROUTE_MISSING, "Q40", 0},
    {REASON_RELOAD_REFUSED, "Q50", -1},   {REASON_RATE_LIMITED, "Q60", 18},
    {REASON_NOT_SUPPORTED, "Q70", 21},    {REASON_REGISTRY_STALE, "Q41", -1},
};
enum { EXPECTED_COUNT = sizeof expected / sizeof expected[0] };

TEST_LOOP(a_reason_has_its_code_everywhere, 0, EXPECTED_COUNT)
{
    const struct reason_entry *entry = reason_entry(expected[_i].reason);

    ck_assert_str_eq(entry->code, expected[_i].code);
    if (expected[_i].ede >= 0)
        ck_assert_int_eq(entry->ede, expected[_i].ede);
}

TEST(no_reason_is_missing_here)
{
    ck_assert_int_eq(REASON_COUNT, EXPECTED_COUNT + 1); /* and REASON_NONE */
}

TEST_LOOP(every_reason_has_a_description_and_a_remedy, 1, REASON_COUNT)
{
    const struct reason_entry *entry = reason_entry((enum reason)_i);

    ck_assert_uint_eq(strlen(entry->code), 3);
    ck_assert_int_ne(entry->level, REASON_LEVEL_NONE);
    ck_assert_uint_gt(strlen(entry->description), 5);
    ck_assert_uint_gt(strlen(entry->remedy), 5);
    /* The description is a log value: no quotes to escape, no end of a sentence. */
    ck_assert_ptr_null(strpbrk(entry->description, "\"\\\n"));
    ck_assert_int_ne(entry->description[strlen(entry->description) - 1], '.');
}

/* Without a fact the description is the text: it would be cut in the middle of a word. */
TEST_LOOP(a_code_and_its_description_fit_in_an_answer, 1, REASON_COUNT)
{
    const struct reason_entry *entry = reason_entry((enum reason)_i);

    ck_assert_uint_le(strlen(entry->code) + 1 + strlen(entry->description), EDE_TEXT_OCTETS);
}

TEST_LOOP(no_two_reasons_are_the_same_in_an_answer, 0, REASON_COUNT)
{
    const struct reason_entry *entry = reason_entry((enum reason)_i);

    for (int i = 0; i < _i; i++) {
        const struct reason_entry *other = reason_entry((enum reason)i);
        ck_assert(entry->ede != other->ede || strcmp(entry->code, other->code) != 0);
    }
}

TEST(no_reason_is_empty)
{
    const struct reason_entry *entry = reason_entry(REASON_NONE);

    ck_assert_str_eq(entry->code, "");
    ck_assert_str_eq(entry->description, "");
    ck_assert_int_eq(entry->level, REASON_LEVEL_NONE);
}

#include "spacedns/name_generator.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { DRAWS = 2000 };

/* "word-word-N": the words are lower case, and N has as many digits as were asked for. */
static void check(const char *name, unsigned digits)
{
    size_t first = strspn(name, "abcdefghijklmnopqrstuvwxyz");
    const char *second = name + first + 1;

    ck_assert_msg(first > 0 && name[first] == '-', "%s", name);
    size_t length = strspn(second, "abcdefghijklmnopqrstuvwxyz");
    ck_assert_msg(length > 0 && second[length] == '-', "%s", name);
    const char *number = second + length + 1;
    ck_assert_msg(strlen(number) == digits && strspn(number, "0123456789") == digits, "%s", name);
    ck_assert_msg(number[0] != '0', "%s", name);
    ck_assert_uint_le(strlen(name), 30); /* what an app's name may have */
}

TEST_LOOP(a_name_has_two_words_and_a_number, 1, 6)
{
    char name[GENERATED_NAME_MOST];

    for (unsigned i = 0; i < DRAWS; i++) {
        name_generator_next(name, sizeof name, (unsigned)_i);
        check(name, (unsigned)_i);
    }
}

TEST(names_differ)
{
    static char names[DRAWS][GENERATED_NAME_MOST];
    unsigned equal = 0;

    for (unsigned i = 0; i < DRAWS; i++) {
        name_generator_next(names[i], sizeof names[i], 5);
        for (unsigned j = 0; j < i; j++)
            equal += strcmp(names[i], names[j]) == 0;
    }
    /* Of 2,000 among 92 million, one pair is expected in 46 runs. */
    ck_assert_uint_le(equal, 2);
}

TEST(a_name_is_cut_at_its_room)
{
    char name[8] = "xxxxxxx";

    name_generator_next(name, sizeof name, 5);
    ck_assert_uint_eq(strlen(name), sizeof name - 1);
}

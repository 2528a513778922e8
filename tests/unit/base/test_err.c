#include "base/err.h"

#include <string.h>

#include "support/suite.h"

TEST(an_error_is_a_code_and_a_sentence)
{
    struct err err;

    ck_assert(!err_set(&err, ERR_SYNTAX, "%s:%d: no number", "space.yaml", 7));
    ck_assert_int_eq(err.code, ERR_SYNTAX);
    ck_assert_str_eq(err.text, "space.yaml:7: no number");
}

/* A path or a name in it is untrusted, and the sentence is printed to a terminal. */
TEST(a_sentence_cannot_control_a_terminal)
{
    struct err err;

    err_set(&err, ERR_SYSTEM, "%s cannot be opened", "a\033[31m\nb\342\200\256");
    ck_assert_str_eq(err.text, "a\\x1b[31m\\x0ab<U+202E right-to-left override> cannot be opened");
}

TEST(a_long_sentence_is_cut)
{
    struct err err;
    char sentence[2000];

    memset(sentence, 'x', sizeof sentence);
    sentence[sizeof sentence - 1] = '\0';
    err_set(&err, ERR_LIMIT, "%s", sentence);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
}

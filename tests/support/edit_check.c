#include "support/edit_check.h"

#include <string.h>

#include "support/suite.h"

void edit_check(edit_apply *apply, unsigned verb, const char *before, const char *after)
{
    const char *expected = after == NULL ? before : after;
    struct err err = {.code = ERR_NONE};
    struct edit edit;

    ck_assert(edit_init(&edit, before, strlen(before)));
    bool is_done = apply(&edit, verb, &err);
    ck_assert_msg(is_done == (after != NULL), "%s\n%s", err.text, before);
    ck_assert_msg(edit.length == strlen(expected) && memcmp(edit.text, expected, edit.length) == 0,
                  "expected:\n%s\ngot:\n%.*s", expected, (int)edit.length, edit.text);
    ck_assert(is_done || err.text[0] != '\0');
    edit_close(&edit);
}

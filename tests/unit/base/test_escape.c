#include "base/escape.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static const struct {
    const char *raw;
    const char *seen;
} texts[] = {
    {"frozen-oasis-70544", "frozen-oasis-70544"},
    {"", ""},
    /* C0, DEL */
    {"e\033[31mRED\033]0;owned\007.yaml", "e\\x1b[31mRED\\x1b]0;owned\\x07.yaml"},
    {"two\nlines\r\t\x7f", "two\\x0alines\\x0d\\x09\\x7f"},
    /* C1 as UTF-8: CSI */
    {"\xc2\x9b"
     "31m",
     "\\xc2\\x9b31m"},
    /* printable text stays */
    {"⬢ caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80",
     "⬢ caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"},
    /* broken: a lone octet, a long form, a surrogate, past the end, a cut sequence */
    {"\xff", "\\xff"},
    {"\xc0\xaf", "\\xc0\\xaf"},
    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
    {"\xe2\x80", "\\xe2\\x80"},
    /* direction */
    {"a\u202ab", "a<U+202A left-to-right embedding>b"},
    {"\u202b\u202c\u202d", "<U+202B right-to-left embedding><U+202C pop directional formatting>"
                           "<U+202D left-to-right override>"},
    {"gpj.\u202eexe", "gpj.<U+202E right-to-left override>exe"},
    {"\u2066\u2067\u2068\u2069", "<U+2066 left-to-right isolate><U+2067 right-to-left isolate>"
                                 "<U+2068 first strong isolate><U+2069 pop directional isolate>"},
    {"\u200e\u200f\u061c", "<U+200E left-to-right mark><U+200F right-to-left mark>"
                           "<U+061C Arabic letter mark>"},
    /* invisible, or mistaken for another character */
    {"\u00a0\u00a0\u00a0\u00a0internal_routing",
     "<U+00A0 no-break space, 4 times>internal_routing"},
    {"api\u200b.example.com", "api<U+200B zero-width space>.example.com"},
    {"\ufeffspace", "<U+FEFF byte order mark>space"},
    {"\u201cweb\u201d \u2018web\u2019", "<U+201C left double quote>web<U+201D right double quote> "
                                        "<U+2018 left single quote>web<U+2019 right single quote>"},
    {"a\u2028b", "a<U+2028 line separator>b"},
    {"a\U000e0041", "a<U+E0041 tag character>"},
    {"a\ufe0f", "a<U+FE0F variation selector>"},
};

TEST_OVER(control_and_invisible_characters_are_escaped, texts)
{
    char seen[256];
    size_t length = escape_string(seen, sizeof seen, texts[_i].raw);

    ck_assert_str_eq(seen, texts[_i].seen);
    ck_assert_uint_eq(length, strlen(texts[_i].seen));
}

TEST_OVER(a_second_time_changes_nothing, texts)
{
    char again[256];

    escape_string(again, sizeof again, texts[_i].seen);
    ck_assert_str_eq(again, texts[_i].seen);
}

TEST_OVER(printing_does_the_same, texts)
{
    char *printed = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&printed, &length);

    ck_assert_ptr_nonnull(out);
    escape_print(out, texts[_i].raw);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_str_eq(printed, texts[_i].seen);
    free(printed);
}

TEST(no_escape_is_cut_in_two)
{
    static const char raw[] = "ab\033é\u202e.";
    static const char whole[] = "ab\\x1bé<U+202E right-to-left override>.";

    for (size_t size = 1; size <= sizeof whole; size++) {
        char seen[sizeof whole];
        size_t length = escape_string(seen, size, raw);
        ck_assert_mem_eq(seen, whole, length);
        ck_assert_int_eq(seen[length], '\0');
        ck_assert(length <= 2 || (length == 6 || length == 8 || length >= sizeof whole - 2));
    }
}

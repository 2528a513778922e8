#include "base/utf8.h"

#include <string.h>

#include "support/suite.h"

#define OCTETS(text) text, sizeof(text) - 1

static const struct {
    const char *octets;
    size_t length;
    bool is_printable;
} rows[] = {
    {OCTETS(""), true},
    {OCTETS("signature expired"), true},
    {OCTETS("f\xc3\xbcr \xe2\x82\xac \xf0\x9f\x98\x80"), true},
    /* Control characters, of ASCII and behind it. */
    {OCTETS("\x1b[31m"), false},
    {OCTETS("a\r\nb"), false},
    {OCTETS("a\tb"), false},
    {OCTETS("a\0"), false},
    {OCTETS("\x7f"), false},
    {OCTETS("\xc2\x9b"), false},
    {OCTETS("\xc2\xa0"), true},
    /* No UTF-8: alone, cut, overlong, surrogates, beyond the last. */
    {OCTETS("\x93\xff"), false},
    {OCTETS("\xff"), false},
    {OCTETS("\xc3"), false},
    {OCTETS("\xe2\x82"), false},
    {OCTETS("\xf0\x9f\x98"), false},
    {OCTETS("\xc3("), false},
    {OCTETS("\xc0\xaf"), false},
    {OCTETS("\xe0\x80\xaf"), false},
    {OCTETS("\xf0\x80\x80\xaf"), false},
    {OCTETS("\xed\xa0\x80"), false},
    {OCTETS("\xf4\x8f\xbf\xbd"), true},
    {OCTETS("\xf4\x90\x80\x80"), false},
    {OCTETS("\xf8\x88\x80\x80\x80"), false},
    /* Direction marks and line separators. */
    {OCTETS("a\xe2\x80\xae"
            "b"),
     false},
    {OCTETS("\xe2\x80\x8f"), false},
    {OCTETS("\xe2\x81\xa6"), false},
    {OCTETS("\xd8\x9c"), false},
    {OCTETS("\xe2\x80\xa8"), false},
    {OCTETS("\xef\xbb\xbf"), false},
};

TEST_OVER(only_text_safe_to_print_is_printable, rows)
{
    ck_assert(utf8_is_printable((const uint8_t *)rows[_i].octets, rows[_i].length) ==
              rows[_i].is_printable);
}

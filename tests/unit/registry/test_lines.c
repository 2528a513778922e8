#include "registry/lines.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static const char text[] = "format: 1\n"
                           "\n"
                           "no colon here\n"
                           ": no key\n"
                           "  by :\t someone@host  \r\n"
                           "empty:\n"
                           "at_ms: 18446744073709551615\n"
                           "release: a.example\n"
                           "release: b.example\n"
                           "what: push: this";

static void expect(const char *key, const char *value)
{
    char out[64];

    lines_copy(text, sizeof text - 1, key, out, sizeof out);
    ck_assert_str_eq(out, value);
}

TEST(a_value_is_what_is_between_the_blanks)
{
    expect("format", "1");
    expect("by", "someone@host");
    expect("empty", "");
    expect("what", "push: this");
    expect("nothing", "");
}

TEST(a_key_may_come_several_times)
{
    struct lines lines = lines_over(text, sizeof text - 1);
    struct line line;
    unsigned releases = 0, all = 0;

    while (lines_next(&lines, &line)) {
        all++;
        releases += line_is(&line, "release");
    }
    ck_assert_uint_eq(releases, 2);
    ck_assert_uint_eq(all, 7);
}

static const struct {
    const char *text;
    uint64_t number;
} numbers[] = {
    {"n: 0", 0},  {"n: 42", 42}, {"n: 18446744073709551615", UINT64_MAX},
    {"n: -1", 0}, {"n: 4x", 0},  {"n: 18446744073709551616", 0},
    {"n:", 0},    {"m: 3", 0},
};

TEST_OVER(a_number_is_digits_of_64_bits, numbers)
{
    ck_assert_uint_eq(lines_number(numbers[_i].text, strlen(numbers[_i].text), "n"),
                      numbers[_i].number);
}

TEST(a_value_is_cut_to_its_room)
{
    char out[4];

    lines_copy("a: 123456", 9, "a", out, sizeof out);
    ck_assert_str_eq(out, "123");
}

TEST(an_empty_text_has_no_lines)
{
    struct lines lines = lines_over(NULL, 0);
    struct line line;

    ck_assert(!lines_next(&lines, &line));
}

TEST(what_is_written_is_read)
{
    struct lines_writer writer = {.text = NULL};
    char out[16];

    lines_write(&writer, "why", "a\nforce: b");
    lines_write_number(&writer, "at_ms", 7);
    ck_assert(!writer.has_failed);
    ck_assert_str_eq(writer.text, "why: a force: b\nat_ms: 7\n");
    ck_assert_uint_eq(writer.length, strlen(writer.text));
    lines_copy(writer.text, writer.length, "why", out, sizeof out);
    ck_assert_str_eq(out, "a force: b");
    free(writer.text);
}

TEST(a_text_grows)
{
    struct lines_writer writer = {.text = NULL};
    const unsigned most = 1000;

    for (unsigned i = 0; i < most; i++)
        lines_write(&writer, "key", "value");
    ck_assert_uint_eq(writer.length, most * strlen("key: value\n"));
    free(writer.text);
}

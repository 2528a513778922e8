#include "base/wrap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/suite.h"

enum { TEXT_MOST = 4096 };

static char text[TEXT_MOST];

/* A terminal gives what was written in parts: reads until the last word is there and its line ends.
 */
static void read_until(int terminal, const char *last)
{
    size_t length = 0;

    do {
        ssize_t more = read(terminal, text + length, sizeof text - 1 - length);
        ck_assert_int_gt(more, 0);
        length += (size_t)more;
        text[length] = '\0';
    } while (strstr(text, last) == NULL || text[length - 1] != '\n');
}

/* Prints on a terminal of that width, and reads what it would show. */
static void print_on_terminal(unsigned short columns, const char *words, int column)
{
    const struct winsize size = {.ws_col = columns, .ws_row = 24};
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);

    ck_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int end = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(end, 0);
    ck_assert_int_eq(ioctl(end, TIOCSWINSZ, &size), 0);
    FILE *out = fdopen(end, "w");
    fprintf(out, "%*s", column, "");
    wrap_print(out, words, column);
    fflush(out);
    read_until(terminal, strrchr(words, ' ') + 1);
    fclose(out);
    close(terminal);
}

static const struct {
    unsigned short columns;
    int column;
    const char *shown;
} widths[] = {
    {80, 0, "one two three four five six\r\n"},
    {27, 0, "one two three four five six\r\n"},
    {26, 0, "one two three four five\r\nsix\r\n"},
    {24, 4, "    one two three four\r\n    five six\r\n"},
    {1, 0, "one two three four\r\nfive six\r\n"}, /* as 20 */
};

TEST_OVER(words_are_wrapped_at_the_width_of_the_terminal, widths)
{
    print_on_terminal(widths[_i].columns, "one two three four five six", widths[_i].column);
    ck_assert_str_eq(text, widths[_i].shown);
}

TEST(a_word_wider_than_the_terminal_stays_whole)
{
    print_on_terminal(20, "a 123456789012345678901234567890 b", 0);
    ck_assert_str_eq(text, "a\r\n123456789012345678901234567890\r\nb\r\n");
}

TEST(other_output_is_not_wrapped)
{
    char *printed;
    size_t length;
    FILE *out = open_memstream(&printed, &length);

    for (int i = 0; i < 200; i++)
        wrap_print(out, "word word", 4);
    ck_assert_int_eq(wrap_width(out), WRAP_ENDLESS);
    fclose(out);
    ck_assert_uint_eq(length, 200 * sizeof "word word");
    free(printed);
}

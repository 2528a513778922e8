#include "base/journal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "support/suite.h"

enum { TEXT_MOST = 1024 };

static int ends[2], kept;
static char text[TEXT_MOST];

/* Makes a pipe standard error, and names it as the journal's stream; `off` is added to its inode.
 */
static void set_stream(unsigned off)
{
    char stream[64];
    struct stat status;

    kept = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino + off);
    setenv("JOURNAL_STREAM", stream, 1);
}

/* Ends it; returns what was written. */
static const char *written(void)
{
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    ssize_t length = read(ends[0], text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    close(ends[0]);
    return text;
}

static const struct {
    enum log_level level;
    const char *expected;
} levels[] = {
    {LOG_ERROR, "<3>error tried text=\"a sentence\"\n"},
    {LOG_WARNING, "<4>warning tried text=\"a sentence\"\n"},
    {LOG_INFO, "<6>info tried text=\"a sentence\"\n"},
    {LOG_DEBUG, "<7>debug tried text=\"a sentence\"\n"},
};

TEST_OVER(the_journal_gets_a_priority_and_no_time, levels)
{
    set_stream(0);
    log_open();
    log_set_level(LOG_DEBUG);
    log_sentence(levels[_i].level, "tried", "a sentence");
    ck_assert_str_eq(written(), levels[_i].expected);
}

TEST(each_line_of_a_refusal_is_an_error)
{
    set_stream(0);
    FILE *errors = journal_open_errors();
    fputs("one: ", errors);
    fputs("first\n\nthird", errors);
    journal_close_errors(errors);
    ck_assert_str_eq(written(), "<3>one: first\n<3>\n<3>third");
}

TEST(standard_error_that_is_not_the_journal_is_left_alone)
{
    set_stream(1);
    ck_assert(!journal_is_reading());
    log_open();
    log_sentence(LOG_ERROR, "tried", "a sentence");
    FILE *errors = journal_open_errors();
    fputs("refused\n", errors);
    journal_close_errors(errors);
    ck_assert_ptr_nonnull(strstr(written(), "+00:00 error tried text=\"a sentence\"\nrefused\n"));
}

static const char *const bad_streams[] = {"", "1", "a:b", ":"};

TEST_OVER(a_bad_stream_is_none, bad_streams)
{
    setenv("JOURNAL_STREAM", bad_streams[_i], 1);
    ck_assert(!journal_is_reading());
}

TEST(without_the_variable_there_is_no_journal)
{
    unsetenv("JOURNAL_STREAM");
    ck_assert(!journal_is_reading());
    ck_assert_ptr_eq(journal_open_errors(), stderr);
}

// forks: its tests leave something behind
#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

static const struct {
    int64_t wall_us;
    const char *expected;
} times[] = {
    {0, "1970-01-01T00:00:00.000000+00:00"},
    {1, "1970-01-01T00:00:00.000001+00:00"},
    {-1, "1969-12-31T23:59:59.999999+00:00"},
    {1729080000000000, "2024-10-16T12:00:00.000000+00:00"},
    {1709210096999999, "2024-02-29T12:34:56.999999+00:00"},
    {951868800000000, "2000-03-01T00:00:00.000000+00:00"},
    {4107542400000000, "2100-03-01T00:00:00.000000+00:00"},
    {253402300799999999, "9999-12-31T23:59:59.999999+00:00"},
};

TEST_OVER(a_time_is_written_in_full, times)
{
    char buffer[64] = "";
    struct text text = text_over(buffer, sizeof buffer - 1);

    log_add_time(&text, times[_i].wall_us);
    ck_assert_str_eq(buffer, times[_i].expected);
}

static const struct {
    const char *value;
    const char *expected;
} values[] = {
    {"plain-1.example.com", "plain-1.example.com"},
    {"two words", "\"two words\""},
    {"say \"x\"", "\"say \\\"x\\\"\""},
    {"a\\b", "\"a\\\\b\""},
    {"k=v", "\"k=v\""},
    {"line\nfeed", "\"line\\u000afeed\""},
    {"\x1b[31m", "\"\\u001b[31m\""},
    {"del\x7f", "\"del\\u007f\""},
    /* An octet that is no character must not read as the character of that number. */
    {"a\xff", "\"a\\\\xff\""},
    {"a\xc3\xbf", "\"a\xc3\xbf\""},
    {"a\xc2\x85", "\"a\\\\xc2\\\\x85\""},
    {"a\\255.example", "\"a\\\\255.example\""}, /* as name_add writes it */
    {"", ""},
};

TEST_OVER(a_value_cannot_forge_a_pair_or_end_the_line, values)
{
    char buffer[64] = "";
    struct text text = text_over(buffer, sizeof buffer - 1);

    log_add_value(&text, values[_i].value, strlen(values[_i].value));
    ck_assert_str_eq(buffer, values[_i].expected);
}

/* Sends a line and reads it back; standard error is a pipe meanwhile. */
static void send_and_read(struct log_line *line, char *out, size_t size)
{
    int ends[2], kept = dup(STDERR_FILENO);

    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_send(line);
    dup2(kept, STDERR_FILENO);
    close(ends[1]);
    ssize_t length = read(ends[0], out, size - 1);
    out[length < 0 ? 0 : length] = '\0';
    close(ends[0]);
    close(kept);
}

TEST(a_line_is_time_level_event_and_pairs)
{
    struct log_line line;
    char out[512];

    log_start(&line, LOG_INFO, "reload_done");
    log_number(&line, "generation", 2);
    log_string(&line, "file", "a b");
    log_string(&line, "region", NULL);
    send_and_read(&line, out, sizeof out);
    ck_assert_uint_gt(strlen(out), 33);
    ck_assert_str_eq(out + 32, " info reload_done generation=2 file=\"a b\" region=\n");
}

TEST(an_event_below_the_level_is_not_logged)
{
    struct log_line line;
    char out[512];

    log_set_level(LOG_WARNING);
    log_start(&line, LOG_INFO, "ready");
    log_number(&line, "workers", 2);
    send_and_read(&line, out, sizeof out);
    ck_assert_str_eq(out, "");
    log_start(&line, LOG_WARNING, "slow");
    send_and_read(&line, out, sizeof out);
    ck_assert_str_eq(out + 32, " warning slow\n");
}

TEST(a_line_that_is_too_long_is_cut_and_marked)
{
    struct log_line line;
    static char value[3 * LOG_LINE_OCTETS], out[3 * LOG_LINE_OCTETS];

    memset(value, 'x', sizeof value - 1);
    log_start(&line, LOG_ERROR, "long");
    log_string(&line, "value", value);
    send_and_read(&line, out, sizeof out);
    ck_assert_uint_eq(strlen(out), LOG_LINE_OCTETS);
    ck_assert_str_eq(out + LOG_LINE_OCTETS - 5, "x...\n");
}

/* Standard error is a pipe without a reader: it is filled, and later lines are lost. */
TEST(a_reader_that_stops_does_not_block_and_lost_lines_are_logged)
{
    static char out[1 << 17];
    struct log_line line;
    int ends[2], kept = dup(STDERR_FILENO);
    unsigned sent = 0, held = 0;

    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    int room = fcntl(ends[1], F_SETPIPE_SZ, 16384);
    ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0); /* the writer's end blocks */
    dup2(ends[1], STDERR_FILENO);
    for (; sent < 400; sent++)
        log_sentence(LOG_INFO, "counters", "who reads this?");
    ssize_t length = read(ends[0], out, sizeof out - 1);
    ck_assert_int_gt(length, 0);
    for (ssize_t i = 0; i < length; i++)
        held += out[i] == '\n';
    ck_assert_uint_lt(held, sent);
    log_start(&line, LOG_INFO, "stopping");
    log_send(&line);
    length = read(ends[0], out, sizeof out - 1);
    dup2(kept, STDERR_FILENO);
    close(ends[0]), close(ends[1]), close(kept);
    ck_assert_int_gt(length, 0);
    out[length] = '\0';
    char wanted[64];
    snprintf(wanted, sizeof wanted, " error log_lost count=%u text=", sent - held);
    ck_assert_msg(strstr(out, wanted) != NULL, "%s (room %d)", out, room);
    ck_assert_ptr_nonnull(strstr(out, " info stopping\n"));
}

#include "serve/querylog_reader.h"

#include <string.h>

#include "support/suite.h"

static const uint64_t second_ns = 1000000000;

static struct querylog_reader *reader;

static void set_up(void)
{
    const struct querylog_filter filter = {.is_failed = true};

    reader = querylog_reader_new(&filter, QUERYLOG_LOGFMT);
    ck_assert_ptr_nonnull(reader);
}

static void tear_down(void)
{
    querylog_reader_free(reader);
}

FIXTURE(set_up, tear_down)

static bool add(enum querylog_kind kind, uint64_t second)
{
    struct querylog_record record = {
        .kind = (uint8_t)kind, .added_ns = second * second_ns, .reply_octets = 77};

    ck_assert(endpoint_read("10.0.130.56", 40000, &record.client));
    return querylog_reader_add(reader, &record);
}

static size_t count_lines(const struct querylog_lines *lines)
{
    size_t count = 0;

    for (size_t i = 0; i < lines->length; i++)
        count += lines->octets[i] == '\n';
    return count;
}

TEST(lines_that_pass_are_taken_once)
{
    struct querylog_lines lines;

    ck_assert(!add(QUERYLOG_OTHER, 1));
    ck_assert(!querylog_reader_take(reader, &lines));
    ck_assert(add(QUERYLOG_FAILURE, 1));
    ck_assert(querylog_reader_take(reader, &lines));
    ck_assert_uint_eq(count_lines(&lines), 1);
    ck_assert_ptr_nonnull(memmem(lines.octets, lines.length, " bytes=77 ", 10));
    ck_assert(!querylog_reader_take(reader, &lines));
}

TEST(more_than_so_many_in_a_second_are_counted_once_it_is_over)
{
    struct querylog_lines lines;

    for (unsigned i = 0; i < QUERYLOG_READER_RATE + 30; i++)
        add(QUERYLOG_FAILURE, 1);
    querylog_reader_skip(reader, QUERYLOG_FAILURE, 5);
    querylog_reader_skip(reader, QUERYLOG_OTHER, 1000); /* it does not want these */
    ck_assert(querylog_reader_take(reader, &lines));
    ck_assert_uint_eq(count_lines(&lines), QUERYLOG_READER_RATE);
    ck_assert_uint_eq(lines.left_out, 0);
    ck_assert(!querylog_reader_set_second(reader, 1));
    ck_assert(querylog_reader_set_second(reader, 2));
    ck_assert(querylog_reader_take(reader, &lines));
    ck_assert_uint_eq(lines.left_out, 35);
    ck_assert_uint_eq(lines.length, 0);
    ck_assert(!querylog_reader_take(reader, &lines));
}

TEST(lines_that_are_not_taken_in_time_are_lost_and_counted)
{
    struct querylog_lines lines;
    unsigned added = 0;

    for (uint64_t second = 1; reader->lost < 100; second++)
        for (unsigned i = 0; i < 500 && reader->lost < 100; i++, added++)
            add(QUERYLOG_FAILURE, second);
    ck_assert(querylog_reader_take(reader, &lines));
    ck_assert_uint_eq(lines.lost, 100);
    ck_assert_uint_eq(count_lines(&lines), added - 100);
    ck_assert_uint_le(lines.length, QUERYLOG_READER_OCTETS);
    ck_assert_int_eq(lines.octets[lines.length - 1], '\n'); /* whole lines */
    ck_assert(add(QUERYLOG_FAILURE, 1000000));
    ck_assert(querylog_reader_take(reader, &lines));
    ck_assert_uint_eq(lines.lost, 0);
    ck_assert_uint_eq(count_lines(&lines), 1);
}

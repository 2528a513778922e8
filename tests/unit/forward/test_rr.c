#include "forward/rr.h"

#include <string.h>

#include "support/suite.h"

/* A header and a question of 11 octets, an MX and an A record. */
static const uint8_t message[] = "............\4test\0\0\x0f\0\1"
                                 "\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0\4\0\1\xc0\x0c"
                                 "\1a\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\xc0\0\2\1";

enum { LENGTH = sizeof message - 1, FIRST = 22, SECOND = 38 };

static struct reader reader_at(size_t offset)
{
    struct reader in = reader_over(message, LENGTH);
    in.next += offset;
    return in;
}

static void check_second(const struct rr *record)
{
    ck_assert_uint_eq(record->type, 1);
    ck_assert_uint_eq(record->class, 1);
    ck_assert_uint_eq(record->length, 4);
    ck_assert_ptr_eq(record->start, message + SECOND);
    ck_assert_uint_eq(load32(record->ttl), 30);
    ck_assert_mem_eq(record->data, "\xc0\0\2\1", 4);
}

TEST(records_are_read_one_behind_another)
{
    struct reader in = reader_at(FIRST);
    struct rr record;

    ck_assert(rr_read(&in, &record));
    ck_assert_uint_eq(record.type, 15);
    ck_assert_ptr_eq(record.ttl, message + FIRST + 6);
    ck_assert_ptr_eq(record.data, message + FIRST + 12);
    ck_assert(rr_read(&in, &record));
    check_second(&record);
    ck_assert_ptr_eq(in.next, in.end);
    ck_assert(!rr_read(&in, &record));
    ck_assert(in.failed);
    ck_assert(!rr_read(&in, &record));
}

TEST(a_record_seen_before_is_passed_over_without_its_message)
{
    struct reader in = reader_over(message + SECOND, LENGTH - SECOND);
    struct rr record;

    ck_assert(rr_next(&in, &record));
    check_second(&record);
    ck_assert(!rr_next(&in, &record));
}

TEST(a_record_that_ends_early_is_not_read)
{
    struct rr record;

    for (size_t end = SECOND; end < LENGTH; end++) {
        struct reader in = reader_over(message, end);
        in.next += SECOND;
        ck_assert(!rr_read(&in, &record));
        ck_assert(in.failed);
    }
}

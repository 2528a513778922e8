#include "base/bytes.h"

#include "support/suite.h"

TEST(reads_numbers_in_network_order)
{
    const uint8_t octets[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xff};
    struct reader in = reader_over(octets, sizeof octets);

    ck_assert_uint_eq(read8(&in), 0x01);
    ck_assert_uint_eq(read16(&in), 0x0203);
    ck_assert_uint_eq(read32(&in), 0x04050607);
    ck_assert_uint_eq(reader_left(&in), 1);
    ck_assert_ptr_eq(read_span(&in, 1), octets + 7);
    ck_assert_uint_eq(reader_left(&in), 0);
    ck_assert(!in.failed);
}

TEST(a_reader_that_ran_out_stays_where_it_was)
{
    const uint8_t octets[] = {0xaa, 0xbb, 0xcc};
    struct reader in = reader_over(octets, sizeof octets);

    ck_assert_uint_eq(read8(&in), 0xaa);
    ck_assert_uint_eq(read32(&in), 0);
    ck_assert(in.failed);
    ck_assert_ptr_eq(in.next, octets + 1);
    ck_assert_uint_eq(read8(&in), 0);
    ck_assert_ptr_null(read_span(&in, 0));
    ck_assert_uint_eq(reader_left(&in), 0);
}

TEST(a_reader_over_nothing_gives_nothing)
{
    struct reader in = reader_over((const uint8_t *)"", 0);

    ck_assert_ptr_nonnull(read_span(&in, 0));
    ck_assert(!in.failed);
    ck_assert_uint_eq(read16(&in), 0);
    ck_assert(in.failed);
}

TEST(writes_numbers_in_network_order)
{
    const uint8_t expected[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 'a', 'b'};
    uint8_t octets[sizeof expected];
    struct writer out = writer_over(octets, sizeof octets);

    write8(&out, 0x01);
    write16(&out, 0x0203);
    write32(&out, 0x04050607);
    write_octets(&out, "ab", 2);
    ck_assert(!out.failed);
    ck_assert_uint_eq(writer_length(&out), sizeof expected);
    ck_assert_mem_eq(octets, expected, sizeof expected);
}

TEST(a_writer_that_ran_out_writes_nothing_more)
{
    uint8_t octets[4] = {9, 9, 9, 9};
    struct writer out = writer_over(octets, 3);

    write16(&out, 0x0102);
    write32(&out, 0xffffffff);
    ck_assert(out.failed);
    write8(&out, 7); /* there is room, but it stays failed */
    write_octets(&out, "x", 1);
    ck_assert_ptr_null(write_span(&out, 0));
    ck_assert_uint_eq(writer_length(&out), 2);
    ck_assert_mem_eq(octets, ((uint8_t[]){1, 2, 9, 9}), 4);
}

#include "etcd/buffer.h"

#include <string.h>

#include "support/suite.h"

static void expect(const struct buffer *buffer, const char *text)
{
    ck_assert_uint_eq(buffer_length(buffer), strlen(text));
    ck_assert(octets_are(buffer_octets(buffer), text));
}

TEST(what_is_added_is_taken_in_its_order)
{
    struct buffer buffer = {.block = NULL};

    expect(&buffer, "");
    ck_assert(buffer_add(&buffer, "abc", 3));
    ck_assert(buffer_add(&buffer, "", 0));
    ck_assert(buffer_add(&buffer, "de", 2));
    expect(&buffer, "abcde");
    buffer_take(&buffer, 2);
    expect(&buffer, "cde");
    buffer_take(&buffer, 3);
    expect(&buffer, "");
    buffer_close(&buffer);
}

TEST(nothing_is_lost_when_it_moves)
{
    struct buffer buffer = {.block = NULL};
    uint8_t octet, next_in = 0, next_out = 0;

    for (unsigned turn = 0; turn < 20000; turn++) {
        for (unsigned i = 0; i < 7; i++) {
            octet = next_in++;
            ck_assert(buffer_add(&buffer, &octet, 1));
        }
        for (unsigned i = 0; i < (turn % 1000 < 900 ? 6U : 13U) && buffer_length(&buffer) > 0;
             i++) {
            ck_assert_uint_eq(buffer_octets(&buffer).start[0], next_out++);
            buffer_take(&buffer, 1);
        }
    }
    ck_assert_uint_le(buffer.capacity, 1 << 17);
    buffer_close(&buffer);
}

TEST(room_is_committed_as_far_as_it_was_filled)
{
    struct buffer buffer = {.block = NULL};
    uint8_t *room = buffer_room(&buffer, 100);

    ck_assert_ptr_nonnull(room);
    memcpy(room, "xyz", 3);
    buffer_commit(&buffer, 3);
    expect(&buffer, "xyz");
    buffer_close(&buffer);
}

TEST(what_became_large_is_given_back_when_it_is_empty)
{
    static uint8_t large[3 << 20];
    struct buffer buffer = {.block = NULL};

    ck_assert(buffer_add(&buffer, large, sizeof large));
    buffer_take(&buffer, sizeof large - 1);
    ck_assert_uint_ge(buffer.capacity, sizeof large);
    buffer_take(&buffer, 1);
    ck_assert_uint_eq(buffer.capacity, 0);
    buffer_close(&buffer);
}

TEST(more_than_memory_has_is_refused_and_changes_nothing)
{
    struct buffer buffer = {.block = NULL};

    ck_assert(buffer_add(&buffer, "abc", 3));
    ck_assert_ptr_null(buffer_room(&buffer, SIZE_MAX / 2));
    ck_assert_ptr_null(buffer_room(&buffer, SIZE_MAX));
    expect(&buffer, "abc");
    buffer_close(&buffer);
}

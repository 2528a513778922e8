#include "upstream/frame.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { MESSAGES_MOST = 16 };

/* The messages received. */
struct received {
    size_t count;
    size_t lengths[MESSAGES_MOST];
    uint8_t sums[MESSAGES_MOST];
};

static uint8_t sum(const uint8_t *octets, size_t length)
{
    uint8_t total = 0;

    for (size_t i = 0; i < length; i++)
        total = (uint8_t)(total * 3 + octets[i]);
    return total;
}

static void read_answer(void *context, uint8_t *octets, size_t length)
{
    struct received *received = context;

    ck_assert_uint_lt(received->count, MESSAGES_MOST);
    received->lengths[received->count] = length;
    received->sums[received->count++] = sum(octets, length);
    memset(octets, 0xff, length); /* the listener may do so */
}

/* Passes a copy of exactly this size, so that a sanitizer sees a read past it. */
static void take(struct frames *frames, const uint8_t *octets, size_t length,
                 struct received *received)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    memcpy(copy, octets, length);
    ck_assert(frames_take(frames, copy, length, read_answer, received));
    free(copy);
}

static const uint8_t stream[] = "\0\3abc"
                                "\0\0"
                                "\0\1x"
                                "\0\14hello, world"
                                "\0\0"
                                "\0\2yz"; /* and the zero octet that C adds */

static void check(const struct received *received)
{
    static const struct {
        const char *text;
        size_t length;
    } expected[] = {{"abc", 3}, {"", 0}, {"x", 1}, {"hello, world", 12}, {"", 0}, {"yz", 2}};

    ck_assert_uint_eq(received->count, 6);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(received->lengths[i], expected[i].length);
        ck_assert_uint_eq(received->sums[i],
                          sum((const uint8_t *)expected[i].text, expected[i].length));
    }
}

TEST(messages_are_whole_however_they_come)
{
    size_t length = sizeof stream - 1;

    for (size_t first = 0; first <= length; first++)
        for (size_t second = first; second <= length; second++) {
            struct frames frames = {.length = 0};
            struct received received = {.count = 0};
            take(&frames, stream, first, &received);
            take(&frames, stream + first, second - first, &received);
            take(&frames, stream + second, length - second, &received);
            check(&received);
            frames_close(&frames);
        }
}

TEST(messages_are_whole_when_they_come_octet_by_octet)
{
    struct frames frames = {.length = 0};
    struct received received = {.count = 0};

    for (size_t i = 0; i < sizeof stream - 1; i++)
        take(&frames, stream + i, 1, &received);
    check(&received);
    frames_close(&frames);
}

static const size_t steps[] = {1, 2, 1000, 65535, 65536, 65537};

TEST_OVER(the_longest_message_is_accepted, steps)
{
    static uint8_t octets[2 * FRAME_OCTETS_MOST];
    struct frames frames = {.length = 0};
    struct received received = {.count = 0};

    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i % 251);
    octets[0] = octets[1] = 0xff;
    octets[FRAME_OCTETS_MOST] = octets[FRAME_OCTETS_MOST + 1] = 0xff;
    for (size_t at = 0; at < sizeof octets; at += steps[_i]) {
        size_t left = sizeof octets - at;
        take(&frames, octets + at, left < steps[_i] ? left : steps[_i], &received);
    }
    ck_assert_uint_eq(received.count, 2);
    ck_assert_uint_eq(received.lengths[1], 65535);
    ck_assert_uint_eq(received.sums[1], sum(octets + FRAME_OCTETS_MOST + 2, 65535));
    frames_close(&frames);
}

TEST(an_incomplete_message_is_dropped_with_its_stream)
{
    struct frames frames = {.length = 0};
    struct received received = {.count = 0};

    take(&frames, (const uint8_t *)"\0\5abc", 5, &received);
    frames_close(&frames);
    take(&frames, (const uint8_t *)"\0\2de", 4, &received);
    ck_assert_uint_eq(received.count, 1);
    ck_assert_uint_eq(received.sums[0], sum((const uint8_t *)"de", 2));
    frames_close(&frames);
}

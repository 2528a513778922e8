#include "base/random.h"

#include <string.h>

#include "support/suite.h"

enum { DRAWS = 65536 };

TEST(every_octet_asked_for_is_written_and_none_beside)
{
    struct random_source source = {.left = 0};
    uint8_t written[40] = {0}, out[40];

    for (int draw = 0; draw < 100; draw++) {
        memset(out, 0, sizeof out);
        random_fill(&source, out + 4, 32);
        for (size_t i = 0; i < sizeof out; i++)
            written[i] |= out[i];
    }
    for (size_t i = 0; i < sizeof out; i++)
        ck_assert(i < 4 || i >= 36 ? written[i] == 0 : written[i] == 0xff);
}

TEST(used_octets_are_erased)
{
    struct random_source source = {.left = 0};
    uint8_t out[RANDOM_BUFFER_OCTETS];
    const uint8_t zeros[RANDOM_BUFFER_OCTETS] = {0};

    random_fill(&source, out, sizeof out);
    ck_assert_uint_eq(source.left, 0);
    ck_assert(memcmp(source.octets, zeros, sizeof zeros) == 0);
    ck_assert(memcmp(out, zeros, sizeof zeros) != 0);
}

TEST(ids_are_spread_over_all_their_values)
{
    static uint8_t seen[DRAWS];
    struct random_source source = {.left = 0};
    unsigned distinct = 0;

    memset(seen, 0, sizeof seen);
    for (int draw = 0; draw < DRAWS; draw++) {
        uint16_t id = random_16(&source);
        distinct += seen[id] == 0;
        seen[id] = 1;
    }
    /* 65,536 draws of 65,536 values leave 1/e of them out: 41,427 distinct, deviation 80. */
    ck_assert_uint_gt(distinct, 41427 - 10 * 80);
    ck_assert_uint_lt(distinct, 41427 + 10 * 80);
}

TEST(two_sources_differ)
{
    struct random_source a = {.left = 0}, b = {.left = 0};
    uint8_t from_a[16], from_b[16];

    random_fill(&a, from_a, sizeof from_a);
    random_fill(&b, from_b, sizeof from_b);
    ck_assert(memcmp(from_a, from_b, sizeof from_a) != 0);
}

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

static const struct hash_key key = {.first = 0x0123456789abcdef, .second = 0xfedcba9876543211};

START_TEST(equal_octets_hash_equal_at_any_address)
{
    const uint8_t a[32] = "\3www\7example\3com";
    uint8_t shifted[40] = {0};

    memcpy(shifted + 5, a, sizeof a);
    ck_assert_uint_eq(hash_padded(&key, a, 17), hash_padded(&key, shifted + 5, 17));
    ck_assert_uint_eq(hash_octets(&key, a, 17), hash_octets(&key, shifted + 5, 17));
}
END_TEST

START_TEST(octets_after_unpadded_octets_do_not_matter)
{
    char a[] = "content and rubbish", b[] = "content or what";

    ck_assert_uint_eq(hash_octets(&key, a, 7), hash_octets(&key, b, 7));
    ck_assert_uint_ne(hash_octets(&key, a, 8), hash_octets(&key, a, 7));
    ck_assert_uint_eq(hash_octets(&key, "", 0), hash_octets(&key, "x", 0));
}
END_TEST

START_TEST(length_and_key_matter)
{
    const uint8_t zeros[24] = {0};
    const struct hash_key other = {.first = key.first + 1, .second = key.second};

    ck_assert_uint_ne(hash_padded(&key, zeros, 8), hash_padded(&key, zeros, 16));
    ck_assert_uint_ne(hash_padded(&key, zeros, 8), hash_padded(&other, zeros, 8));
}
END_TEST

/* A shard is picked by the top octet: numbered apps must spread over all of them. */
START_TEST(numbered_names_spread_over_the_shards)
{
    enum { NAMES = 256 * 64, NAME_OCTETS = 27, PADDED_OCTETS = 32 };
    unsigned counts[256] = {0};

    for (unsigned i = 0; i < NAMES; i++) {
        uint8_t name[PADDED_OCTETS + 1] = {0};
        int length = snprintf((char *)name, sizeof name, "\013shop-%06u\011herokuapp\003com", i);
        ck_assert_int_eq(length + 1, NAME_OCTETS);
        counts[hash_padded(&key, name, NAME_OCTETS) >> 56]++;
    }
    for (int i = 0; i < 256; i++)
        ck_assert_msg(counts[i] > 24 && counts[i] < 128, "shard %d has %u", i, counts[i]);
}
END_TEST

START_TEST(random_keys_differ)
{
    struct hash_key first = hash_key_random(), second = hash_key_random();

    ck_assert(first.first != second.first || first.second != second.second);
    ck_assert_uint_eq(first.second & 1, 1);
    ck_assert_uint_eq(second.second & 1, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/hash");
    TCase *hashing = tcase_create("hashing");

    tcase_add_test(hashing, equal_octets_hash_equal_at_any_address);
    tcase_add_test(hashing, octets_after_unpadded_octets_do_not_matter);
    tcase_add_test(hashing, length_and_key_matter);
    tcase_add_test(hashing, numbered_names_spread_over_the_shards);
    tcase_add_test(hashing, random_keys_differ);
    suite_add_tcase(suite, hashing);
    return suite_run(suite);
}

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/suite.h"

static const struct hash_key key = {.first = 0x0123456789abcdef, .second = 0xfedcba9876543211};

TEST(equal_octets_hash_equal_at_any_address)
{
    const uint8_t a[32] = "\3www\7example\3com";
    uint8_t shifted[40] = {0};

    memcpy(shifted + 5, a, sizeof a);
    ck_assert_uint_eq(hash_padded(&key, a, 17), hash_padded(&key, shifted + 5, 17));
    ck_assert_uint_eq(hash_octets(&key, a, 17), hash_octets(&key, shifted + 5, 17));
}

TEST(octets_after_unpadded_octets_do_not_matter)
{
    char a[] = "content and rubbish", b[] = "content or what";

    ck_assert_uint_eq(hash_octets(&key, a, 7), hash_octets(&key, b, 7));
    ck_assert_uint_ne(hash_octets(&key, a, 8), hash_octets(&key, a, 7));
    ck_assert_uint_eq(hash_octets(&key, "", 0), hash_octets(&key, "x", 0));
}

TEST(length_and_key_matter)
{
    const uint8_t zeros[24] = {0};
    const struct hash_key other = {.first = key.first + 1, .second = key.second};

    ck_assert_uint_ne(hash_padded(&key, zeros, 8), hash_padded(&key, zeros, 16));
    ck_assert_uint_ne(hash_padded(&key, zeros, 8), hash_padded(&other, zeros, 8));
}

/* A shard is picked by the top octet: numbered apps must spread over all of them. */
TEST(numbered_names_spread_over_the_shards)
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

TEST(random_keys_differ)
{
    struct hash_key first = hash_key_random(), second = hash_key_random();

    ck_assert(first.first != second.first || first.second != second.second);
    ck_assert_uint_eq(first.second & 1, 1);
    ck_assert_uint_eq(second.second & 1, 1);
}

/* ---- names made to collide, under a key that their maker does not know ---- */

enum { MADE_NAMES_MOST = 80000, MADE_OCTETS = 32, WORD_OCTETS = 8 };

/* Hashes of names made to collide, and the key drawn for them. */
struct made {
    struct hash_key key;
    size_t count;
    uint64_t hashes[MADE_NAMES_MOST];
};

static void add_made(struct made *made, const uint8_t *name, size_t length)
{
    ck_assert_uint_lt(made->count, MADE_NAMES_MOST);
    made->hashes[made->count++] = hash_padded(&made->key, name, length);
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

/*
 * Hashes of random bits collide in all 64 bits never, and in the upper 32, which pick shard and
 * slot, about once in 80,000 names; more than 20 times has a chance below 1 in 10^20.
 */
static void check_collisions(struct made *made)
{
    size_t equal = 0, equal_above = 0;

    qsort(made->hashes, made->count, sizeof made->hashes[0], compare_hashes);
    for (size_t i = 1; i < made->count; i++) {
        equal += made->hashes[i] == made->hashes[i - 1];
        equal_above += made->hashes[i] >> 32 == made->hashes[i - 1] >> 32;
    }
    ck_assert_msg(equal == 0 && equal_above <= 20,
                  "of %zu names %zu collide, %zu in the upper half; key %#lx %#lx", made->count,
                  equal, equal_above, (unsigned long)made->key.first,
                  (unsigned long)made->key.second);
}

TEST(names_that_differ_in_one_or_two_octets_do_not_collide)
{
    enum { LENGTH = 27, VALUES = 16 };
    static struct made made;
    uint8_t name[MADE_OCTETS + 1] = "\013shop-000000\011herokuapp\003com";

    made = (struct made){.key = hash_key_random()};
    for (size_t i = 0; i < LENGTH; i++)
        for (size_t j = i + 1; j < LENGTH; j++)
            for (unsigned pair = 1; pair < VALUES * VALUES / 2; pair++) {
                uint8_t changed[sizeof name];
                memcpy(changed, name, sizeof name);
                changed[i] ^= (uint8_t)(pair % VALUES);
                changed[j] ^= (uint8_t)(pair / VALUES << 4);
                /* With one octet left as it is, the same name would be made again. */
                if (changed[i] != name[i] && changed[j] != name[j])
                    add_made(&made, changed, LENGTH);
            }
    for (size_t i = 0; i < LENGTH; i++)
        for (unsigned value = 1; value < 256; value++) {
            name[i] ^= (uint8_t)value;
            add_made(&made, name, LENGTH);
            name[i] ^= (uint8_t)value;
        }
    check_collisions(&made);
}

TEST(names_of_the_same_words_in_another_order_do_not_collide)
{
    enum { WORDS = 16, PLACES = MADE_OCTETS / WORD_OCTETS };
    static struct made made;
    uint8_t words[WORDS][WORD_OCTETS + 1];

    made = (struct made){.key = hash_key_random()};
    for (unsigned i = 0; i < WORDS; i++)
        snprintf((char *)words[i], sizeof words[i], "\007shop-%02u", i);
    for (unsigned order = 0; order < WORDS * WORDS * WORDS * WORDS; order++) {
        uint8_t name[MADE_OCTETS];
        for (size_t i = 0; i < PLACES; i++)
            memcpy(name + i * WORD_OCTETS, words[order >> 4 * i & (WORDS - 1)], WORD_OCTETS);
        add_made(&made, name, MADE_OCTETS);
    }
    check_collisions(&made);
}

/*
 * Half of the keys would be perfect. The last word's highest bit is the worst: it reaches the
 * hash's highest bit for 30 % of the keys in a name of 27 octets, for 69 % in one of 40.
 */
static const size_t avalanche_lengths[] = {20, 27, 40};

TEST_OVER(each_bit_of_a_name_changes_each_bit_of_the_hash_for_many_keys, avalanche_lengths)
{
    enum { KEYS = 4096, HASH_BITS = 64 };
    size_t length = avalanche_lengths[_i];
    struct random_source random = {0};

    for (size_t bit = 0; bit < length * 8; bit++) {
        unsigned changes[HASH_BITS] = {0};
        for (unsigned i = 0; i < KEYS; i++) {
            struct hash_key drawn;
            random_fill(&random, &drawn, sizeof drawn);
            drawn.second |= 1;
            uint8_t name[48] = "\015frozen-oasis-\011herokuapp\003com";
            uint64_t before = hash_padded(&drawn, name, length);
            name[bit / 8] ^= (uint8_t)(1 << bit % 8);
            uint64_t changed = before ^ hash_padded(&drawn, name, length);
            for (unsigned j = 0; j < HASH_BITS; j++)
                changes[j] += changed >> j & 1;
        }
        for (unsigned j = 0; j < HASH_BITS; j++)
            ck_assert_msg(changes[j] > KEYS / 5 && changes[j] < KEYS * 4 / 5,
                          "%zu octets, bit %zu: bit %u changes in %u of %d cases", length, bit, j,
                          changes[j], KEYS);
    }
}

#include "base/blocks.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parallel.h"
#include "support/suite.h"

static const size_t sizes[] = {0,    1,    63,    64,    65,    1000,           1984,
                               1985, 2048, 10000, 11000, 20000, BLOCK_MOST - 1, BLOCK_MOST};
enum { SIZE_COUNT = sizeof sizes / sizeof sizes[0] };

static size_t resident_octets(void)
{
    unsigned long whole = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%lu %lu", &whole, &pages), 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

TEST_LOOP(blocks_are_aligned_and_do_not_overlap, 0, SIZE_COUNT)
{
    enum { BLOCKS = 200 };
    uint8_t *blocks[BLOCKS];

    /* Those of the second turn are where those of the first were. */
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            blocks[i] = block_take(sizes[_i]);
            ck_assert_ptr_nonnull(blocks[i]);
            ck_assert(!BLOCKS_LIE_TOGETHER || (uintptr_t)blocks[i] % BLOCK_ALIGNMENT == 0);
            memset(blocks[i], (int)i + 1, sizes[_i]);
        }
        for (size_t i = 0; i < BLOCKS; i++) {
            for (size_t j = 0; j < sizes[_i]; j++)
                ck_assert_uint_eq(blocks[i][j], i + 1);
            block_give_back(blocks[i], sizes[_i]);
        }
    }
}

TEST(a_block_may_be_longer_than_a_slab)
{
    enum { OCTETS = 1 << 20 };
    uint8_t *block = memset(block_take(OCTETS), 1, OCTETS);

    ck_assert_uint_eq(block[OCTETS - 1], 1);
    block_give_back(block, OCTETS);
    block_give_back(NULL, 1);
}

TEST(neighbours_lose_a_sixteenth_at_most)
{
    for (size_t size = 1; size <= BLOCK_MOST && BLOCKS_LIE_TOGETHER; size += 61) {
        uint8_t *one = block_take(size), *two = block_take(size), *three = block_take(size);
        /* Of three in a row at least two are in one slab. */
        size_t apart = (size_t)llabs(two - one), other = (size_t)llabs(three - two);
        size_t least = apart < other ? apart : other;
        ck_assert_uint_ge(least, size);
        ck_assert_uint_le(least, size + size / 16 + BLOCK_ALIGNMENT);
        block_give_back(one, size);
        block_give_back(two, size);
        block_give_back(three, size);
    }
}

TEST(what_is_given_back_is_taken_again)
{
    void *other = block_take(11000), *block = block_take(11000);

    block_give_back(block, 11000);
    void *next = block_take(11008);
    ck_assert(!BLOCKS_LIE_TOGETHER || next == block);
    block_give_back(next, 11008);
    block_give_back(other, 11000);
}

TEST(short_lived_pieces_between_blocks_leave_nothing_resident)
{
    enum { COUNT = 4000, OCTETS = 5000, PIECE = 20000 };
    void **blocks = calloc(COUNT, sizeof *blocks), **pieces = calloc(COUNT, sizeof *pieces);
    size_t before = resident_octets();

    for (size_t i = 0; i < COUNT; i++) {
        pieces[i] = memset(malloc(PIECE), 1, PIECE);
        blocks[i] = memset(block_take(OCTETS), 1, OCTETS);
    }
    for (size_t i = 0; i < COUNT; i++)
        free(pieces[i]);
    malloc_trim(0);
    size_t used = resident_octets() - before;
    ck_assert(!BLOCKS_LIE_TOGETHER || used < (size_t)COUNT * OCTETS / 8 * 9);
    for (size_t i = 0; i < COUNT; i++)
        block_give_back(blocks[i], OCTETS);
    ck_assert(!BLOCKS_LIE_TOGETHER || resident_octets() - before < (size_t)COUNT * OCTETS / 8);
    free(blocks);
    free(pieces);
}

/* Each index has blocks of its own, of sizes that others have, too. */
static bool take_and_give_back(void *context, size_t index)
{
    enum { BLOCKS = 16, ROUNDS = 200 };
    uint8_t *blocks[BLOCKS] = {NULL};
    size_t lengths[BLOCKS] = {0};
    bool is_whole = true;

    (void)context;
    for (size_t round = 0; round < (size_t)BLOCKS * ROUNDS; round++) {
        size_t at = round % BLOCKS, size = 64 + (round * 97 + index) % 3000;
        if (blocks[at] != NULL) {
            is_whole = is_whole && blocks[at][0] == (uint8_t)(index + 1) &&
                       blocks[at][lengths[at] - 1] == (uint8_t)(index + 1);
            block_give_back(blocks[at], lengths[at]);
        }
        lengths[at] = size;
        blocks[at] = memset(block_take(size), (int)index + 1, size);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        block_give_back(blocks[i], lengths[i]);
    return is_whole;
}

TEST(threads_share_the_slabs)
{
    ck_assert(parallel_for(64, 4, take_and_give_back, NULL));
}

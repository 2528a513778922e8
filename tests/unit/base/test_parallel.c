// label: threads
// forks: its tests leave something behind
#include "base/parallel.h"

#include <stdatomic.h>
#include <stdint.h>

#include "support/suite.h"

enum { PIECES = 5000 };

struct board {
    atomic_uint calls[PIECES];
    unsigned squares[PIECES]; /* each written by the one call for it */
    size_t bad;               /* the index whose call fails */
};

static bool square(void *context, size_t index)
{
    struct board *board = context;

    atomic_fetch_add(&board->calls[index], 1);
    board->squares[index] = (unsigned)(index * index);
    return index != board->bad;
}

static const unsigned threads[] = {0, 1, 2, 7, 1000};

TEST_OVER(every_index_is_called_once, threads)
{
    static struct board board = {.bad = SIZE_MAX};

    ck_assert(parallel_for(PIECES, threads[_i], square, &board));
    for (size_t i = 0; i < PIECES; i++) {
        ck_assert_uint_eq(atomic_load(&board.calls[i]), 1);
        ck_assert_uint_eq(board.squares[i], i * i);
    }
}

TEST_OVER(a_failure_is_returned_and_no_index_is_called_twice, threads)
{
    static struct board board = {.bad = 17};

    ck_assert(!parallel_for(PIECES, threads[_i], square, &board));
    ck_assert_uint_eq(atomic_load(&board.calls[17]), 1);
    for (size_t i = 0; i < PIECES; i++)
        ck_assert_uint_le(atomic_load(&board.calls[i]), 1);
}

TEST(nothing_to_do_is_done)
{
    ck_assert(parallel_for(0, 4, square, NULL));
}

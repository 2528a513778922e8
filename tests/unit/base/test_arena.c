#include "base/arena.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "support/suite.h"

static const size_t sizes[] = {1, 7, 16, 4095, 4096, 4097, 100000, 3 << 20};
enum { SIZE_COUNT = sizeof sizes / sizeof sizes[0] };

TEST_LOOP(pieces_are_zeroed_and_aligned, 0, SIZE_COUNT)
{
    struct arena *arena = arena_new();

    for (int turn = 0; turn < 3; turn++) {
        unsigned char *piece = arena_take(arena, sizes[_i]);
        ck_assert_ptr_nonnull(piece);
        ck_assert_uint_eq((uintptr_t)piece % alignof(max_align_t), 0);
        /* All octets equal their neighbours, and the first is zero. */
        ck_assert_uint_eq(piece[0], 0);
        ck_assert_int_eq(memcmp(piece, piece + 1, sizes[_i] - 1), 0);
        memset(piece, 0xff, sizes[_i]); /* the next piece is zeroed all the same */
    }
    ck_assert_uint_ge(arena_used(arena), 3 * sizes[_i]);
    arena_free(arena);
}

/* Blocks that others have filled with something else are where its chunks come from. */
TEST_LOOP(pieces_of_a_lasting_arena_are_zeroed, 0, SIZE_COUNT)
{
    for (int turn = 0; turn < 3; turn++) {
        struct arena *arena = arena_new_lasting();
        for (int i = 0; i < 3; i++) {
            unsigned char *piece = arena_take(arena, sizes[_i]);
            ck_assert_uint_eq(piece[0], 0);
            ck_assert_int_eq(memcmp(piece, piece + 1, sizes[_i] - 1), 0);
            memset(piece, 0xff, sizes[_i]);
        }
        arena_seal(arena);
        arena_free(arena);
    }
}

TEST(pieces_do_not_overlap)
{
    enum { PIECES = 1000 };
    struct arena *arena = arena_new();
    unsigned char *pieces[PIECES];

    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = arena_take(arena, i % 97 + 1);
        memset(pieces[i], (int)(i % 251), i % 97 + 1);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t j = 0; j < i % 97 + 1; j++)
            ck_assert_uint_eq(pieces[i][j], i % 251);
    arena_free(arena);
}

TEST(an_impossible_size_is_refused)
{
    struct arena *arena = arena_new();

    ck_assert_ptr_null(arena_take(arena, SIZE_MAX));
    ck_assert_ptr_null(arena_take(arena, SIZE_MAX - 3));
    ck_assert_ptr_nonnull(arena_take(arena, 1));
    arena_free(arena);
}

TEST(a_text_is_a_copy_with_a_zero_octet)
{
    struct arena *arena = arena_new();
    char original[] = "herokuapp";
    const char *copy = arena_text(arena, original, 6);

    original[0] = 'X';
    ck_assert_str_eq(copy, "heroku");
    ck_assert_str_eq(arena_text(arena, NULL, 0), "");
    arena_free(arena);
}

TEST(a_growing_array_keeps_its_elements)
{
    struct arena *arena = arena_new();
    uint32_t *array = NULL;
    size_t capacity = 0;

    for (uint32_t i = 0; i < 10000; i++) {
        array = arena_grow(arena, array, i, &capacity, sizeof *array);
        ck_assert_ptr_nonnull(array);
        ck_assert_uint_gt(capacity, i);
        array[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++)
        ck_assert_uint_eq(array[i], i);
    arena_free(arena);
}

TEST(an_array_with_room_does_not_move)
{
    struct arena *arena = arena_new();
    size_t capacity = 0;
    int *array = arena_grow(arena, NULL, 0, &capacity, sizeof *array);
    size_t used = arena_used(arena);

    ck_assert_ptr_eq(arena_grow(arena, array, capacity - 1, &capacity, sizeof *array), array);
    ck_assert_uint_eq(arena_used(arena), used);
    arena_free(arena);
}

TEST(sealed_memory_can_be_read_and_freed)
{
    struct arena *arena = arena_new();
    const char *text = arena_text(arena, "sealed", 6);

    arena_seal(arena);
    ck_assert_str_eq(text, "sealed");
    arena_free(arena);
    arena_free(NULL);
}

TEST(an_arena_is_freed_with_its_last_hold)
{
    struct arena *arena = arena_new();
    const char *text = arena_text(arena, "held", 4);

    ck_assert_ptr_eq(arena_hold(arena), arena);
    arena_hold(arena);
    arena_release(arena);
    arena_release(arena);
    ck_assert_str_eq(text, "held"); /* AddressSanitizer would report it otherwise */
    arena_release(arena);
    ck_assert_ptr_null(arena_hold(NULL));
    arena_release(NULL);
}

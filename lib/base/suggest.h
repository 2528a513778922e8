#pragma once
/**
 * "Did you mean": how far one word is from another.
 *
 * Distance counts inserted, dropped, replaced and swapped neighbouring letters, without case.
 *
 * Threads: pure.  Memory: never allocates; words longer than SUGGEST_WORD_MAX are never near.
 */
#include <stddef.h>

enum { SUGGEST_WORD_MAX = 64 };

/** Returns the distance of two words, or `limit` + 1 when it is more than `limit`. */
unsigned suggest_distance(const char *a, size_t a_length, const char *b, size_t b_length,
                          unsigned limit);

/** Returns the largest distance at which a word of this length still counts as a slip: 1..2. */
unsigned suggest_limit(size_t length);

/** Returns the nearest of `count` zero-terminated words, or NULL when none is near. */
const char *suggest_among(const char *word, const char *const *words, size_t count);

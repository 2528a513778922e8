#pragma once
/**
 * "Did you mean": the edit distance of words.
 *
 * Distance counts inserted, dropped, replaced and swapped neighbouring letters, ignoring case.
 *
 * Threads: pure.  Memory: never allocates; words longer than SUGGEST_WORD_MAX are never suggested.
 */
#include <stddef.h>

enum { SUGGEST_WORD_MAX = 64 };

/** Returns the distance of two words, or `limit` + 1 when it is more than `limit`. */
unsigned suggest_distance(const char *a, size_t a_length, const char *b, size_t b_length,
                          unsigned limit);

/** Returns the largest distance that counts as a typing error in a word of this length: 1..2. */
unsigned suggest_limit(size_t length);

/**
 * Returns `candidate` if it is close enough and closer than `nearest`, the closest so far, else
 * `nearest`. NULL is no word yet.
 */
const char *suggest_nearer(const char *word, const char *nearest, const char *candidate);

/** Returns the closest of `count` zero-terminated words, or NULL when none is close enough. */
const char *suggest_among(const char *word, const char *const *words, size_t count);

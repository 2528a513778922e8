#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

static char fold(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned suggest_distance(const char *a, size_t a_length, const char *b, size_t b_length,
                          unsigned limit)
{
    size_t gap = a_length > b_length ? a_length - b_length : b_length - a_length;
    if (gap > limit || a_length > SUGGEST_WORD_MAX || b_length > SUGGEST_WORD_MAX)
        return limit + 1;

    /*
     * Three rows of the optimal string alignment matrix: two before, one before, this one. Only
     * cells at most `limit` off the diagonal can matter; those beside them count as too far.
     */
    unsigned rows[3][SUGGEST_WORD_MAX + 2];
    unsigned *older = rows[0], *old = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length + 1; j++)
        older[j] = old[j] = row[j] = j <= limit ? (unsigned)j : limit + 1;
    for (size_t i = 1; i <= a_length; i++) {
        size_t first = i > limit ? i - limit : 1;
        size_t end = i + limit < b_length ? i + limit : b_length;
        unsigned smallest = row[first - 1] = i <= limit ? (unsigned)i : limit + 1;
        for (size_t j = first; j <= end; j++) {
            unsigned differs = fold(a[i - 1]) != fold(b[j - 1]);
            unsigned best = least(least(old[j] + 1, row[j - 1] + 1), old[j - 1] + differs);
            bool swapped = i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                           fold(a[i - 2]) == fold(b[j - 1]);
            row[j] = swapped ? least(best, older[j - 2] + 1) : best;
            smallest = least(smallest, row[j]);
        }
        row[end + 1] = limit + 1;
        if (smallest > limit)
            return limit + 1;
        unsigned *free_row = older;
        older = old;
        old = row;
        row = free_row;
    }
    return least(old[b_length], limit + 1);
}

unsigned suggest_limit(size_t length)
{
    return length < 6 ? 1 : 2;
}

const char *suggest_nearer(const char *word, const char *nearest, const char *candidate)
{
    size_t length = strlen(word);
    unsigned limit = suggest_limit(length);

    if (nearest != NULL) {
        unsigned so_far = suggest_distance(word, length, nearest, strlen(nearest), limit);
        if (so_far == 0)
            return nearest;
        limit = so_far - 1;
    }
    return suggest_distance(word, length, candidate, strlen(candidate), limit) <= limit ? candidate
                                                                                        : nearest;
}

const char *suggest_among(const char *word, const char *const *words, size_t count)
{
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++)
        nearest = suggest_nearer(word, nearest, words[i]);
    return nearest;
}

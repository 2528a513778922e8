#pragma once
/**
 * A run of octets that belongs to somebody else: a key, a value, a piece of output.
 *
 * Threads: pure functions.  Memory: borrowed, as long as its owner says.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct octets {
    const uint8_t *start; /* may be NULL when the length is 0 */
    size_t length;
};

/** Those of a text, without the zero octet at its end. */
static inline struct octets octets_of(const char *text)
{
    return (struct octets){.start = (const uint8_t *)text, .length = strlen(text)};
}

/** True if both are the same octets. */
static inline bool octets_are_same(struct octets a, struct octets b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.start, b.start, a.length) == 0);
}

/** True if they are those of the text. */
static inline bool octets_are(struct octets octets, const char *text)
{
    return octets_are_same(octets, octets_of(text));
}

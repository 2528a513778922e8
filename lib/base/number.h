#pragma once
/**
 * Decimal numbers in text, as people and programs write them: digits alone, no sign, no blank, no
 * leading zero.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_DIGITS_MOST = 10 };

/**
 * Reads a number of 1 to NUMBER_DIGITS_MOST digits, which may be more than 32 bits hold: callers
 * have their own limits, and their own words for a number beyond them.
 *
 * text  `length` octets, not zero-terminated
 */
static inline bool number_from_text(const char *text, size_t length, uint64_t *number)
{
    uint64_t value = 0;

    if (length == 0 || length > NUMBER_DIGITS_MOST || (text[0] == '0' && length > 1))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *number = value;
    return true;
}

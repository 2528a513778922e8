#pragma once
/**
 * Whether untrusted text is printable as it is.
 *
 * Sources: RFC 3629 section 3 (what is UTF-8: no overlong forms, no surrogates, nothing above
 * U+10FFFF); Unicode's lists of control, separator and bidirectional characters.
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * True when the octets are UTF-8 without control characters, line and paragraph separators, and
 * characters that change the direction of text.
 */
bool utf8_is_printable(const uint8_t *octets, size_t length);

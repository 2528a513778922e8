#pragma once
/**
 * The text of f/SPACE: what is fixed when a space and its apps are created (R9).
 *
 *     space cidr=10.0.0.0/16 data_cidr=- region=- generation=cedar shield=false id=-
 *     app frozen-oasis-70544 internal_routing=true id=-
 *     app web-only internal_routing=false id=01234567-89ab-cdef-0123-456789abcdef
 *
 * The first line is the space's, then one line per app, sorted by name. "-" is absent. Unknown
 * words of a line and unknown lines are passed over, so that newer writers may add some.
 *
 * Threads: pure.  Memory: what is made is the caller's, one malloc each.
 */
#include <stddef.h>

#include "space/fixed.h"
#include "space/model.h"

/** Writes the text of a model; the names in it are valid. free() it; NULL without memory. */
char *fixed_text_write(const struct space *space, size_t *length);

/**
 * Reads the text of a space. What is unreadable in it is as if it were absent; without a line of
 * the space it is unreadable as a whole. free() the result; NULL without memory.
 */
struct fixed_space *fixed_text_read(const char *space, const void *text, size_t length);

/** Copies what is fixed into one malloc, as fixed_text_read makes it. NULL without memory. */
struct fixed_space *fixed_text_copy(const struct fixed_space *fixed);

#pragma once
/**
 * Random names such as frozen-oasis-70544.
 *
 * Threads: one.  Memory: never allocates.
 */
#include <stddef.h>

enum { GENERATED_NAME_MOST = 64 };

/** Writes "adjective-noun-N" with a number of `digits` digits, 5 at most, and a closing zero octet.
 */
void name_generator_next(char *out, size_t size, unsigned digits);

#pragma once
/**
 * Counts allocations, and makes one fail, in a program with the line "wrap: malloc calloc realloc".
 *
 * Threads: one.
 */
#include <stddef.h>

/** Calls of malloc, calloc and realloc until now, by all that the program is linked from. */
size_t allocations_count(void);

/** Makes the `number`-th call from now on fail; 0: none. */
void allocations_fail(size_t number);

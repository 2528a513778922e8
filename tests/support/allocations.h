#pragma once
/**
 * Counts allocations, and makes one fail, in a program that says "wrap: malloc calloc realloc".
 *
 * Threads: one.
 */
#include <stddef.h>

/** Calls of malloc, calloc and realloc until now, by whatever the program is linked from. */
size_t allocations_count(void);

/** Lets the `number`-th call from now on find no memory; 0: none. */
void allocations_fail(size_t number);

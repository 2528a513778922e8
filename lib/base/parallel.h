#pragma once
/**
 * One function over many indexes, on several threads.
 *
 * For cold work that falls apart into equal pieces: parsing zone files. Threads take the next free
 * index until none is left, so a large piece does not hold up the others.
 *
 * Threads: the caller is one of them; what fn shares between indexes is fn's own care.
 * Memory: allocates only the threads.
 */
#include <stdbool.h>
#include <stddef.h>

/** Does one piece. Returning false lets no further index begin. */
typedef bool parallel_fn(void *context, size_t index);

/**
 * Calls fn(context, index) once for every index in 0..count, on at most `threads` threads.
 *
 * Threads that cannot be created are done without: in the end the caller does all the work.
 *
 * Returns true when every call returned true. When one returned false, some indexes may never have
 * been begun. When it returns, no call is under way and everything they wrote is visible.
 */
bool parallel_for(size_t count, unsigned threads, parallel_fn *fn, void *context);

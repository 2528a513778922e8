#pragma once
/**
 * One function over many indexes, on several threads.
 *
 * For cold work that splits into independent pieces: parsing zone files. Threads take the next free
 * index until none is left, so that a large piece does not delay the others.
 *
 * The only file of base that uses libuv, for its threads alone: there is no loop here.
 *
 * Threads: the caller is one of them; fn must protect what its calls share.
 * Memory: allocates only the threads.
 */
#include <stdbool.h>
#include <stddef.h>

/** Does one piece. After a call returns false, no further index is begun. */
typedef bool parallel_fn(void *context, size_t index);

/**
 * Calls fn(context, index) once for every index in 0..count, on at most `threads` threads.
 *
 * If threads cannot be created, fewer are used: in the worst case the caller does all the work.
 *
 * Returns true when every call returned true. When one returned false, some indexes may never have
 * been begun. On return no call is running, and everything that the calls wrote is visible.
 */
bool parallel_for(size_t count, unsigned threads, parallel_fn *fn, void *context);

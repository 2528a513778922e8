#pragma once
/**
 * Memory for blocks that stay for long and are replaced by others of about their size: the halves
 * of segments.
 *
 * malloc puts such a block wherever the short-lived pieces of a parser have just left room. When
 * these are freed, each block keeps a page or two around it that are nearly empty; and what
 * replaces it, made by another thread, comes from another of malloc's arenas and never fills the
 * hole. Here blocks lie among blocks of their class of size, whoever takes them:
 *
 *     slab, 256 KB │ head │ slot │ slot │ slot │ …        slots of one class
 *
 * There are sixteen classes from each power of two to the next, so that a slot is at most 1/16
 * longer than its block. A slab goes back to the system with the last block in it. Blocks longer
 * than BLOCK_MOST come from malloc, as all do in a build with an address sanitizer.
 *
 * Threads: any; one lock for all.  Memory: slabs from mmap; a slab's pages are resident from when
 * they are first used.
 */
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define BLOCKS_LIE_TOGETHER 0
#elif defined(__has_feature)
#define BLOCKS_LIE_TOGETHER (!__has_feature(address_sanitizer))
#else
#define BLOCKS_LIE_TOGETHER 1
#endif

enum { BLOCK_MOST = 32 << 10, BLOCK_ALIGNMENT = 64 };

/**
 * Returns a block, whose octets may have any value, or NULL without memory. It is aligned to
 * BLOCK_ALIGNMENT, and for any type where it comes from malloc.
 */
void *block_take(size_t size);

/** Gives a block back, of the size with which it was taken. NULL is allowed. */
void block_give_back(void *block, size_t size);

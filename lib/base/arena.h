#pragma once
/**
 * Memory that is freed together.
 *
 * An arena allocates zeroed blocks from large chunks; no block is freed alone. One arena per
 * lifetime: a parsed file, a sealed segment.
 *
 * An arena with several owners is held by each of them, and freed with the last hold.
 *
 * Threads: one thread at a time.  Memory: chunks from malloc, all freed by arena_free.
 */
#include <stddef.h>
#include <stdint.h>

struct arena;

/** Returns an empty arena, or NULL without memory. */
struct arena *arena_new(void);

/** The same of what stays for long, with chunks that lie among their like (base/blocks.h). */
struct arena *arena_new_lasting(void);

/** Frees the arena and everything allocated from it. NULL is allowed. */
void arena_free(struct arena *arena);

/** Adds a hold to that of arena_new. NULL is allowed. Returns the arena. */
struct arena *arena_hold(struct arena *arena);

/** Removes a hold; the last one frees the arena. NULL is allowed. */
void arena_release(struct arena *arena);

/** Returns `size` zeroed octets aligned for any type, or NULL without memory. */
void *arena_take(struct arena *arena, size_t size);

/** Returns a copy of `length` octets followed by a zero octet, or NULL without memory. */
char *arena_text(struct arena *arena, const void *octets, size_t length);

/**
 * Makes room for one more element at the end of a growing array.
 *
 * array     first element, or NULL for an empty array
 * count     elements in use
 * capacity  elements there is room for; raised when the array moves
 *
 * Returns the array's (perhaps new) address, or NULL without memory; the old one stays readable.
 */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size);

/**
 * Declares that nothing in the arena is written any more. In builds with SPACEDNS_SEAL_PAGES the
 * pages become read-only, so that a write to sealed memory crashes at the line that makes it.
 */
void arena_seal(struct arena *arena);

/** Octets allocated so far. */
size_t arena_used(const struct arena *arena);

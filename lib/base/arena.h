#pragma once
/**
 * Memory that is freed together.
 *
 * An arena hands out zeroed pieces from large chunks; nothing in it is freed alone. One arena per
 * lifetime: a parsed file, a sealed segment.
 *
 * An arena that several things point into is held by each of them, and goes with the last.
 *
 * Threads: one thread at a time.  Memory: chunks from malloc, all given back by arena_free.
 */
#include <stddef.h>
#include <stdint.h>

struct arena;

/** Returns an empty arena, or NULL without memory. */
struct arena *arena_new(void);

/** Gives back everything that came from the arena, and the arena. NULL is allowed. */
void arena_free(struct arena *arena);

/** Adds a holder to the one who made the arena. NULL is allowed. Returns the arena. */
struct arena *arena_hold(struct arena *arena);

/** Lets go; arena_free when nobody holds it any more. NULL is allowed. */
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
 * Returns the array's (perhaps new) place, or NULL without memory; the old one stays readable.
 */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size);

/**
 * Says that nothing in the arena is written any more. In builds with SPACEDNS_SEAL_PAGES the pages
 * become read-only, so that a write to sealed memory stops at the line that commits it.
 */
void arena_seal(struct arena *arena);

/** Octets handed out so far. */
size_t arena_used(const struct arena *arena);

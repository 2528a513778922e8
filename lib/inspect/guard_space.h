#pragma once
/**
 * The guard of a registry: one space at a time, without the other spaces.
 *
 * Each replica decides alone, and about each document by itself, so that one document never holds
 * up another. It is stricter than the guard of a folder (guard.h), because nobody looks at the
 * outcome of a reload here. Refused are, unless they were forced:
 *
 *     a space vanishes, or loses its last router that is up
 *     an app with internal routing vanishes, is no longer internal, or has no web dyno up any more
 *       in the document's own list
 *     more than `share_percent` of its apps or domains vanish, and at least GUARD_LEAST of them
 *
 * The dynos of a registry's key are facts, whatever the document says of them. An app that comes to
 * another space vanishes here: its push has to be forced.
 *
 * Threads: pure.  Memory: none that stays.
 */
#include <stdbool.h>

#include "answer/segment.h"
#include "base/err.h"

/**
 * Returns false with a sentence in *why if what is served of a space may not become `next`; also
 * without memory to find out.
 *
 * old   of an unready space: everything may follow
 * next  NULL: the space vanishes
 */
bool guard_space(const struct segment *old, const struct segment *next, unsigned share_percent,
                 struct err *why);

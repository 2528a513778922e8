#pragma once
/**
 * The segments of a snapshot, and the holds on them.
 *
 * A set that is copied from another holds only what differs. So a snapshot in which few of many
 * thousand segments are new costs a copy of the array, and touches no other segment. Copies form a
 * tree:
 *
 *     A  holds 1 2 3 4            A is released:       B' holds 1 2' 3 4
 *     └─ B  holds 2'              2 is released        └─ C  holds 3'
 *        └─ C  holds 3'
 *
 * A set that is released is no more as soon as it has at most one copy, which takes over its holds.
 * With more copies it waits until there is one. So every segment is freed when the last set that
 * shows it is released, in whatever order, as if each had a hold of its own.
 *
 * Threads: `segments` is for readers anywhere, until the release; the calls are for the control
 * thread.
 * Memory: malloc for a set, its array, and the list of what differs. A release takes none.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/segment.h"

/** Numbers of segments that a set holds itself. Every number is in one list of a set at most. */
struct segment_numbers {
    struct segment_numbers *next;
    size_t count;
    uint32_t numbers[];
};

struct segment_set {
    const struct segment **segments; /* by number; NULL where unused */
    size_t count;
    bool is_released;              /* ... and waits for its copies */
    struct segment_set *before;    /* which holds the others; NULL: all are held by this one */
    struct segment_numbers *own;   /* where there is one before */
    struct segment_set *copies;    /* the latest one first */
    struct segment_set *next_copy; /* of the one before */
};

/**
 * Makes a set of segments, which are taken over (malloc'ed, one hold each). Returns NULL without
 * memory, and leaves the segments then.
 */
struct segment_set *segment_set_new(const struct segment **segments, size_t count);

/** Copies a set, to put at most `room` segments into it. Returns NULL without memory. */
struct segment_set *segment_set_copy(struct segment_set *before, size_t room);

/**
 * Puts a segment in the place of that of the set before, once for each number; its hold is taken
 * over. It may be the same one.
 */
void segment_set_put(struct segment_set *set, size_t number, struct segment *segment);

/** Releases a set. NULL is allowed. */
void segment_set_release(struct segment_set *set);

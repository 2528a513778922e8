#pragma once
/**
 * The ranges of a view (access.h), from blocks that may overlap.
 *
 *     spans    A ├───────────────┤             B ├──────────┤
 *              C         ├───────────────┤
 *     ranges   ─│─── A ──│─ A, C ─│── C ──│─────│──── B ────│─
 *
 * The edges of all spans are sorted and walked over; between two edges the same spans are open.
 * Of one segment a range has the closest class only: in the order of enum client_class.
 *
 * Threads: pure.  Memory: spans from malloc; ranges in the arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/access.h"

/** The addresses of one membership. */
struct span {
    uint32_t first;
    uint32_t last; /* inclusive */
    struct membership membership;
};

/** Zeroed: empty. With count 0 its memory is used again. */
struct spans {
    struct span *items;
    size_t count;
    size_t capacity;
    bool failed; /* no memory: some span is missing */
};

/** Adds the addresses of a block, which becomes the membership's. */
void spans_add(struct spans *spans, struct cidr block, struct membership membership);

void spans_close(struct spans *spans);

/** Fills in a view's ranges, sets and memberships. Returns false without memory. */
bool ranges_build(const struct spans *spans, struct arena *arena, struct view *view);

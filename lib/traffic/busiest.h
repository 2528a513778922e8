#pragma once
/**
 * What was counted most within the last minute, of any number of different things, in bounded
 * memory.
 *
 * The minute is counted in panes of ten seconds, the newest of which has just begun:
 *
 *     pane    12:00:10  12:00:20  12:00:30  12:00:40  12:00:50  12:01:00
 *             │ 1,000   │ 1,000   │ 1,000   │ 1,000   │ 1,000   │ 1,000 things at most
 *             └─────────────── added up by busiest_list ──────────────┘
 *
 * While a pane has room, it counts exactly. Then a thing that is new to it takes the place of the
 * one counted least, and begins with that one's count, which is its error (space-saving). So, for
 * each thing that is listed:
 *
 *     count - error <= what was counted <= count
 *
 * and of what a pane has counted, a thing with more than a BUSIEST_THINGS-th of all is always in
 * it. A thing that is not in a pane was counted there less than the least one that is; busiest_list
 * adds that to count and error, too. What fell short is counted as failed: that is exact, or less
 * than it was by the error at most.
 *
 * A thing is known by a hash of 64 bits, and shown by its label.
 *
 * Sources: Metwally, Agrawal, El Abbadi, Efficient Computation of Frequent and Top-k Elements in
 * Data Streams (2005), section 3.
 * Threads: one.  Memory: BUSIEST_PANES * BUSIEST_THINGS * (40 octets and a label), used as it
 * fills.
 */
#include <stddef.h>
#include <stdint.h>

enum { BUSIEST_THINGS = 1000, BUSIEST_PANES = 6, BUSIEST_PANE_S = 10, BUSIEST_LISTED_MOST = 100 };

struct busiest;

/** What a thing has of a pane, or of all. */
struct busiest_counts {
    uint64_t count;
    uint64_t error;
    uint64_t failed;
};

struct busiest_thing {
    struct busiest_counts counts;
    const void *label; /* borrowed until the next busiest_raise */
};

enum busiest_order { BUSIEST_BY_COUNT, BUSIEST_BY_FAILED };

/** Returns NULL without memory. */
struct busiest *busiest_new(size_t label_octets);

/** NULL is allowed. */
void busiest_free(struct busiest *busiest);

/**
 * Adds to a thing's count at a time, in seconds since 1970. A time that is further back than the
 * panes go means that the clock was set back: counting begins anew.
 *
 * Returns the room for the label when the thing is new to its pane, else NULL: it has one.
 */
void *busiest_raise(struct busiest *busiest, uint64_t key, uint32_t at_s, uint32_t count,
                    uint32_t failed);

/** Since when busiest_list counts, in seconds since 1970. */
uint32_t busiest_since(uint32_t now_s);

/**
 * Fills in the things of the panes up to now that have the greatest least count (count - error), or
 * the most failures, greatest first. Returns how many: `most` and BUSIEST_LISTED_MOST at most,
 * fewer when there are no more or, with 0, no memory.
 */
size_t busiest_list(const struct busiest *busiest, uint32_t now_s, enum busiest_order order,
                    struct busiest_thing *things, size_t most);

#pragma once
/**
 * A walk over all entries of the cache, to list or to remove those of some names.
 *
 *     forward_sweep ──► SWEEP_LINES lines of the index ──► more? ──► again in the next turn
 *
 * The cache finds questions, not names: which entries a name has shows only when all are read. With
 * a full cache that takes longer than clients should wait, so it is done in parts, between which
 * the cache is used as ever. An entry never changes its line, so each one that is there from the
 * beginning to the end is met once.
 *
 * Removed are all entries of the names, of every type, with the failures that all workers share:
 * the next request is asked of an upstream. An answer that is on its way meanwhile is stored as
 * usual.
 *
 * Threads: one worker's, and one of them sweeps for all (forward_claims_cache); the others use the
 * cache meanwhile.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/cache.h"
#include "forward/failures.h"
#include "forward/format.h"
#include "wire/name.h"

enum {
    SWEEP_NAMES_MOST = 16,
    SWEEP_LISTED_MOST = 32,
    SWEEP_LINES = 1024, /* about a millisecond when each holds eight entries */
};

enum sweep_kind { SWEEP_NOTHING, SWEEP_LIST, SWEEP_FLUSH };

/** An entry that was listed. */
struct swept_entry {
    struct cached_state state;
    uint16_t type;
    uint16_t class;
    uint16_t rcode; /* of a response, fresh or stale */
    uint8_t bits;   /* of the question */
};

struct sweep {
    enum sweep_kind kind;
    bool with_below;   /* names below these, too */
    size_t name_count; /* 0: all entries */
    struct name names[SWEEP_NAMES_MOST];

    /* What has been done; zero at the beginning. */
    uint32_t line;   /* the next one */
    size_t entries;  /* met, and removed by a flush */
    size_t failures; /* that were recent and have been forgotten */
    struct swept_entry listed[SWEEP_LISTED_MOST];
    size_t listed_count; /* the first entries; the others are only counted */
};

/** True when the sweep is for that name, a wire name folded to lower case. */
bool sweep_is_for(const struct sweep *sweep, const uint8_t *name, size_t length);

/** Goes on with a sweep. Returns true at its end. */
bool sweep_go_on(struct sweep *sweep, struct cache *cache, struct failures *failures,
                 uint32_t now_s);

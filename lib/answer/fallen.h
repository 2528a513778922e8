#pragma once
/**
 * Finds the internal names that a new snapshot no longer serves; they are kept back (kept_back.h).
 *
 *     segments dropped ──► internal names that the new snapshot does not serve ──► kept back
 *     segments added   ──► names that it serves (any app's) ──► released
 *     entries that wait (index.h) ──► internal names that their owners do not serve ──► kept back
 *     entries that have waited    ──► names that it serves ──► released
 *
 * If the suffixes of default domains and discovery names have changed, the names below the old ones
 * are kept back too.
 *
 * Internal names are those that a space answers for its clients: default domains, custom domains
 * and DNS targets of internally routed apps, owners of static records. A domain that waits for its
 * DNS target is not answered, so it is not one of them.
 *
 * The cost is proportional to the names of changed segments and those that wait; others cost
 * nothing.
 *
 * Threads: the one that loads snapshots.  Memory: the caller owns the returned table.
 */
#include "answer/kept_back.h"
#include "answer/snapshot.h"
#include "answer/stored.h"

enum { FALLEN_EXAMPLES = 3 };

/** Counts of changes to kept-back names at a load. */
struct fallen_news {
    size_t added;      /* no longer served */
    size_t declared;   /* declared again */
    size_t expired;    /* kept for kept_back_seconds */
    size_t pushed_out; /* removed because of the limit */
    struct name examples[FALLEN_EXAMPLES];
    size_t example_count;
};

struct fallen_request {
    const struct kept_back *before;       /* NULL: none were kept back */
    const struct segment *const *dropped; /* NULL where none */
    size_t dropped_count;
    size_t unserved_count; /* the last of them: served before this process began, with ... */
    const struct stored_suffixes *suffixes; /* ... these suffixes; NULL: the same as now */
    const bool *added;                      /* per segment of the snapshot: true when new */
    const struct snapshot *former;          /* the one before; NULL: none of this process */
    uint64_t generation;                    /* the last one that served the dropped segments */
    int64_t now_s;                          /* wall clock, for display */
    int64_t ran_s;                          /* running time (stored.h) */
};

/**
 * Makes the table for a snapshot that is otherwise complete; *kept has one hold (NULL: nothing is
 * kept back). Returns false without memory.
 */
bool fallen_follow(const struct snapshot *snapshot, const struct fallen_request *request,
                   struct kept_back **kept, struct fallen_news *news);

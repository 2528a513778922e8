#pragma once
/**
 * Which names fall out when a snapshot follows another: they are kept back (kept_back.h).
 *
 *     segments dropped ──► internal names that the new snapshot does not serve ──► kept back
 *     segments added   ──► names that it serves (any app's) ──► let go
 *
 * Where the suffixes of default domains and discovery names were others, the names by those have
 * fallen out with them.
 *
 * Internal names are those that clients of a space get its own answer for: default domains, custom
 * domains and DNS targets of internally routed apps, owners of static records. A domain that waits
 * for its DNS target is nobody's answer, so it is not one of them.
 *
 * Costs what the changed segments have in names; nothing for those that stay.
 *
 * Threads: whoever loads snapshots.  Memory: what is returned is the caller's.
 */
#include "answer/kept_back.h"
#include "answer/snapshot.h"
#include "answer/stored.h"

enum { FALLEN_EXAMPLES = 3 };

/** What happened to kept-back names at a load. */
struct fallen_news {
    size_t added;      /* fell out */
    size_t declared;   /* are declared again */
    size_t expired;    /* were kept for their time */
    size_t pushed_out; /* went because there were too many */
    struct name examples[FALLEN_EXAMPLES];
    size_t example_count;
};

/** A segment that is no more. */
struct fallen_segment {
    const struct segment *segment;
    const char *file;
};

struct fallen_request {
    const struct kept_back *before;       /* NULL: nothing was kept back */
    const struct segment *const *dropped; /* NULL where nothing was */
    size_t dropped_count;
    size_t ghost_count; /* the last of them: served before this process began, by ... */
    const struct stored_suffixes *suffixes; /* ... these suffixes; NULL: the same as now */
    const bool *added;                      /* of the snapshot's segments: is it new */
    uint64_t generation;                    /* that the dropped ones were served in at last */
    int64_t now_s;
};

/**
 * The table for a snapshot that is whole but for this. Returns it with one hold (NULL: nothing is
 * kept back); without memory false comes back.
 */
bool fallen_follow(const struct snapshot *snapshot, const struct fallen_request *request,
                   struct kept_back **kept, struct fallen_news *news);

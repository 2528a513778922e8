#pragma once
/**
 * The answers that change for clients: the difference of two snapshots.
 *
 * For each changed space, and each client class that it has (space, peered, vpn), every name of
 * either snapshot is decided in both, for type A: hosts of internal apps, process types
 * (TYPE.APP.app.localspace), static records. Outsiders get the same answers with any zones.
 *
 *     before ──┐  names of the spaces whose file changed
 *              ├──► decide() for each class ──► changes, counts, guard
 *     after ───┘
 *
 * A name appears, vanishes, changes its code (it has addresses in only one of the snapshots, or has
 * none for another reason) or changes its addresses, whose order does not matter.
 *
 * Besides the names, a diff has: the address blocks that enter or leave a space (diff_access.h),
 * the settings and TTLs that differ (diff_policy.h), other changes of a space that none of these
 * shows, and the refusals of the guard (guard.h).
 *
 * Each snapshot decides by its own policy. Segments that the snapshots share, or whose files are
 * equal, cost nothing, unless the policies answer the same file differently (localspace_to).
 *
 * Threads: control thread, or any while both snapshots are held.  Memory: a diff owns its texts and
 * borrows from neither snapshot.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "decide/reason.h"
#include "inspect/diff_access.h"
#include "inspect/diff_policy.h"
#include "inspect/guard.h"

enum { DIFF_CHANGES_MOST = 1000000 };

/** Classes of clients that have names: space, peered, vpn. */
enum { DIFF_CLASSES = CLIENT_EXTERNAL };

enum diff_kind {
    DIFF_APPEARS,
    DIFF_VANISHES,
    DIFF_CODE,
    DIFF_ADDRESSES,
    DIFF_KIND_COUNT,
};

enum diff_state {
    DIFF_ABSENT,   /* not ours, or no such name */
    DIFF_EMPTY,    /* NOERROR without address */
    DIFF_ANSWERED, /* NOERROR with addresses */
};

struct diff_answer {
    enum diff_state state;
    enum reason reason;        /* for having no address */
    const uint32_t *addresses; /* sorted */
    size_t count;
    uint64_t data; /* hash of the static records */
};

struct diff_change {
    enum diff_kind kind;
    unsigned classes; /* bit per enum client_class that has this change */
    const char *space;
    const char *app; /* NULL: a static record */
    const char *name;
    struct diff_answer before;
    struct diff_answer after;
};

/** A changed space with the same names, access and TTLs, and the kind of its change. */
struct diff_other {
    const char *space;
    const char *kind; /* such as "ports (SRV)" */
};

struct diff_class {
    size_t names; /* in all spaces of the older snapshot */
    size_t counts[DIFF_KIND_COUNT];
};

/** How often a running server was asked for an app in the last minute. */
typedef uint64_t diff_asked(const void *context, const char *space, const char *app);

struct diff {
    diff_asked *asked; /* NULL: not known; set by who prints it */
    const void *asked_context;
    struct arena *arena;
    struct diff_change *changes; /* by space, then app */
    size_t change_count;         /* in `changes` */
    size_t left_out;             /* further changes, only counted */
    struct diff_class classes[DIFF_CLASSES];
    struct access_changes access;
    struct policy_changes settings;
    struct diff_other *others;
    size_t other_count;
    struct guard guard;
};

struct diff_options {
    size_t changes_most;          /* name changes kept for printing; the rest is only counted */
    unsigned guard_share_percent; /* see guard.h */
};

/** Compares two snapshots. Returns NULL if memory runs out. */
struct diff *diff_new(const struct snapshot *before, const struct snapshot *after,
                      const struct diff_options *options);

void diff_free(struct diff *diff);

/** True if the answer of any client changes. */
bool diff_has_changes(const struct diff *diff);

/** True if the guard refuses. */
static inline bool diff_is_refused(const struct diff *diff)
{
    return diff->guard.count > 0;
}

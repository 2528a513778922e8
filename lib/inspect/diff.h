#pragma once
/**
 * What clients would be answered otherwise: the difference of two snapshots.
 *
 * For each space that has changed, and each class of clients that it has (space, peered, vpn),
 * every name of either side is decided in both, for type A: hosts of internal apps, process types
 * (TYPE.APP.app.localspace), static records. Outsiders get the same whatever the zones say.
 *
 *     before ──┐  names of the spaces whose file changed
 *              ├──► decide() for each class ──► changes, counts, guard
 *     after ───┘
 *
 * A name appears, vanishes, changes its code (it has addresses in one and none in the other, or
 * another reason for having none) or changes its addresses, of which the order does not matter.
 *
 * Beside the names: which address blocks become or cease to be inside of which space
 * (diff_access.h), which settings and TTLs differ (diff_policy.h), what else has changed that none
 * of these shows, and what the guard refuses (guard.h).
 *
 * Each side decides by its own policy. Segments that the snapshots share, or whose files have the
 * same content, cost nothing, unless the policies answer the same file otherwise (localspace_to).
 *
 * Threads: control thread, or any while both snapshots are held.  Memory: a diff owns what it says
 * and borrows from neither snapshot.
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
    enum reason reason;        /* why there is no address */
    const uint32_t *addresses; /* sorted */
    size_t count;
    uint64_t data; /* of static records: another when any of them is another */
};

struct diff_change {
    enum diff_kind kind;
    unsigned classes; /* bit per enum client_class that it is so for */
    const char *space;
    const char *app; /* NULL: a static record */
    const char *name;
    struct diff_answer before;
    struct diff_answer after;
};

/** A changed space of which neither names, access nor TTLs are others, and what is. */
struct diff_other {
    const char *space;
    const char *kind; /* such as "ports (SRV)" */
};

struct diff_class {
    size_t names; /* before, of all spaces */
    size_t counts[DIFF_KIND_COUNT];
};

struct diff {
    struct arena *arena;
    struct diff_change *changes; /* by space, then app */
    size_t change_count;         /* of those kept */
    size_t left_out;             /* counted, and not kept */
    struct diff_class classes[DIFF_CLASSES];
    struct access_changes access;
    struct setting_changes settings;
    struct diff_other *others;
    size_t other_count;
    struct guard guard;
};

struct diff_options {
    size_t changes_most;          /* changes of names that are kept, for printing; the rest is
                                     counted */
    unsigned guard_share_percent; /* see guard.h */
};

/** Compares. Returns NULL without memory. */
struct diff *diff_new(const struct snapshot *before, const struct snapshot *after,
                      const struct diff_options *options);

void diff_free(struct diff *diff);

/** True when any client gets any other answer. */
bool diff_has_changes(const struct diff *diff);

/** True when the guard refuses. */
static inline bool diff_is_refused(const struct diff *diff)
{
    return diff->guard.count > 0;
}

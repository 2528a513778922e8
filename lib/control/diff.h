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
 * The guard refuses a change in which an app loses all its addresses (of its hosts, or of its
 * process types when it is not internal), or in which more than GUARD_PERCENT of the names that
 * some class of clients has vanish for it.
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

enum { GUARD_PERCENT = 10, GUARD_APPS_MOST = 20, DIFF_CHANGES_MOST = 1000000 };

/** Classes of clients that have names: space, peered, vpn. */
enum { DIFF_CLASSES = CLASS_EXTERNAL };

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

/** An app without any address left. */
struct diff_lost {
    const char *space;
    const char *app;
    size_t names; /* that had addresses */
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
    struct diff_lost lost[GUARD_APPS_MOST]; /* the first of them */
    size_t lost_count;                      /* of all */
};

/**
 * Compares. changes_most  how many changes are kept, for telling them; the rest is counted
 *
 * Returns NULL without memory.
 */
struct diff *diff_new(const struct snapshot *before, const struct snapshot *after,
                      size_t changes_most);

void diff_free(struct diff *diff);

/** True when any class gets any other answer. */
bool diff_has_changes(const struct diff *diff);

/** True when more of the class's names vanish than the guard lets pass. */
bool diff_loses_names(const struct diff *diff, enum client_class class);

/** True when the guard refuses. */
bool diff_is_refused(const struct diff *diff);

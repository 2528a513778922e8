#pragma once
/**
 * The reload guard: it refuses changes that are probably accidents, unless it is forced.
 *
 *     a space vanishes, or loses its last router that is up
 *     more than `share_percent` of a space's apps, and at least GUARD_LEAST of them, vanish
 *     the same of its domains (custom domains and names of static records)
 *
 * A zone file that was cut, emptied or merged wrongly has such changes. Scaling an app to zero,
 * another state of a space, and a rename with the same id are not refused.
 *
 * Threads: any while both snapshots are held.  Memory: results live in the arena and borrow nothing
 * from the snapshots.
 */
#include <stdbool.h>
#include <stddef.h>

#include "answer/snapshot.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

enum { GUARD_LEAST = 5, GUARD_NAMES_SHOWN = 8 };

enum guard_cause {
    GUARD_SPACE,   /* the space vanishes */
    GUARD_ROUTERS, /* no router is up any more */
    GUARD_APPS,
    GUARD_DOMAINS,
    GUARD_CAUSE_COUNT,
};

struct guard_refusal {
    enum guard_cause cause;
    const char *space;
    size_t gone;       /* apps or domains that vanish; of a space that vanishes, its apps */
    size_t of;         /* the number before */
    const char *names; /* the first of them: "calm-bay-1, red-sun-2"; NULL: none */
};

struct guard {
    struct arena *arena;
    const struct snapshot *before;
    const struct snapshot *after;
    unsigned share_percent;
    struct guard_refusal *refusals;
    size_t count;
    size_t capacity;
    bool has_failed; /* no memory */
};

/**
 * Checks one changed space; `new` is NULL if no space has its name any more. Refusals are appended.
 * Sets `has_failed` if memory runs out.
 */
void guard_judge(struct guard *guard, const struct segment *old, const struct segment *new);

/** Appends the refusal, such as "space test-space vanishes with its 3 apps". */
void guard_format(const struct guard_refusal *refusal, unsigned share_percent, struct text *text);

/** "space", "routers", "apps", "domains". */
const char *guard_cause_text(enum guard_cause cause);

#pragma once
/**
 * Which changes look like an accident: what the reload guard refuses unless it is forced.
 *
 *     a space vanishes, or loses its last router that is up
 *     more than `share_percent` of a space's apps, and at least GUARD_LEAST of them, vanish
 *     the same of its domains (custom domains and names of static records)
 *
 * A zone file that was cut, emptied or merged wrongly does this; scaling an app to zero, another
 * state of a space, and a rename of what has an id do not.
 *
 * Threads: any while both snapshots are held.  Memory: the arena's; nothing of the snapshots is
 * borrowed.
 */
#include <stdbool.h>
#include <stddef.h>

#include "answer/snapshot.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

enum { GUARD_LEAST = 5, GUARD_NAMES_SHOWN = 8 };

enum guard_cause {
    GUARD_SPACE,   /* it vanishes */
    GUARD_ROUTERS, /* none is up any more */
    GUARD_APPS,
    GUARD_DOMAINS,
    GUARD_CAUSE_COUNT,
};

struct guard_refusal {
    enum guard_cause cause;
    const char *space;
    size_t gone;       /* apps or domains that vanish; of a space that vanishes, its apps */
    size_t of;         /* that there were */
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
 * Judges one space that has changed; `new` is NULL when no space has its name any more. Refusals
 * add up; without memory `has_failed` is set.
 */
void guard_judge(struct guard *guard, const struct segment *old, const struct segment *new);

/** "space test-space vanishes with its 3 apps", and so on. */
void guard_format(const struct guard_refusal *refusal, unsigned share_percent, struct text *text);

/** "space", "routers", "apps", "domains". */
const char *guard_cause_text(enum guard_cause cause);

#pragma once
/**
 * A segment being restated: what the steps of restate.c share. Internal to the answer module.
 *
 *     restate_plan.c     keys → the changes they make, and those that wait or are refused
 *     restate_segment.c  changes → the dyno half of the copy
 *     restate.c          segments → the snapshot
 *
 * Threads: one for each segment.  Memory: the scratch is freed when the copy is made.
 */
#include "answer/dyno_half.h"
#include "answer/restate.h"

/** A key that changes a formation. */
struct change {
    const struct dyno_key *key;
    uint32_t app;
    uint32_t formation; /* of `before`; ENTRY_NONE: it is new */
};

struct restating {
    const struct segment *before;
    struct segment *declared; /* whose lists count without a key; NULL: the file's are empty */
    struct restate_outcome *outcome;
    struct change *changes; /* by app, then formation, then type */
    size_t change_count;
    size_t line_count; /* of their keys */

    uint8_t *scratch; /* has all that follows but the texts of types */
    struct dyno_half half;
    bool *is_changed;     /* by formation of the half */
    uint32_t *renumbered; /* by dyno of `before`: its number in the half; ENTRY_NONE: replaced */
    uint32_t *fresh;      /* published dynos of changed formations */
    uint32_t fresh_count;
    bool keeps_types; /* the texts of types are those of `before`, and more */
};

/** Fills in the changes of keys. Returns false without memory. */
bool restate_plan(struct restating *restating, const struct dyno_key *const *keys, size_t count);

/** Finds a formation of an app by its type; ENTRY_NONE: there is none. */
uint32_t restate_find_formation(const struct segment *segment, uint32_t app, const char *type);

/** Adds a key to the outcome's lists. Returns false without memory. */
bool restate_add_unused(struct restate_outcome *outcome, const struct dyno_key *key);
bool restate_add_refused(struct restate_outcome *outcome, const struct dyno_key *key);

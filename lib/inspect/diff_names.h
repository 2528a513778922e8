#pragma once
/**
 * The names of one space whose answers change. A part of diff.
 *
 *     apps before ──┐  hosts, process types   ┌── answer before ──┐
 *     apps after ───┼───────────────────────► │   for each class  ├─► changes, counts
 *     records ──────┘                         └── answer after ───┘
 *
 * Each name is decided on both sides (diff_side.h). A change that several classes have is recorded
 * once.
 *
 * Threads: one.  Memory: changes and their texts live in the diff's arena.
 */
#include <stdbool.h>
#include <stddef.h>

#include "inspect/diff.h"
#include "inspect/diff_side.h"

enum { BEFORE, AFTER, SIDES };

/** The state of a comparison: a diff that grows, and the space that both sides are at. */
struct comparison {
    struct diff *diff;
    size_t changes_most;
    size_t capacity;
    size_t other_capacity;
    struct diff_side sides[SIDES];
    const char *space; /* the diff's text */
    const char *label; /* the current app, not zero-terminated; NULL: records */
    size_t label_length;
    const char *app; /* the diff's text, made on first use */
    bool is_whole;   /* equal files may be answered differently */
    bool has_failed; /* no memory */
};

/**
 * Adds the changes of all names of the space that the sides are at; one of them may lack it. Sets
 * has_failed if memory runs out.
 */
void comparison_walk_names(struct comparison *comparison);

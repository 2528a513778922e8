#pragma once
/**
 * How many spaces, apps and connections a reload has added, removed and changed: a line for the
 * log.
 *
 * Spaces are told apart by their names, apps by their names wherever they are, connections by their
 * kind and name within a space. A space has changed when its file has; an app when its internal
 * routing, formation, dynos or domains have; a connection when its status or blocks have. Spaces
 * whose files are the same cost nothing.
 *
 * Threads: any while both snapshots are held.  Memory: none is kept.
 */
#include <stdbool.h>
#include <stddef.h>

#include "answer/snapshot.h"

enum { TALLY_TEXT_MOST = 256 };

struct tally_counts {
    size_t added;
    size_t removed;
    size_t changed;
};

struct tally {
    struct tally_counts spaces;
    struct tally_counts apps;
    struct tally_counts connections;
};

/** Compares two snapshots. Returns false when out of memory. */
bool tally_compare(const struct snapshot *before, const struct snapshot *after,
                   struct tally *tally);

/** Writes "1 space changed, 2 apps added"; "" when nothing has changed. Returns its length. */
size_t tally_format(const struct tally *tally, char out[TALLY_TEXT_MOST]);

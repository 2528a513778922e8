#pragma once
/**
 * Rules that no zone file can keep alone: between files, and between then and now.
 *
 * Threads: control thread.  Memory: short-lived, given back on return.
 */
#include "answer/index.h"
#include "answer/segment.h"
#include "answer/snapshot.h"
#include "findings/report.h"

/** The segments of the snapshot to be, by number, and which of them are newly read. */
struct candidates {
    const struct segment *const *segments; /* NULL where unused */
    const bool *added;
    size_t count;
};

/** Space names are unique (E-DUP); spaces seen at one address do not overlap (E-SPACE-OVERLAP). */
void crosscheck_spaces(const struct candidates *candidates, struct report *report);

/**
 * A connection that lets a block in lets in the dynos of every space inside of it (W-CONN-SPACE).
 * Reported of newly read files, and of others where the space is new.
 */
void crosscheck_connections(const struct candidates *candidates, struct report *report);

/** Ids of spaces and apps are unique, for they are their identity (E-DUP). */
void crosscheck_ids(const struct candidates *candidates, struct report *report);

/** Reports two owners of one name: E-DUP, E-DOM-TAKEN, E-DOM-TARGET or E-REC-NAME. */
void crosscheck_report_clash(const struct candidates *candidates, const struct index_clash *clash,
                             struct report *report);

/**
 * What is fixed at creation has not changed since `before` (E-IMMUTABLE): a space's cidr,
 * data_cidr, region, generation and shield, an app's internal_routing and space. Identity is the id
 * where both have one, else the name.
 */
void crosscheck_immutable(const struct snapshot *before, const struct candidates *candidates,
                          struct report *report);

#pragma once
/**
 * Rules across zone files, and between the old and the new snapshot.
 *
 * Threads: control thread.  Memory: freed on return.
 */
#include "answer/index.h"
#include "answer/load.h"
#include "answer/segment.h"
#include "answer/snapshot.h"
#include "findings/report.h"

/**
 * The segments of the next snapshot, by number. A finding about two of them is one of the newer.
 *
 * With on_charge, every error is one of a segment's text: of two that are both new or neither, that
 * of the one created later, by the second word of its stamp. It is called for each finding but
 * those about keys; `other` is the second segment, ENTRY_NONE where there is none.
 */
struct candidates {
    const struct segment *const *segments; /* NULL where unused */
    const bool *added;                     /* newly read */
    const bool *newer;                     /* of these, with another text than was accepted last */
    size_t count;
    void (*on_charge)(void *context, uint32_t charged, uint32_t other);
    void *context;
};

/** Spaces visible at one address do not overlap (E-SPACE-OVERLAP). */
void crosscheck_spaces(const struct candidates *candidates, struct report *report);

/**
 * A connection whose block holds another space lets in that space's dynos (W-CONN-SPACE). Reported
 * for newly read files, and for others if the space is new.
 */
void crosscheck_connections(const struct candidates *candidates, struct report *report);

/** All files name DEVICES_MOST devices at most (E-DEVICE). */
void crosscheck_devices(const struct candidates *candidates, struct report *report);

/**
 * Reports two owners of one key: E-DUP, E-DOM-TAKEN, E-DOM-TARGET or E-REC-NAME. Names of spaces
 * are unique, and so are ids of spaces and apps, because they are their identity.
 */
void crosscheck_report_clash(const struct candidates *candidates, const struct index_clash *clash,
                             struct report *report);

/** The same of an entry that waits for its key, which `owner` has. */
void crosscheck_report_waiting(const struct candidates *candidates, struct index_entry waiting,
                               struct index_entry owner, struct report *report);

/** True when of two segments the text of the first was created first. */
bool crosscheck_is_first(const struct candidates *candidates, uint32_t one, uint32_t other);

/**
 * Keys fixed at creation have not changed since `before` (E-IMMUTABLE): a space's cidr, data_cidr,
 * region, generation and shield, an app's internal_routing and space. Identity is the id where both
 * have one, else the name.
 *
 * fixed  what is known to be fixed need not be as before: a text's own check compares it
 *        (space/fixed.h); an app that is fixed in its former space no longer may be in another
 */
void crosscheck_immutable(const struct snapshot *before, const struct candidates *candidates,
                          const struct load_fixed *fixed, struct report *report);

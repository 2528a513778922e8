#pragma once
/**
 * One of the two compared snapshots, at one space, as each class of its clients sees it. A part of
 * diff.
 *
 * Threads: one.  Memory: addresses on the heap, reused from name to name.
 */
#include "decide/client.h"
#include "inspect/diff.h"

/** The addresses of one answer. */
struct addresses {
    uint32_t *items;
    size_t count;
    size_t capacity;
};

struct diff_side {
    const struct snapshot *snapshot;
    const struct segment *segment; /* NULL: the snapshot lacks the space */
    uint16_t number;
    const struct hash_key *key; /* the same on both sides */
    struct membership memberships[DIFF_CLASSES];
    struct client clients[DIFF_CLASSES]; /* count 0: the space has none of the class */
    struct addresses addresses[DIFF_CLASSES];
    struct diff_answer answers[DIFF_CLASSES];
    bool has_failed; /* no memory */
};

/** Enters another space and makes a client of each class that it lets in. */
void diff_side_enter(struct diff_side *side, const struct segment *segment, uint16_t number);

/** Decides a name for the class's client; side->answers has the result until the next call. */
void diff_side_decide(struct diff_side *side, enum client_class class, const struct name *name);

void diff_side_close(struct diff_side *side);

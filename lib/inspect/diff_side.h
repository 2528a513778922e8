#pragma once
/**
 * One of the two snapshots that are compared, at one space, as each class of its clients sees it. A
 * part of diff.
 *
 * Threads: one.  Memory: addresses on the heap, kept from one name to the next.
 */
#include "decide/client.h"
#include "inspect/diff.h"

/** Addresses of one answer while it is looked at. */
struct addresses {
    uint32_t *items;
    size_t count;
    size_t capacity;
};

struct diff_side {
    const struct snapshot *snapshot;
    const struct segment *segment; /* NULL: the space is not there */
    uint16_t number;
    const struct hash_key *key; /* the same on both sides */
    struct membership memberships[DIFF_CLASSES];
    struct client clients[DIFF_CLASSES]; /* count 0: the space has none of the class */
    struct addresses addresses[DIFF_CLASSES];
    struct diff_answer answers[DIFF_CLASSES];
    bool has_failed; /* no memory */
};

/** Goes to another space; a client of each class that it lets in is made up. */
void diff_side_enter(struct diff_side *side, const struct segment *segment, uint16_t number);

/** Leaves the answer to the class's client in side->answers, borrowed until the next. */
void diff_side_ask(struct diff_side *side, enum client_class class, const struct name *name);

void diff_side_close(struct diff_side *side);

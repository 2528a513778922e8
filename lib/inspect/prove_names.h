#pragma once
/**
 * The names that a proof asks for. A part of prove.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "answer/snapshot.h"

struct proof_name {
    struct name name;
    const struct segment *owner; /* the space whose name it is; NULL: nobody's, or several views' */
    size_t number;               /* of that segment */
    bool is_ours;                /* never to be forwarded ... */
    bool is_apex;                /* ... but for types other than A, AAAA, HTTPS, SVCB and ANY */
};

/** Returns false to end the walk. */
typedef bool proof_on_name(void *context, const struct proof_name *name);

/** Calls on_name for each. Returns false when the walk was ended. */
bool proof_walk(const struct snapshot *snapshot, proof_on_name *on_name, void *context);

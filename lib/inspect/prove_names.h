#pragma once
/**
 * The names that a proof tries, each as one of the space that has it (index.h). A part of prove.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "answer/snapshot.h"

struct proof_name {
    struct name name;
    const struct segment *owner; /* its space; NULL: none, or one in each of several views */
    size_t number;               /* index of that segment */
    bool is_ours;                /* must never be forwarded ... */
    bool is_apex;                /* ... except for types other than A, AAAA, HTTPS, SVCB and ANY */
};

/** Returns false to end the walk. */
typedef bool proof_on_name(void *context, const struct proof_name *name);

/** Calls on_name for each name. Returns false if the callback ended the walk. */
bool proof_walk(const struct snapshot *snapshot, proof_on_name *on_name, void *context);

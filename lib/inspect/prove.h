#pragma once
/**
 * Proves by trying: every kind of client asks for every name, and each verdict is held against what
 * must never happen, told here once more and without decide's help.
 *
 *     clients   the ends of every range of every view, so each block and its neighbours, an IPv6
 *               client: insiders and outsiders
 *     names     every host, discovery, reverse and static name of every space, examples of
 *               wildcards, and neighbours of them that nobody has (prove_names.h)
 *     types     every type that a rule speaks of, and some that none does
 *
 * It must hold, even with an upstream for everything and recursion for all insiders:
 *
 * - who is inside a space is who the zone file lets in, and nobody else;
 * - an outsider gets the same verdict whatever is asked, and it holds nothing of the zones;
 * - a verdict holds something of a space only for a client that is inside of it;
 * - a name of a space is never forwarded (but for foreign types of an apex, which are not ours);
 * - addresses in an answer are those of the space's CIDR.
 *
 * Beyond PROOF_DECISIONS_MOST decisions, members still ask for all names of their space, and others
 * take turns.
 *
 * Threads: any while the snapshot is held.  Memory: short-lived.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "base/err.h"

enum { PROOF_DECISIONS_MOST = 50000000 };

struct proof {
    size_t clients;
    size_t outsiders; /* of these */
    size_t names;
    size_t types;
    uint64_t decisions;
    bool takes_turns; /* not everybody asked for everything */
};

/**
 * Tries everything. Returns false with *err when something does not hold: code ERR_RULE and the
 * counter-example, or ERR_MEMORY.
 */
bool prove(const struct snapshot *snapshot, struct proof *proof, struct err *err);

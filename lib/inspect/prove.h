#pragma once
/**
 * Proves by trial: every kind of client asks for every name, and each verdict is checked against
 * the rules below, which are implemented here again, without the code of decide.
 *
 *     clients   the ends of every range of every view, so each block and its neighbours, an IPv6
 *               client: insiders and outsiders
 *     names     every host, discovery, reverse and static name of every space, examples of
 *               wildcards, and names next to them that do not exist (prove_names.h)
 *     types     every type that a rule mentions, and some that no rule mentions
 *
 * The rules hold even with an upstream for all names and recursion for all insiders, and, if
 * recursion_for has suffixes, once more with it as configured:
 *
 * - a client is inside a space if and only if the zone file lets it in;
 * - an outsider gets the same verdict for every query, and it contains nothing of the zones;
 * - a client of unready spaces alone gets SERVFAIL for all names but _why's;
 * - a verdict contains data of a space only for a client inside of it;
 * - a name of a space is never forwarded (except for types of an apex that are not ours);
 * - no other name is forwarded than recursion_for allows the client, and RA is set for those;
 * - an upstream's answer with an address of a space is not passed on;
 * - addresses in an answer lie in the space's CIDR;
 * - response code, AA, SOA, reason and data are those of the verdict's line in answers.def.
 *
 * Above PROOF_DECISIONS_MOST decisions, members still ask for all names of their space, and other
 * clients take turns.
 *
 * Threads: any while the snapshot is held.  Memory: short-lived.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "base/err.h"
#include "decide/answers.h"

enum { PROOF_DECISIONS_MOST = 50000000 };

struct proof {
    size_t clients;
    size_t outsiders; /* of these */
    size_t names;
    size_t types;
    uint64_t decisions;
    uint64_t answers[SITUATION_COUNT]; /* of these, by the line of answers.def */
    bool takes_turns;                  /* not every client asked for every name */
};

/**
 * Runs the proof. Returns false with *err: ERR_RULE with a counter-example, or ERR_MEMORY.
 */
bool prove(const struct snapshot *snapshot, struct proof *proof, struct err *err);

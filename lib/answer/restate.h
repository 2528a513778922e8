#pragma once
/**
 * New states of dynos in a snapshot, without loading anything.
 *
 * Only the dyno halves (segment.h) of the spaces with changed keys are made anew. The next snapshot
 * shares all else with the one before: the other segments, texts, hosts and records, the index, the
 * views of clients, the policy and the names kept back. No name of the index depends on a dyno.
 *
 *     before ── segments  A  B  C  D          after ── segments  A  B' C  D
 *        └───── index, access, policy, kept back ────────┘
 *
 * What keys mean:
 * - A key in force gives its formation's dynos, also when its list is empty. Ports are the zone
 *   file's.
 * - A type that the app's zone file does not declare is a formation of its own, after the declared
 *   ones, by name.
 * - A key that is gone gives the formation back to the zone file; one that it does not declare is
 *   no more.
 * - A key with errors (is_bad; an address outside the space's dyno CIDRs, E-DYNO-IP; a type that
 *   differs from another of the app only by case, E-PROC-CASE; a name that is too long,
 *   E-NAME-LONG) changes nothing: what is in force stays.
 * - Of two named dynos with one address, that of the key with the greater revision owns the reverse
 *   name (W-DYNO-IP-MOVED); a zone file's dyno has revision 0. Of equal ones, the first in the
 *   segment. The other keeps its own name, and has the reverse name again when the owner is gone.
 *
 * Revisions are not compared with those in force: whoever hands keys over knows their order. So a
 * registry that went back can be followed.
 *
 * Threads: snapshot_restate on the control thread, while no load is under way. segment_restate on
 * any thread, as long as no other holds or releases the segment or its copies.
 * Memory: a malloc for each new segment, and the snapshot.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/dyno_key.h"
#include "answer/snapshot.h"
#include "base/err.h"
#include "findings/report.h"

/** What became of the keys. Zeroed by the caller, but for the report. */
struct restate_outcome {
    struct report *report;          /* the caller's; NULL: findings are not wanted */
    const struct dyno_key **unused; /* of the keys given, those whose space or app is not there;
                                       they wait for it. Keys that are gone are never among them */
    size_t unused_count;
    const struct dyno_key **refused; /* those with errors */
    size_t refused_count;
    size_t changed_spaces; /* segments made anew */
};

/** Frees the lists, not the keys, nor the report. */
void restate_outcome_close(struct restate_outcome *outcome);

/**
 * Makes a snapshot with keys applied.
 *
 * keys        in the order of dyno_key_compare, each once; borrowed
 * generation  of the new snapshot: the registry's revision, and so the SOA serial
 *
 * Returns NULL with *err without memory; `before` is as it was then, and the outcome's lists are
 * empty. Standings are the server's to set, as after a load.
 */
struct snapshot *snapshot_restate(const struct snapshot *before, const struct dyno_key *const *keys,
                                  size_t count, uint64_t generation,
                                  struct restate_outcome *outcome, struct err *err);

/**
 * Makes a copy of a segment with keys applied; it shares the document half. Keys of other spaces
 * are not allowed. Adds to the outcome.
 *
 * Returns the copy with one hold (`before` keeps its own), or NULL with *err without memory. Where
 * no key changes anything, it is `before` with one hold more.
 */
struct segment *segment_restate(const struct segment *before, const struct dyno_key *const *keys,
                                size_t count, struct restate_outcome *outcome, struct err *err);

/** Called for each key in force. The view lasts for the call. Returns false to end the walk. */
typedef bool segment_on_key(void *context, const struct dyno_key *view);

/**
 * Walks the keys in force of a segment, by app in the segment's order, then by formation. Returns
 * false when ended, or without memory.
 */
bool segment_walk_keys(const struct segment *segment, segment_on_key *on_key, void *context);

/** Finds an app of a segment by its name; ENTRY_NONE: there is none. All are looked at. */
uint32_t restate_find_app(const struct segment *segment, const char *name);

/** Finds the key in force of an app and type. Returns false if the zone file's list counts. */
bool segment_find_key(const struct segment *segment, const char *app, const char *type,
                      uint64_t *revision);

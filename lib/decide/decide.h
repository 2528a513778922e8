#pragma once
/**
 * The one place where policy lives: who gets what for which name, and why.
 *
 *     decide(snapshot, client, query) → verdict
 *
 * A verdict holds the case of the answer table (situation), the response code, the records by
 * reference, and the reason when the answer is not an address. Deciding does no I/O, allocates
 * nothing and reads no clock. The reply, EDE, _why, explain and the log line are all printed from
 * it.
 *
 * Order: outsiders first (they never learn what exists), then the name's owner, its space, this
 * client's membership of it, internal routing, running web dynos. Any other name is forwarded to an
 * upstream if the client may recurse, else refused. A name that was internal and is no longer
 * declared (answer/kept_back.h) is never forwarded. A client whose spaces are all unready
 * (answer/seal_unready.h) gets SERVFAIL for any name, because it might be one of theirs.
 *
 * Sources: RFC 2308 (negative answers), RFC 8020 (empty non-terminals), RFC 8482 (ANY),
 * RFC 6761 (special names), RFC 4892 (id.server).
 * Threads: pure.  Memory: a verdict borrows from the snapshot and the query.
 */
#include "decide/verdict.h"

/**
 * Decides.
 *
 * snapshot  NULL before the first: every query gets SERVFAIL
 * hash      index_hash of the query's name; 0 without a snapshot
 */
void decide(const struct snapshot *snapshot, const struct client *client, const struct query *query,
            uint64_t hash, struct verdict *verdict);

/** The same for who has asked index_guess of the hash already; guess NULL: nobody has. */
void decide_guessed(const struct snapshot *snapshot, const struct client *client,
                    const struct query *query, uint64_t hash, const struct index_entry *guess,
                    struct verdict *verdict);

/** Refuses a query of a client that is above client_rate. */
void decide_rate_limited(struct verdict *verdict);

/** Lets an outsider above external_rate ask again over TCP. */
void decide_slip(struct verdict *verdict);

/**
 * Decides on a request that is not a readable query: opcode, EDNS version, a cookie alone, or
 * malformed. Outsiders
 * get no reason. There need not be a snapshot.
 */
void decide_unreadable(enum query_status status, const struct client *client,
                       struct verdict *verdict);

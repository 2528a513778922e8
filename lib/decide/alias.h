#pragma once
/**
 * Following an alias to its target, for the same client.
 *
 *     decide(name) ──SITUATION_ALIAS──► alias_follow(target): decide(target) ──► ... the last name
 *
 * An alias is a CNAME among static records, or one in an upstream's answer that leads to a name of
 * ours. Its target is decided as if the client had asked for it, so every kind of name has one
 * entry: static records, apps, discovery names, forwarded names.
 *
 * The last name gives the response code (RFC 6604 section 3). If the client may not ask for it
 * here, the reply holds the aliases and NOERROR: the client continues by itself (RFC 1034 section
 * 4.3.1).
 *
 * A chain that returns to an earlier name, or has a ninth link, ends with SERVFAIL and Q28.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "decide/decide.h"

enum { ALIAS_LINKS_MOST = 8 };

/** The names followed so far; the first is the question's. */
struct alias_chain {
    const struct snapshot *snapshot;
    const struct client *client;
    unsigned count;
    struct name names[ALIAS_LINKS_MOST];
};

/**
 * Where aliases in cached answers of upstreams lead: the first name of ours in each such answer, in
 * the order of the chain.
 */
struct alias_hops {
    unsigned count;
    struct name targets[ALIAS_LINKS_MOST];
};

/** Begins at a name that this snapshot decided for this client; both are borrowed. */
static inline void alias_begin(struct alias_chain *chain, const struct snapshot *snapshot,
                               const struct client *client)
{
    chain->snapshot = snapshot;
    chain->client = client;
    chain->count = 0;
}

/** The static CNAME of a verdict of SITUATION_ALIAS. */
const struct record_entry *alias_record(const struct verdict *verdict);

/** Its target. */
void alias_target(const struct verdict *verdict, struct name *target);

/**
 * Replaces the query's name by the target and decides; query, hash and verdict are then the
 * target's. At a loop or a ninth link the query stays and the verdict becomes
 * SITUATION_ALIAS_ENDLESS.
 */
void alias_follow(struct alias_chain *chain, const struct name *target, struct query *query,
                  uint64_t *hash, struct verdict *verdict);

/** Sets SERVFAIL and Q28, for a chain that cannot be followed. */
void alias_give_up(struct verdict *verdict);

/**
 * Finds the next name of a chain: by static records, or by the next of `hops` (NULL: none), of
 * which `taken` are already used. Returns false at the last name.
 */
bool alias_next(const struct verdict *verdict, const struct alias_hops *hops, unsigned *taken,
                struct name *target);

/** Follows aliases as far as static records and `hops` (NULL: none) lead. */
void alias_resolve(const struct snapshot *snapshot, const struct client *client,
                   const struct alias_hops *hops, struct query *query, uint64_t *hash,
                   struct verdict *verdict);

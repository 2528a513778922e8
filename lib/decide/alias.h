#pragma once
/**
 * Going on at the name that an alias leads to, as the same client.
 *
 *     decide(name) ──SITUATION_ALIAS──► alias_follow(target): decide(target) ──► ... the last name
 *
 * An alias is a CNAME among static records, or one in an upstream's answer that leads to a name of
 * ours. Its target is decided on as if the client had asked for it, so there is one door to every
 * kind of name: static records, apps, discovery, names that are upstreams'.
 *
 * The last name gives the response code (RFC 6604 section 3). One that the client may not ask for
 * here leaves it with the aliases and NOERROR: they are answered, and going on is then the client's
 * (RFC 1034 section 4.3.1).
 *
 * A chain that comes back to a name it has met, or has a ninth link, ends with SERVFAIL and Q28.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "decide/decide.h"

enum { ALIAS_LINKS_MOST = 8 };

/** The names that were left behind; the first is the one that was asked for. */
struct alias_chain {
    const struct snapshot *snapshot;
    const struct client *client;
    unsigned count;
    struct name names[ALIAS_LINKS_MOST];
};

/**
 * Where aliases go on in upstreams' answers that are kept: the first name of ours that each such
 * answer leads to, in the order in which a chain comes to them.
 */
struct alias_hops {
    unsigned count;
    struct name targets[ALIAS_LINKS_MOST];
};

/** Begins at a name that was decided on by this snapshot for this client; both are borrowed. */
static inline void alias_begin(struct alias_chain *chain, const struct snapshot *snapshot,
                               const struct client *client)
{
    chain->snapshot = snapshot;
    chain->client = client;
    chain->count = 0;
}

/** The CNAME of static records that a verdict of SITUATION_ALIAS is about. */
const struct record_entry *alias_record(const struct verdict *verdict);

/** Its target. */
void alias_target(const struct verdict *verdict, struct name *target);

/**
 * Leaves the query's name for the target and decides there; query, hash and verdict are then the
 * target's. At a loop or a ninth link the query stays, and the verdict says so
 * (SITUATION_ALIAS_ENDLESS).
 */
void alias_follow(struct alias_chain *chain, const struct name *target, struct query *query,
                  uint64_t *hash, struct verdict *verdict);

/** SERVFAIL and Q28, for a chain that cannot go on. */
void alias_give_up(struct verdict *verdict);

/**
 * Where a verdict leads on to: by static records, or by the next of `hops` (NULL: none), of which
 * `taken` were followed before. Returns false at the last name.
 */
bool alias_next(const struct verdict *verdict, const struct alias_hops *hops, unsigned *taken,
                struct name *target);

/** Follows aliases as far as static records and `hops` (NULL: none) lead. */
void alias_resolve(const struct snapshot *snapshot, const struct client *client,
                   const struct alias_hops *hops, struct query *query, uint64_t *hash,
                   struct verdict *verdict);

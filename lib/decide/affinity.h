#pragma once
/**
 * Affinity: a dyno gets the routers and the dynos of its own availability zone first
 * (`affinity: prefer`), or alone (`only`), as its space says.
 *
 * Clients without an availability zone get all alike: those outside the dyno CIDRs that have an
 * `az`, peered clients and VPN clients among them. So does a client in whose zone nothing is up.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "decide/client.h"
#include "decide/verdict.h"

/** The availability zone of a client in a space of its own; NULL: none. */
const struct az_entry *affinity_find_az(const struct client *client,
                                        const struct membership *membership,
                                        const struct segment *segment);

/** True for an answer of all routers of a space, or of all dynos of a formation. */
bool affinity_orders(enum answer_kind answer);

/** Sets the zone of a verdict whose space has affinity. */
void affinity_choose(const struct client *client, struct verdict *verdict);

/** Takes one dyno that is up. Returns false to end the walk. */
typedef bool affinity_visit_dyno(void *context, const struct dyno_entry *dyno, bool is_own);

/**
 * Visits the dynos of the formation that are up, of a verdict with a zone: first those of the zone,
 * then, with `prefer`, the others. Each of the two groups begins at `rotation`.
 */
void affinity_walk_dynos(const struct verdict *verdict, uint32_t rotation,
                         affinity_visit_dyno *visit, void *context);

#pragma once
/**
 * Who asked a flow's question, and for which app, as parties.
 *
 * A client is, by its address in the flow's snapshot: the app whose dyno has it, the peering or
 * VPN that lets it in, or the space; and outside if none of these. In several spaces at once, it is
 * what it is in the space that it asked.
 *
 * The parties of a table's entries are remembered until the table ends, so that a text is hashed
 * once for each app, and a client is looked up once.
 *
 * Threads: one.  Memory: about 100 KB.
 */
#include "traffic/flows.h"
#include "traffic/parties.h"

struct asking;

/** What a flow asks for. */
struct asked {
    const struct segment *segment;
    const struct app_entry *app;
    uint32_t app_party;
    uint32_t domain; /* a word: the domain or target as declared; PARTY_NONE: another name */
};

/** Returns NULL without memory. */
struct asking *asking_new(struct parties *parties);

/** NULL is allowed. */
void asking_free(struct asking *asking);

/** Begins with a table: what is remembered of another is forgotten. */
void asking_begin(struct asking *asking, const struct flow_table *table);

/**
 * Finds the app of a flow. A client that may not know of the app is told of none, so its question
 * is looked up in the snapshot. Returns false when there is no app.
 */
bool asking_find_app(struct asking *asking, const struct flow *flow, struct asked *asked);

/** The client's party; PARTY_NONE without memory, or when it is not known (flow_is_coarse). */
uint32_t asking_client(struct asking *asking, const struct flow *flow);

/** The word for a formation's process type. */
uint32_t asking_type(struct asking *asking, const struct segment *segment,
                     const struct formation_entry *formation);

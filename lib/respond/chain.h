#pragma once
/**
 * An answer that goes on at other names: the reply is written link by link, as one message.
 *
 *     first name ── ours, a static alias ──► its CNAME ──┐
 *                └─ foreign ──► the aliases of what was found, up to a name of ours ──┤
 *                                                                                     ▼
 *     chain_start → (chain_asks → chain_take) ... → chain_finish          the next name: anew
 *
 * Each name is decided on for the exchange's client (decide/alias.h). What upstreams have to be
 * asked for is the caller's to find: while chain_asks, `question` is what to look for. Who has to
 * wait for an upstream lets the chain go, and begins a new one when the answer is there: so no
 * reply is put together from two generations, and policy is always first.
 *
 * An upstream's answer is left at the first alias that leads to a name of ours, names kept back and
 * those of other spaces included: what an upstream says of them never reaches a client.
 *
 * The reply: aliases with the TTL each came with, then the last name's answer; its response code,
 * reason and SOA; AA by the first name (RFC 1034 section 4.1.1 says it is the owner's that matches
 * the question). Sources: RFC 1034 section 4.3.2; RFC 2308 section 2; RFC 6604.
 *
 * Threads: pure.  Memory: a chain is some kilobytes, on the caller's stack; never allocates.
 */
#include "decide/alias.h"
#include "respond/respond.h"
#include "wire/reply.h"

struct chain {
    const struct snapshot *snapshot;
    struct exchange *exchange; /* its query and verdict are the last name's until chain_finish */
    struct question question;  /* of the last name; while chain_asks */

    /* Its own. */
    struct alias_chain links;
    struct reply reply;
    struct reply_options options;
    uint16_t asked; /* where the last name stands in the reply */
    bool is_authoritative;
    bool is_over;                    /* nothing more is asked */
    const struct response *response; /* whose records are the last name's answer, or NULL */
    struct verdict old;              /* of a link that is stale; its reason says so, or is none */
};

/** True when what was found for the exchange's question has an alias that leads to a name of ours.
 */
bool chain_is_cut(const struct snapshot *snapshot, const struct exchange *exchange,
                  const struct forward_result *found);

/**
 * Lists where the aliases of a query of a client lead on in answers that the forwarder (NULL: none)
 * keeps. Nobody is asked.
 */
void chain_list_hops(const struct snapshot *snapshot, const struct client *client,
                     const struct forward *forward, const struct query *query,
                     struct alias_hops *hops);

/** True when the forwarder keeps an answer for a name that it forwards and may not pass it on. */
bool chain_is_withheld(const struct snapshot *snapshot, const struct forward *forward,
                       const struct query *query, uint64_t hash, const struct verdict *verdict);

/** Begins with the exchange's first name, decided on. */
void chain_start(struct chain *chain, const struct snapshot *snapshot, struct exchange *exchange);

/** True when the chain has come to a name that upstreams are asked for. */
static inline bool chain_asks(const struct chain *chain)
{
    return chain->exchange->verdict.situation == SITUATION_FORWARD && !chain->is_over &&
           !reply_is_cut(&chain->reply);
}

/** Goes on with what was found for `question`. */
void chain_take(struct chain *chain, const struct forward_result *found);

/** Ends the reply. The exchange's query is the first name's again. Returns the reply's length. */
size_t chain_finish(struct chain *chain);

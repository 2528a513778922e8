#pragma once
/**
 * An answer that follows aliases: the reply is written link by link, as one message.
 *
 *     first name ─┬─ ours, a static alias ──► its CNAME ───────────────────────────┐
 *                 └─ forwarded ──► the result's aliases, up to a name of ours ─────┤
 *                                                                                  ▼
 *     chain_start → (chain_asks → chain_take) ... → chain_finish          the next name
 *
 * Each name is decided for the exchange's client (decide/alias.h). The caller finds upstreams'
 * answers: while chain_asks, `question` is the one to find. A caller that has to wait for an
 * upstream drops the chain and begins a new one when the answer has come: so no reply mixes two
 * generations, and policy always applies.
 *
 * An upstream's answer is used up to the first alias that leads to a name of ours, including names
 * kept back and those of other spaces: an upstream's records of them never reach a client.
 *
 * The reply: aliases with their own TTLs, then the last name's answer, response code, reason and
 * SOA; AA by the first name (RFC 1034 section 4.1.1: the owner that matches the question).
 *
 * Sources: RFC 1034 section 4.3.2; RFC 2308 section 2; RFC 6604.
 * Threads: pure.  Memory: a chain is some kilobytes, on the caller's stack; never allocates.
 */
#include "decide/alias.h"
#include "decide/outcome.h"
#include "respond/respond.h"
#include "wire/reply.h"

struct chain {
    const struct snapshot *snapshot;
    struct exchange *exchange; /* its query and verdict are the current name's until chain_finish */
    struct question question;  /* of the current name; while chain_asks */

    /* Private. */
    struct alias_chain links;
    struct reply reply;
    struct reply_options options;
    uint16_t asked; /* offset of the current name in the reply */
    bool is_authoritative;
    bool is_over;                    /* no more questions */
    const struct response *response; /* whose records are the last name's answer, or NULL */
    struct verdict old;              /* verdict of a stale link; REASON_NONE without one */
};

/** True when the result for the exchange's question has an alias that leads to a name of ours. */
bool chain_is_cut(const struct snapshot *snapshot, const struct exchange *exchange,
                  const struct forward_result *found);

/**
 * Lists where the aliases of a client's query lead in cached answers of the forwarder (NULL: none).
 * Nothing is forwarded.
 */
void chain_list_hops(const struct snapshot *snapshot, const struct client *client,
                     const struct forward *forward, const struct query *query,
                     struct alias_hops *hops);

/**
 * Finds what the forwarder has cached for a forwarded name that is no answer: one that it must
 * withhold, or a failure. Returns false when there is neither. The texts are the forwarder's.
 */
bool chain_find_outcome(const struct snapshot *snapshot, const struct forward *forward,
                        const struct query *query, uint64_t hash, const struct verdict *verdict,
                        struct upstream_outcome *outcome);

/**
 * Appends the cached answer to a forwarded name as forward_format_cached does, and the code of the
 * reason that a reply with it gives now: "cached=failed no reply from 10.0.0.2 code=Q22".
 */
void chain_format_cached(const struct forward *forward, const struct question *question,
                         struct text *text);

/** Begins with the exchange's first name, which has been decided. */
void chain_start(struct chain *chain, const struct snapshot *snapshot, struct exchange *exchange);

/** True when the chain has reached a name that is forwarded. */
static inline bool chain_asks(const struct chain *chain)
{
    return chain->exchange->verdict.situation == SITUATION_FORWARD && !chain->is_over &&
           !reply_is_cut(&chain->reply);
}

/** Continues with the result for `question`. */
void chain_take(struct chain *chain, const struct forward_result *found);

/**
 * Ends the reply. The exchange's query is that of the first name again. Returns the reply's length.
 */
size_t chain_finish(struct chain *chain);

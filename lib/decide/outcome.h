#pragma once
/**
 * What a forwarded name gets, once its upstreams have answered or failed.
 *
 *     decide ──SITUATION_FORWARD──► upstreams ──► outcome_decide ──► the reply's verdict
 *
 * The caller translates what it has found; the policy about it is here, in this order:
 *
 *     no answer                              SITUATION_UPSTREAM_FAILED
 *     an answer with an address of a space   SITUATION_REBIND, unless the route allows it: the
 *                                            owner of any other name could point it into the
 *                                            space (DNS rebinding)
 *     a stale answer                         SITUATION_STALE
 *     any other answer                       SITUATION_FORWARD, with a reason if there is a fault
 *
 * Sources: RFC 8767 (stale answers).
 * Threads: pure.  Memory: the verdict borrows the texts.
 */
#include "decide/verdict.h"

/** Why no server has answered well. */
enum upstream_fault {
    UPSTREAM_FAULT_NONE,
    UPSTREAM_FAULT_SERVER,  /* silent, overloaded, or an answer that is an error */
    UPSTREAM_FAULT_NETWORK, /* not reached: no route, closed port, no TLS */
};

struct upstream_outcome {
    bool has_answer; /* fresh, stale or an error, to be relayed */
    bool is_stale;
    bool has_space_address; /* the answer has an address of a space served here */
    uint16_t rcode;         /* the answer's, with the EDNS extension bits */
    enum upstream_fault fault;
    const char *fault_text; /* "no reply from", with the ... */
    const char *server;     /* ... server; NULL: none, or all of the route */
};

/** True when the forwarded name's route demands that has_space_address is known. */
static inline bool outcome_needs_addresses(const struct snapshot *snapshot,
                                           const struct verdict *verdict)
{
    return !snapshot->policy.routes.items[verdict->route].allow_rebind;
}

/**
 * Completes a verdict of SITUATION_FORWARD. Returns true when the upstream's answer is the reply,
 * false when the verdict is.
 */
bool outcome_decide(const struct snapshot *snapshot, const struct upstream_outcome *outcome,
                    struct verdict *verdict);

/**
 * Gives the verdict of an alias chain's last name the reason of an earlier link, unless it has one
 * of its own.
 */
void outcome_keep_reason(const struct verdict *link, struct verdict *last);

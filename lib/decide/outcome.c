#include "decide/outcome.h"

#include "wire/types.h"

static enum reason fault_reason(enum upstream_fault fault)
{
    return fault == UPSTREAM_FAULT_NETWORK ? REASON_UPSTREAM_NETWORK : REASON_UPSTREAM;
}

bool outcome_decide(const struct snapshot *snapshot, const struct upstream_outcome *outcome,
                    struct verdict *verdict)
{
    verdict->upstream_fault = outcome->fault_text;
    verdict->upstream = outcome->server;
    if (!outcome->has_answer) {
        verdict_set(verdict, SITUATION_UPSTREAM_FAILED, RCODE_SERVFAIL,
                    fault_reason(outcome->fault));
        return false;
    }
    if (outcome->has_space_address && outcome_needs_addresses(snapshot, verdict)) {
        verdict_rebind(verdict);
        return false;
    }
    verdict->rcode = (uint8_t)outcome->rcode;
    if (outcome->is_stale)
        verdict_set(verdict, SITUATION_STALE, verdict->rcode,
                    outcome->rcode == RCODE_NXDOMAIN ? REASON_STALE_NXDOMAIN : REASON_STALE);
    else if (outcome->fault != UPSTREAM_FAULT_NONE)
        verdict->reason = fault_reason(outcome->fault);
    return true;
}

void outcome_keep_reason(const struct verdict *link, struct verdict *last)
{
    if (last->reason != REASON_NONE || link->reason == REASON_NONE)
        return;
    last->reason = link->reason;
    last->route = link->route;
    last->upstream_fault = link->upstream_fault;
    last->upstream = link->upstream;
}

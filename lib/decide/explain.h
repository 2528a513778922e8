#pragma once
/**
 * Prints how a verdict was reached, step by step, with file and line of each fact.
 *
 * It prints what decide() decided and decides nothing itself, so the two always agree. Aliases are
 * followed (alias.h), one step for each link, also from a cached answer of an upstream to a name of
 * ours; the later steps describe the last name. Used by the _why names and by the operator's
 * command. What a client may not know (another space's app) is left out; files and lines are shown
 * to the operator and, for their own space, to dynos.
 *
 * Threads: pure.  Memory: steps are written into the caller's struct.
 */
#include <stdbool.h>

#include "base/text.h"
#include "decide/alias.h"

enum {
    EXPLAIN_STEPS_MAX = 20,
    EXPLAIN_STEP_OCTETS = 255,
    EDE_TEXT_OCTETS = 100,
    EXPLAIN_OUTSIDE_OCTETS = 62,
};

struct explanation {
    bool has_locations; /* files and lines are shown */
    unsigned count;
    struct {
        uint8_t length;
        char octets[EXPLAIN_STEP_OCTETS];
    } steps[EXPLAIN_STEPS_MAX]; /* the last one is the verdict */
};

/** Facts about the last name that the verdict does not have; NULL: not known. */
struct explain_facts {
    const char *servers;           /* of a forwarded name: the upstreams and their state */
    const char *cached;            /* and its cached answer */
    const struct alias_hops *hops; /* where aliases in cached answers lead; NULL: nowhere */
    const char *address;           /* the client's, when it is not IPv4 */
    const char *limited;           /* that the client is above its rate, in a line */
    uint32_t raised_ttl_seconds;   /* of negative answers about its app; 0: not raised */
    /* What is cached of a forwarded name and is no answer: withheld, or failed; NULL: neither. */
    const struct upstream_outcome *outcome;
    bool for_operator; /* shows locations, the space of a concealed name, and why a
                          client is outside */
};

/** Prints how the verdict on a query was reached. `facts` may be NULL. */
void explain(const struct snapshot *snapshot, const struct client *client,
             const struct query *query, const struct verdict *verdict,
             const struct explain_facts *facts, struct explanation *explanation);

/**
 * Writes the reason's sentence with its facts, at most EDE_TEXT_OCTETS octets: "Q10 app crashed:
 * sleepy-river-2739 has 1 web dyno, none up". Nothing for REASON_NONE.
 */
void explain_reason(const struct snapshot *snapshot, const struct client *client,
                    const struct query *query, const struct verdict *verdict, struct text *text);

/** The sentence of REASON_OUTSIDE, which has no facts. */
extern const char explain_outside_text[EXPLAIN_OUTSIDE_OCTETS + 1];

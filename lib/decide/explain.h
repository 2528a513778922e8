#pragma once
/**
 * A verdict told step by step, with file and line of each fact.
 *
 * Prints what decide() decided; it decides nothing itself, so it cannot say otherwise. An alias is
 * followed (alias.h), a step for each link, also where one in an upstream's answer that is kept
 * leads to a name of ours; what is told behind them is about the last name. Used
 * by the _why names and by the operator's command. What a client may not know (another space's app)
 * is not told to it; files and lines are the operator's and, for their own space, the dynos'.
 *
 * Threads: pure.  Memory: steps are written into the caller's struct.
 */
#include <stdbool.h>

#include "base/text.h"
#include "decide/alias.h"

enum { EXPLAIN_STEPS_MAX = 20, EXPLAIN_STEP_OCTETS = 255, EDE_TEXT_OCTETS = 100 };

struct explanation {
    bool has_places; /* files and lines are told */
    unsigned count;
    struct {
        uint8_t length;
        char octets[EXPLAIN_STEP_OCTETS];
    } steps[EXPLAIN_STEPS_MAX]; /* the last one is the verdict */
};

/** What the verdict does not know of the last name; NULL: not known. */
struct explain_facts {
    const char *servers;           /* of a name that is forwarded: the upstreams and how they are */
    const char *cached;            /* and what is kept of it */
    const struct alias_hops *hops; /* where kept answers lead on; NULL: nowhere */
    const char *address;           /* the client's, when it is not IPv4 */
    bool is_withheld;              /* what is kept is not passed on (T11b) */
    bool for_operator;             /* tells places, and whose a concealed name is */
};

/** Tells how the verdict on a query came about. `facts` may be NULL. */
void explain(const struct snapshot *snapshot, const struct client *client,
             const struct query *query, const struct verdict *verdict,
             const struct explain_facts *facts, struct explanation *explanation);

/**
 * Writes the reason's sentence with its facts, at most EDE_TEXT_OCTETS octets: "Q10 app crashed:
 * sleepy-river-2739 has 1 web dyno, none up". Nothing for REASON_NONE.
 */
void explain_reason(const struct snapshot *snapshot, const struct client *client,
                    const struct query *query, const struct verdict *verdict, struct text *text);

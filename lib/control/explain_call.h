#pragma once
/**
 * Makes a question from the operator's explain command.
 *
 * Threads: pure.  Memory: the texts are borrowed from the invocation.
 */
#include "control/command.h"
#include "inspect/explain_request.h"

/** Returns the words of `explain NAME --from ADDR --type TYPE --to ADDR`. */
static inline struct explain_question explain_call_question(const struct invocation *invocation)
{
    return (struct explain_question){
        .name = invocation_operand(invocation, 0),
        .type = invocation->options[OPTION_TYPE],
        .from = invocation->options[OPTION_FROM],
        .to = invocation->options[OPTION_TO],
    };
}

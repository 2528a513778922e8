#pragma once
/**
 * The operator's explain command as the question that it asks.
 *
 * Threads: pure.  Memory: the texts are the invocation's.
 */
#include "control/command.h"
#include "inspect/explain_request.h"

/** The words of `explain NAME --from ADDR --type TYPE --to ADDR`, to be read. */
static inline struct explain_words explain_call_words(const struct invocation *invocation)
{
    return (struct explain_words){
        .name = invocation_operand(invocation, 0),
        .type = invocation->options[OPTION_TYPE],
        .from = invocation->options[OPTION_FROM],
        .to = invocation->options[OPTION_TO],
    };
}

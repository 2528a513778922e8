#pragma once
/**
 * Makes a question from the operator's explain command.
 *
 * Threads: pure.  Memory: the texts are borrowed from the invocation.
 */
#include "control/command.h"
#include "inspect/explain_request.h"

/** Returns the words of `--from ADDR --to ADDR --device NAME`. */
static inline struct explain_client explain_call_client(const struct invocation *invocation)
{
    return (struct explain_client){.from = invocation->options[OPTION_FROM],
                                   .to = invocation->options[OPTION_TO],
                                   .device = invocation->options[OPTION_DEVICE]};
}

/** Returns the words of `explain NAME --type TYPE` and its client. */
static inline struct explain_question explain_call_question(const struct invocation *invocation)
{
    return (struct explain_question){
        .name = invocation_operand(invocation, 0),
        .type = invocation->options[OPTION_TYPE],
        .client = explain_call_client(invocation),
    };
}

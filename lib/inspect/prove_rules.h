#pragma once
/**
 * The rules that every verdict of a proof is held to, implemented here again, without the code of
 * decide. A part of prove, whose header lists them.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "base/err.h"
#include "decide/verdict.h"
#include "inspect/prove_clients.h"
#include "inspect/prove_names.h"

/** One query and its verdict. */
struct trial {
    const struct snapshot *snapshot;
    const struct proof_client *querier;
    const struct proof_name *name;
    struct query query;
    struct verdict verdict;
    struct err *err;
};

/**
 * Holds the verdict to every rule. Returns false with trial->err, ERR_RULE: the client, the
 * question and the rule that the verdict breaks.
 */
bool trial_check(const struct trial *trial);

#pragma once
/**
 * decide() by name, for tests of verdicts: no request octets, no reply.
 */
#include "decide/decide.h"

struct deciding {
    struct client client;
    struct query query;
    struct verdict verdict;
};

/** Decides on a name (no escapes) and type, class IN, for a client that asks at 10.0.0.2. */
void deciding_ask(struct deciding *deciding, const struct snapshot *snapshot, const char *from,
                  const char *name, uint16_t type);

/** Decides on deciding->query as it stands, for a client that asks at 10.0.0.2. */
void deciding_decide(struct deciding *deciding, const struct snapshot *snapshot, const char *from);

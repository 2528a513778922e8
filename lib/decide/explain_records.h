#pragma once
/**
 * What an address answer is made of, as steps of an explanation; a part of explain.
 *
 * Threads: pure.  Memory: writes into the caller's explanation.
 */
#include "decide/explain.h"

/** The formation or dyno of a discovery name. */
void explain_formation(const struct verdict *verdict, struct explanation *explanation);

/** Why the routers or dynos come in this order, where the space has affinity. */
void explain_affinity(const struct client *client, const struct verdict *verdict,
                      struct explanation *explanation);

/** The routers that are up. */
void explain_routers(const struct verdict *verdict, struct explanation *explanation);

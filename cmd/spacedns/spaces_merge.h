#pragma once
/**
 * What a topology does not tell about apps, from what the zone file says about them already.
 *
 * An app is the same when its id is, else when its name is. It keeps its internal routing, flags,
 * ports and how its domains are answered; and which DNS target belongs to which domain, when
 * the topology has the same targets.
 *
 * Threads: one.  Memory: texts stay where they are.
 */
#include "base/arena.h"
#include "space/topology.h"

/** False without memory. */
bool topology_merge(struct arena *arena, struct topology *topology, const struct space *before);

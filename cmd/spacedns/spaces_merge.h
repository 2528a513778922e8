#pragma once
/**
 * Completes the apps of a topology with facts that only the zone file has.
 *
 * Apps match by id, else by name. An app keeps its internal routing, flags, ports and the answer
 * options of its domains; and the DNS target of each domain, when the topology has the same
 * targets.
 *
 * Threads: one.  Memory: texts stay where they are.
 */
#include "base/arena.h"
#include "space/topology.h"

/** Returns false when out of memory. */
bool topology_merge(struct arena *arena, struct topology *topology, const struct space *before);

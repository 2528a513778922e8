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

/** The app with the wanted one's id, else with its name; NULL when there is none. */
const struct app *topology_find_app(const struct app *apps, size_t count, const struct app *wanted);

/** The app's domain with the same name; NULL when there is none. */
const struct domain *topology_find_domain(const struct app *app, const struct domain *wanted);

/** Returns false when out of memory. */
bool topology_merge(struct arena *arena, struct topology *topology, const struct space *before);

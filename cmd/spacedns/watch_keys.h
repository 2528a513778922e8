#pragma once
/**
 * Keys of dynos in a registry that say otherwise than a topology.
 *
 * A key goes before the zone document. One that somebody has written by hand (spacedns ps:set)
 * would hide from now on what the topology tells, so it is dropped with the next change, as in a
 * zone file the topology's dynos replace what was there. A key that agrees stays.
 *
 * Threads: one.  Memory: the list is in the arena, the keys belong to the session's view.
 */
#include "answer/dyno_key.h"
#include "base/arena.h"
#include "space/topology.h"
#include "spacedns/session.h"

struct watch_keys {
    const struct dyno_key **keys;
    size_t count;
};

/** Finds those of a space. Without a registry there are none. Returns false without memory. */
bool watch_keys_find(struct session *session, struct arena *arena, const struct topology *topology,
                     const char *space, struct watch_keys *found);

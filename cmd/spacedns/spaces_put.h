#pragma once
/**
 * Puts the apps of a topology into the text of a zone file, in place of those that it has.
 *
 * The rest of the text stays octet by octet. Inside of `apps` comments and order are lost.
 *
 * Threads: one.  Memory: the new text lives in the arena.
 */
#include "base/arena.h"
#include "base/err.h"
#include "space/edit.h"
#include "space/topology.h"

/** Returns false with *err; edit->text is unchanged then. */
bool topology_put(struct arena *arena, const struct topology *topology, struct edit *edit,
                  struct err *err);

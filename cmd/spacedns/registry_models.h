#pragma once
/**
 * The models of a registry's spaces with the dynos that are in force: where a key has them, the
 * key's instead of the document's.
 *
 * Threads: one.  Memory: the space set's arena.
 */
#include "spacedns/spaces.h"

/** Replaces the set's spaces by copies with the dynos in force. Returns false without memory. */
bool registry_models_apply(struct space_set *space_set, const struct snapshot *snapshot);

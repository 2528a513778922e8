#pragma once
/**
 * Which changes of a push stay in one transaction (registry/push.h).
 *
 * A push that fits is one transaction. A greater one is parted, where a space that gives a name
 * away and the one that takes it stay together: between the two parts a name would be nobody's, or
 * the part would be refused by every replica.
 *
 * Threads: one.
 */
#include "answer/snapshot.h"
#include "registry/push.h"

/** Sorts the changes by space, and sets their groups. */
void registry_groups_set(struct push_change *changes, size_t count, const struct snapshot *before,
                         const struct snapshot *after);

#pragma once
/**
 * Makes the policy for decisions from the settings. The server and the operator's command both use
 * it, so that they answer alike.
 *
 * Threads: one.  Memory: the policy lives in the settings' arena, which snapshots hold.
 */
#include <stdbool.h>

#include "answer/snapshot.h"
#include "config/settings.h"

/** Fills in the policy. Returns false if memory runs out. */
bool policy_set(struct policy *policy, const struct settings *settings);

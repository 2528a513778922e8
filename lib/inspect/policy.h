#pragma once
/**
 * From settings to the policy that answers are decided by; the server and the operator's command
 * make it here, so that they answer alike.
 *
 * Threads: one.  Memory: everything lies in the settings' arena, which snapshots hold.
 */
#include <stdbool.h>

#include "answer/snapshot.h"
#include "config/settings.h"

/** Fills the policy in. Returns false without memory. */
bool policy_set(struct policy *policy, const struct settings *settings);

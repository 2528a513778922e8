#pragma once
/**
 * From settings to the policy that answers are decided by; the server and the operator's command
 * make it here, so that they answer alike.
 *
 * Threads: one.  Memory: texts are borrowed from the settings, routes are kept with them.
 */
#include <stdbool.h>

#include "answer/snapshot.h"
#include "config/settings.h"

/** Fills the policy in. Returns false without memory. */
bool policy_set(struct policy *policy, const struct settings *settings);

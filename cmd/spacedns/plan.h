#pragma once
/**
 * Command plan: which answers would change; compared with another folder, or with what the running
 * server serves.
 */
#include "inspect/diff.h"
#include "spacedns/session.h"

session_command run_plan;

/** Prints a difference, in colour or as JSON. Returns the exit code. */
int plan_print(struct session *session, const struct diff *diff);

#pragma once
/**
 * What a push must not do unless it is forced. Replicas would hold it back (their guard), or could
 * not read it.
 *
 * Threads: one.
 */
#include "inspect/diff.h"
#include "spacedns/session.h"

/**
 * Prints what of a change would be lost: the guard's refusals, and every app with internal routing
 * that goes or loses all its addresses. Returns EXIT_DONE if there is nothing, or EXIT_REFUSED.
 *
 * spaces  those that are changed
 */
int registry_guard(struct session *session, const struct diff *diff, const struct snapshot *before,
                   const struct snapshot *after, const char *const *spaces, size_t count);

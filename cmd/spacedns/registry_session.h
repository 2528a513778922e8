#pragma once
/**
 * The registry that a session's settings name.
 */
#include "spacedns/session.h"

/** Prints that no registry is named, with the remedy. Returns EXIT_REFUSED. */
int registry_fail_unnamed(struct session *session);

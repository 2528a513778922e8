#pragma once
/**
 * The first steps of a server that follows a registry.
 *
 *     loaded from the state folder ─────────────────────► ready
 *     nothing there ─► answers SERVFAIL ─► first read ──► ready
 *     takes over ─► has caught up with the registry ────► tries its workers (takeover.h)
 *
 * Threads: the control thread.
 */
#include "spacednsd/daemon.h"

/** Every worker answers from what was published, and the server is not ready yet. */
void daemon_replica_go_on(struct daemon *daemon);

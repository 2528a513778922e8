#pragma once
/**
 * Responders on real sockets: UDP and TCP on port 53 of each one's address, served by a thread.
 *
 * The responders belong to the thread but between hold and release.
 *
 * Threads: new, hold, release and free on the story's.
 */
#include "support/responders.h"

struct outward_live;

/** Begins to serve. Returns NULL, having said why, when that cannot be. */
struct outward_live *outward_live_new(struct responders *responders);

/** Waits until the thread has its hands off. */
void outward_live_hold(struct outward_live *live);

/** Lets the thread go on; returns once it listens where it shall, and nowhere else. */
void outward_live_release(struct outward_live *live);

/** Ends it. NULL is allowed. */
void outward_live_free(struct outward_live *live);

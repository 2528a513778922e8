#pragma once
/**
 * Responders on real sockets: UDP and TCP on port 53 of each one's address, served by a thread.
 *
 * The responders belong to the thread, except between hold and release.
 *
 * Threads: new, hold, release and free on the story's.
 */
#include "support/responders.h"

struct outward_live;

/** Begins to serve. Returns NULL after printing the error. */
struct outward_live *outward_live_new(struct responders *responders);

/** Waits until the thread no longer uses the responders. */
void outward_live_hold(struct outward_live *live);

/** Resumes the thread; returns once it listens on exactly the required addresses. */
void outward_live_release(struct outward_live *live);

/** Ends it. NULL is allowed. */
void outward_live_free(struct outward_live *live);

#pragma once
/**
 * Calls about the cache: what it has for a name, and its flush.
 *
 * Event: cache_flushed.
 *
 * Threads: the control thread.  Memory: each call is finished here.
 */
#include "control/control_socket.h"
#include "forward/sweep.h"
#include "spacednsd/status_source.h"

/** Reads the names of a call. Returns false with *err when it cannot be parsed. */
bool cache_call_read(const struct invocation *invocation, struct sweep *sweep, struct err *err);

/** Answers `cache` from the worker reports. */
void cache_call_answer_list(struct call *call, const struct status_source *source);

/** Answers `cache:flush` from the worker reports, and logs who wanted it. */
void cache_call_answer_flush(struct call *call, const struct status_source *source);

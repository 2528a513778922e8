#pragma once
/**
 * The listener for udp://: a worker's UDP sockets, which share one set of buffers (udp.h).
 *
 * Threads, memory: listener.h.
 */
#include "serve/listener.h"

/** Returns NULL with *err when memory runs out. */
struct listener *udp_listener_new(const struct listener_options *options, struct err *err);

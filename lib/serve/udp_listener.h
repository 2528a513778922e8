#pragma once
/**
 * The listener for udp://: a worker's UDP sockets, which share one set of buffers (udp.h).
 *
 * Threads, memory: listener.h.
 */
#include "serve/listener.h"

/** As in struct listener_kind. */
int udp_listener_open(const struct endpoint *endpoint, const struct settings *settings,
                      struct err *err);

/** As in struct listener_kind. */
void udp_listener_tune(int descriptor, const struct endpoint *endpoint,
                       const struct settings *settings);

/** Returns NULL with *err when memory runs out. */
struct listener *udp_listener_new(const struct listener_options *options, struct err *err);

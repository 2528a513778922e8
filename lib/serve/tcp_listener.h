#pragma once
/**
 * The listener for tcp://: a worker's listening sockets and all their connections (tcp.h).
 *
 * Threads, memory: listener.h.
 */
#include "serve/listener.h"

/** Returns NULL with *err when memory runs out. */
struct listener *tcp_listener_new(const struct listener_options *options, struct err *err);

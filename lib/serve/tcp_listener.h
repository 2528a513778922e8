#pragma once
/**
 * The listener for tcp://: a worker's listening sockets and all their connections (tcp.h).
 *
 * Threads, memory: listener.h.
 */
#include "serve/listener.h"

/** As in struct listener_kind. */
int tcp_listener_open(const struct endpoint *endpoint, const struct settings *settings,
                      struct err *err);

/** As in struct listener_kind. */
void tcp_listener_tune(int descriptor, const struct endpoint *endpoint,
                       const struct settings *settings);

/** Returns NULL with *err when memory runs out. */
struct listener *tcp_listener_new(const struct listener_options *options, struct err *err);

#pragma once
/**
 * One connection to one endpoint of etcd, over a socket that is waited for: connects, sends what
 * the connection has to send, and hands over what comes.
 *
 * Threads: one.  Memory: its own, and a descriptor.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "config/registry_endpoint.h"
#include "etcd/connection.h"

struct etcd_socket {
    int descriptor; /* -1: closed */
    bool has_ended; /* the member has closed or broken it */
    struct registry_endpoint endpoint;
    struct etcd_connection *connection;
};

/**
 * Connects; then etcd_socket_wait until the member is ready. `deadline_ns` is of the monotonic
 * clock.
 *
 * trust  for an endpoint of https; NULL for one in the clear
 *
 * Returns false with why in *err, as a sentence without place; it is closed then.
 */
bool etcd_socket_open(struct etcd_socket *socket, const struct registry_endpoint *endpoint,
                      struct tls_trust *trust, const struct etcd_listener *listener,
                      uint64_t deadline_ns, struct err *err);

/** A closed one may be closed again. */
void etcd_socket_close(struct etcd_socket *socket);

/**
 * Sends and receives until *is_done, which the listener sets, or the deadline.
 *
 * Returns false with why in *err when it is not done.
 */
bool etcd_socket_wait(struct etcd_socket *socket, const bool *is_done, uint64_t deadline_ns,
                      struct err *err);

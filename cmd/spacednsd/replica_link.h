#pragma once
/**
 * The registry's connection: one TCP socket at a time on the control thread's loop.
 *
 *     registry ──open──► connecting ──► registry_connected ──► octets both ways ──► registry_closed
 *         └────close────────┴──────────────────────────────────────┘
 *
 * Octets to be sent are written before the loop waits again; what the kernel does not take is
 * copied.
 *
 * Threads: the control thread.
 * Memory: a socket, and what the kernel has not taken; freed by the loop after replica_link_stop.
 */
#include <uv.h>

#include "registry/registry.h"
#include "spacednsd/replica_hosts.h"

struct replica_socket;

struct replica_link {
    uv_loop_t *loop;
    struct registry *registry; /* set by the owner once it is made */
    struct replica_hosts hosts;
    struct replica_socket *socket; /* NULL: none */
    bool has_output;
    uint64_t opened; /* connections begun or given up */
};

/** The operations for the registry; the link must stay where it is. */
struct registry_port replica_link_port(struct replica_link *link);

/** Writes what waits. Call it before the loop waits. */
void replica_link_flush(struct replica_link *link);

/** Closes the socket; its memory is freed by the loop. */
void replica_link_stop(struct replica_link *link);

/** Milliseconds of the monotonic clock, as the registry wants them. */
uint64_t replica_now_ms(void);

#pragma once
/**
 * The connection to a dnstap receiver: a unix socket that never makes the server wait.
 *
 * It is not blocking. A receiver that takes nothing for TAP_PATIENCE_MS is given up, and so is one
 * that has not taken the rest TAP_STOP_MS after the server began to stop, however much it has taken
 * by then. Gone or given up, it is connected to again when tap_socket_open is called again.
 *
 *     open ─► write READY ─► read ACCEPT ─► write START, messages ...      it is a receiver
 *       ▲                        └─► open again: it has not agreed         from START on
 *
 *     info dnstap_connected path=/run/dnstap.sock
 *     warning dnstap_unconnected path=/run/dnstap.sock cause="connect: No such file ..." text=...
 *
 * Each is logged when that changes, not at every attempt.
 *
 * Threads: tap_socket_stop and tap_socket_has_receiver on any, the rest on the sender's.  Memory:
 * in place.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { TAP_PATIENCE_MS = 5000, TAP_STOP_MS = 1000, TAP_PARTS_MOST = 256 };

struct tap_socket {
    struct sockaddr_un address;
    int descriptor;            /* -1: none */
    bool is_reported;          /* that there is no receiver */
    bool has_spoken;           /* something was read from it */
    atomic_bool has_receiver;  /* one that has agreed, so that we have gone on to write */
    _Atomic uint64_t stops_ns; /* when nothing is waited for any more; 0: not stopping */
};

/** Returns false when the path is too long for an address. */
bool tap_socket_init(struct tap_socket *socket, const char *path);

/** Connects. Returns false when there is no receiver. One that is open has not agreed. */
bool tap_socket_open(struct tap_socket *socket);

/** Closes, if it is open. */
void tap_socket_close(struct tap_socket *socket);

/** Reads so many octets: the receiver agrees, or says goodbye. Returns false if it does not. */
bool tap_socket_read(struct tap_socket *socket, void *out, size_t length);

/** Writes everything. Returns false, closed, if the receiver is gone or takes too long. */
bool tap_socket_write(struct tap_socket *socket, const struct iovec *parts, int count);

/** The server stops: what still waits ends within TAP_STOP_MS. */
void tap_socket_stop(struct tap_socket *socket);

/** True while a receiver takes messages. */
static inline bool tap_socket_has_receiver(const struct tap_socket *socket)
{
    return atomic_load_explicit(&socket->has_receiver, memory_order_relaxed);
}

#pragma once
/**
 * Listening sockets of TCP: they accept what tcp.c then serves.
 *
 *     start ──begin──► accepting ──no descriptor is left, nor a connection to evict──► paused
 *                          ▲                                                             │
 *                          └────────────────────the next tick of tcp.c───────────────────┘
 *
 * Threads: the worker's.  Memory: its owner's; it must not move while open.
 */
#include "serve/tcp.h"

enum { TCP_ACCEPTS_MOST = 16 }; /* per wake-up */

struct tcp_acceptor {
    uv_poll_t poll;
    struct tcp *tcp;
    int descriptor;
    bool is_wildcard;
    uint32_t address; /* IPv4 it is bound to, host order; 0: wildcard, or IPv6 */
    struct tcp_acceptor *next_paused;
    struct tcp_acceptor *next; /* the owner's */
};

/**
 * Starts a socket from socket_open_tcp, without accepting yet. Takes the descriptor over in any
 * case. Returns 0 or a libuv error, with no handle left on the loop.
 */
int tcp_acceptor_start(struct tcp_acceptor *acceptor, struct tcp *tcp, int descriptor,
                       const struct endpoint *endpoint);

/** Begins to accept. */
void tcp_acceptor_begin(struct tcp_acceptor *acceptor);

/** Accepts the connections in the queue, as far as slots are free. */
void tcp_acceptor_accept_all(struct tcp_acceptor *acceptor);

/** Accepts nothing more on a socket that another process accepts on, too. */
void tcp_acceptor_pause(struct tcp_acceptor *acceptor);

/** Every acceptor that paused for want of a descriptor accepts again. */
void tcp_acceptor_resume_all(struct tcp *tcp);

/** Closes the socket, in the loop's next turn. */
void tcp_acceptor_stop(struct tcp_acceptor *acceptor);

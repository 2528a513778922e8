#pragma once
/**
 * UDP sockets for outgoing queries: each query has a port of its own that nobody can predict.
 *
 *                 datagrams_send                       datagrams_release
 *     closed ──► socket, epoll_ctl ──┐            ┌──► one datagram came: disconnected
 *                                    ▼            │                         │
 *                            connect, send ──► in use                     spare
 *                                    ▲            │                         │
 *                                    │            └──► else: closed         │
 *                                    └──────────────── emptied ◄────────────┘
 *
 * Ports of the system: a socket is used for one query after the other. Disconnecting takes its port
 * away, so that between two queries nobody can reach it, and connecting lets the kernel draw
 * another one from net.ipv4.ip_local_port_range, by its own generator. A socket is used again only
 * if exactly one datagram came for its query; what arrived between the last read and the
 * disconnecting is discarded before the next connect. The socket that is spare for the longest time
 * is next, so that no packet is still on its way to it inside the kernel. A query costs connect,
 * send, recv, connect, and the recv that finds nothing.
 *
 * Any port: the port is drawn here from 1024..65535, and the socket is closed after its query,
 * since a port that was bound cannot be changed. A query costs socket, bind, connect, epoll_ctl,
 * send, recv and close.
 *
 * What a forged answer has to match: log2 of the number of ports, and 16 bits of id. 64,512 ports
 * are 15.98 bits, together 31.98; the range that Linux has by default, 32768..60999, is 28,232
 * ports or 14.79 bits, together 30.79. Ports in use are not drawn again: with 8,000 of 28,232 in
 * use, the free ones are still 14.3 bits. Letter case (upstream_0x20) adds one bit for each letter.
 *
 * Sources: RFC 5452 section 9.2 (random ports and ids).
 * Threads: one worker's.  Memory: one table at init.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/endpoint.h"
#include "base/random.h"
#include "forward/link.h"

/* Spare sockets of each family. */
enum {
    DATAGRAMS_SPARE_MOST = 1024,
    DATAGRAMS_SPARE_KEPT = 16, /* these stay, others only while they are used */
    DATAGRAMS_TRIMMED_MOST = 64,
};

struct datagram_socket {
    TAILQ_ENTRY(datagram_socket) link; /* among the closed or the spare */
    int descriptor;                    /* -1: closed */
    link_ticket ticket;                /* in use */
    uint8_t received;                  /* datagrams, of which 2 are counted */
    bool is_in_use;
    bool is_ipv6;
};

TAILQ_HEAD(datagram_sockets, datagram_socket);

struct datagrams {
    struct datagram_socket *sockets; /* their slots in epoll are their indexes */
    size_t count;
    struct datagram_sockets closed;
    struct datagram_sockets spare[2]; /* IPv4, IPv6; the longest spare first */
    size_t spare_count[2];
    size_t
        spare_least[2]; /* spare_count at its least since the last trim: so many were not needed */
    size_t open_count;  /* descriptors, in use and spare */
    size_t open_most;
    bool uses_any_port;
    int epoll;
    struct random_source *random;
};

struct datagrams_options {
    size_t attempts;  /* at most at once */
    size_t open_most; /* descriptors at most; SIZE_MAX: no limit */
    bool uses_any_port;
    struct random_source *random;
};

/** Borrows `random`. Sockets are watched once epoll is set. Returns false without memory. */
bool datagrams_init(struct datagrams *datagrams, const struct datagrams_options *options);

/** Closes every socket. A zeroed struct is allowed. */
void datagrams_close(struct datagrams *datagrams);

/**
 * Sends a query from a port of its own. Returns the socket, whose ticket is the query's; NULL with
 * errno, EMFILE when open_most are in use.
 */
struct datagram_socket *datagrams_send(struct datagrams *datagrams, const struct endpoint *server,
                                       const struct link_query *query);

/**
 * Reads a datagram of a socket in use, as recv does: -1 with errno; EAGAIN when there is none.
 */
ssize_t datagrams_receive(struct datagram_socket *socket, uint8_t *octets, size_t most);

/** Ends a query: its port is closed when this returns. */
void datagrams_release(struct datagrams *datagrams, struct datagram_socket *socket);

/** Discards what has reached a spare socket; to be called when epoll reports an event of one. */
void datagrams_discard(struct datagrams *datagrams, struct datagram_socket *socket);

/**
 * Estimates how many ports the system draws from, to about 1 %, by having it draw some. Returns 0
 * when it makes no sockets.
 */
uint32_t datagrams_estimate_ports(void);

/** True when more are spare than stay: then datagrams_trim is to be called now and then. */
bool datagrams_may_be_trimmed(const struct datagrams *datagrams);

/** Closes spare sockets that were not needed since the last call, DATAGRAMS_TRIMMED_MOST at most.
 */
void datagrams_trim(struct datagrams *datagrams);

/** Returns how many more descriptors may be open, after closing spare ones until it is `wanted`. */
size_t datagrams_make_room(struct datagrams *datagrams, size_t wanted);

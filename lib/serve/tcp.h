#pragma once
/**
 * TCP: each reading answered with one write.
 *
 *     readable → recv → every complete frame in it → replies back to back → one send
 *
 * A frame is two octets of length and that many octets of DNS. Requests are read into, and replies
 * built in, two buffers that all connections of the worker share. A connection needs room of its
 * own only for what is not done: the beginning of a frame whose rest is still to come, and replies
 * that the client has not taken. While replies wait, nothing is read from that connection.
 *
 *     connection ─┬─ input   65,537 octets   an incomplete frame, or frames not yet answered
 *                 └─ output 131,074 octets   replies not yet taken
 *
 * Replies leave in whole frames, one behind the other: while some wait, every other reply waits
 * behind them, and so does a query that was read before. A reply for which there is no room there
 * closes the connection, for its client would wait in vain (RFC 7766 section 6.2.4 has it ask
 * again over a new one).
 *
 * This room is address space from the start and memory only when used; it is given back when the
 * connection closes. So no client makes the server grow beyond
 * tcp_connections x 200 KB per worker, and an idle connection costs a few hundred octets.
 *
 * A reading that holds one whole query and nothing else waits for the end of the loop's turn: there
 * the queries of all connections are looked up together, each answered with its own send. They lie
 * one behind the other in the shared input, so the last one's end is where the next reading goes,
 * also when the connection of one has gone meanwhile:
 *
 *     │ query │ (gone) │ query │ room for the next reading, 65,537 octets at least ...
 *
 * Who goes when it is full: over the limit of one client, that client's connection idle longest;
 * over the limit of all, the outsider's idle longest, and without outsiders the one idle longest.
 * Queries that wait are answered before, and while there are others, none goes to which a reply
 * from an upstream is due; nor is such a one closed for being idle. A client is an IPv4 address, or
 * the /64 of an IPv6 address: whoever has one address of it has them all. An outsider is who is
 * inside no space when it connects; when clients of spaces need all the room, it is not let in.
 * Idle means: no query answered and no reply taken. Half a frame does not count, so it cannot keep
 * a connection alive.
 *
 * A client that closes its sending side still gets its answers. A frame of no octets, or the
 * eighth frame that cannot be answered (a response, shorter than a header), ends the connection.
 *
 * Sources: RFC 1035 section 4.2.2; RFC 7766 (pipelining, idle time, limits); RFC 7828 (keepalive);
 * RFC 9210; RFC 6177 (a site's /64).
 * Threads: the worker's.  Memory: everything at init; nothing per connection or request.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"
#include "base/err.h"
#include "serve/batch.h"

enum { TCP_FRAME_OCTETS = 2, TCP_IGNORED_MOST = 8 };

struct tcp_limits {
    uint32_t connections; /* of this worker */
    uint32_t per_client;  /* of this worker */
    uint32_t idle_ms;
};

struct tcp_connection;
struct tcp_listener;

/** A query that waits for the end of the turn; the request lies in the shared input. */
struct tcp_single {
    struct tcp_connection *connection; /* NULL: it has gone */
    const uint8_t *request;
    size_t length;
};

/** What all connections of one worker share; it must stay in its place while open. */
struct tcp {
    uv_loop_t *loop;
    struct batch *batch;
    struct tcp_limits limits;
    uv_timer_t timer;
    uv_check_t turn; /* its end */
    struct tcp_connection *pool;
    size_t pool_count;
    uint8_t *room; /* input and output of all connections */
    struct tcp_connection *free;
    struct tcp_connection *lru_oldest; /* ends of the list by last activity */
    struct tcp_connection *lru_newest;
    uint32_t open_count;
    struct tcp_listener *paused; /* no descriptors: they pause until the timer's next turn */
    bool is_stopping;
    uint8_t *input;  /* shared */
    uint8_t *output; /* shared */
    bool is_writing; /* somebody's replies are in `output` */
    size_t single_count;
    struct tcp_single lone_queries[BATCH_MOST];
};

/** One listening socket; it must stay in its place while open. */
struct tcp_listener {
    uv_poll_t poll;
    struct tcp *tcp;
    int descriptor;
    bool is_wildcard;
    uint32_t address; /* IPv4 it is bound to, host order; 0: wildcard, or IPv6 */
    struct tcp_listener *next_paused;
};

/** Prepares the room. Returns false with *err. */
bool tcp_init(struct tcp *tcp, uv_loop_t *loop, struct batch *batch,
              const struct tcp_limits *limits, struct err *err);

/** After the loop has ended. */
void tcp_close(struct tcp *tcp);

/**
 * Begins to accept on a socket from socket_open_tcp. Takes the descriptor over, whatever comes
 * back. Returns 0 or a libuv error.
 */
int tcp_listener_start(struct tcp_listener *listener, struct tcp *tcp, int descriptor,
                       const struct endpoint *endpoint);

/** Accepts what has already come, as far as there are free places. */
void tcp_accept_all(struct tcp_listener *listener);

void tcp_listener_stop(struct tcp_listener *listener);

/**
 * Answers what has already arrived and closes every connection, one whose client is slow to take
 * its replies after at most a second. Call it after the listeners have stopped.
 */
void tcp_stop(struct tcp *tcp);

/**
 * Serves a connected socket, as if it had been accepted: over the limits, others make room. Takes
 * the descriptor over. Returns false when it is not let in: there is no free place in this turn of
 * the loop, or others have more right to all of them.
 */
bool tcp_adopt(struct tcp *tcp, int descriptor, const struct endpoint *client,
               uint32_t destination);

#pragma once
/**
 * TCP: the frames of one read are answered with one write.
 *
 *     readable → recv → every complete frame in it → replies back to back → one send
 *
 * A frame is two octets of length and that many octets of DNS. Requests are read into, and replies
 * written in, two buffers that all connections of the worker share. A connection needs its own
 * buffers only for unfinished work: the beginning of an incomplete frame, and replies that the
 * client has not taken. While replies wait, nothing is read from that connection.
 *
 *     connection ─┬─ input   65,537 octets   an incomplete frame, or frames not yet answered
 *                 └─ output 131,074 octets   replies not yet taken
 *
 * Replies are sent in whole frames, in order: while some wait, every later reply waits behind them,
 * and so does a query that was read before. A reply that does not fit there closes the connection,
 * because its client would wait in vain (by RFC 7766 section 6.2.4 it retries over a new one).
 *
 * These buffers are address space from the start and memory only when used; it is returned when the
 * connection closes. So no client makes the server grow beyond tcp_connections x 200 KB per worker,
 * and an idle connection costs a few hundred octets.
 *
 * A read that returns exactly one whole query (a lone query) waits for the end of the loop's turn:
 * there the queries of all connections are looked up as one batch, each answered with its own send.
 * They are stored one after the other in the shared input, and the next read goes behind the last
 * one, also when the connection of one has been closed meanwhile:
 *
 *     │ query │ (closed) │ query │ room for the next read, 65,537 octets at least ...
 *
 * Listening is tcp_acceptor.h's; which connection makes room for another at a limit,
 * tcp_places.h's. Idle means: no query answered and no reply taken. Half a frame does not count, so
 * it cannot keep a connection alive. A connection that waits for an upstream's reply is never
 * closed as idle.
 *
 * A client that closes its sending side still gets its answers. An empty frame, or the eighth frame
 * that cannot be answered (a response, shorter than a header), ends the connection.
 *
 * Sources: RFC 1035 section 4.2.2; RFC 7766 (pipelining, idle time, limits); RFC 7828 (keepalive);
 * RFC 9210.
 * Threads: the worker's.  Memory: everything at init; nothing per connection or request.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "base/hash.h"
#include "serve/batch.h"

enum { TCP_FRAME_OCTETS = 2, TCP_IGNORED_MOST = 8, TCP_CLIENT_ROWS = 4096 };

enum tcp_kind { TCP_INSIDERS, TCP_OUTSIDERS, TCP_KINDS };

struct tcp_limits {
    uint32_t connections[TCP_KINDS]; /* of this worker */
    uint32_t per_client;             /* of this worker */
    uint32_t idle_ms;
};

struct tcp_connection;
struct tcp_acceptor;

/** A query that waits for the end of the turn; the request is in the shared input. */
struct tcp_lone_query {
    struct tcp_connection *connection; /* NULL: it is closed */
    const uint8_t *request;
    size_t length;
};

TAILQ_HEAD(tcp_connections, tcp_connection);

/** The connections of one kind of clients. */
struct tcp_places {
    struct tcp_connections by_activity; /* the oldest first */
    uint32_t count;
    uint32_t of_clients[TCP_CLIENT_ROWS]; /* by a hash of the client */
};

/** State shared by all connections of one worker; it must not move while open. */
struct tcp {
    uv_loop_t *loop;
    struct batch *batch;
    struct tcp_limits limits;
    uv_timer_t timer;
    uv_check_t turn; /* called at the end of the loop's turn */
    struct tcp_connection *pool;
    size_t pool_count;
    uint8_t *room; /* input and output buffers of all connections */
    struct tcp_connections free;
    struct tcp_places places[TCP_KINDS];
    uint32_t open_count;         /* of both kinds */
    struct hash_key key;         /* of clients */
    struct tcp_acceptor *paused; /* without descriptors they pause until the timer's next tick */
    bool is_stopping;
    uint8_t *input;  /* shared */
    uint8_t *output; /* shared */
    bool is_writing; /* `output` holds replies of a connection */
    size_t lone_query_count;
    struct tcp_lone_query lone_queries[BATCH_MOST];
};

/** Allocates the buffers. Returns false with *err. */
bool tcp_init(struct tcp *tcp, uv_loop_t *loop, struct batch *batch,
              const struct tcp_limits *limits, struct err *err);

/** Frees the buffers. Call it after the loop has ended. */
void tcp_close(struct tcp *tcp);

/**
 * Hands every connection without unfinished work over to another process
 * over `channel` (pass.h). Its client notices nothing: what it has sent meanwhile is unread.
 * Returns how many are left; they are served until they can be handed over, too.
 */
size_t tcp_hand_over(struct tcp *tcp, int channel);

/** Serves a connection that another process has handed over, as tcp_adopt does. */
bool tcp_take_over(struct tcp *tcp, int descriptor);

/**
 * Answers the requests that have arrived and closes every connection, at most a second later if its
 * client is slow to take its replies. Call it after the acceptors have stopped.
 */
void tcp_stop(struct tcp *tcp);

/**
 * Serves a connected socket as if it had been accepted: at a limit, another connection is evicted.
 * Takes the descriptor over. Returns false when it is refused: no slot is free in this turn of the
 * loop, or its kind has no places.
 */
bool tcp_adopt(struct tcp *tcp, int descriptor, const struct endpoint *client,
               uint32_t destination);

#pragma once
/**
 * The octets of one TCP connection: what its socket gives and takes; a part of tcp.c.
 *
 *     tcp_connection.c    frames, requests, replies
 *     tcp_io.c            octets in, octets out, and those that the client has not taken
 *     socket              recv, send, shutdown: only here
 *
 * A call never blocks and never closes the connection: it sets `has_failed` or `is_ending`, and the
 * caller closes it when it no longer uses it.
 *
 * Sources, threads, memory: tcp.h.
 */
#include "base/bytes.h"
#include "serve/tcp_connection.h"

/** True while replies wait for the client. */
static inline bool tcp_io_is_blocked(const struct tcp_connection *connection)
{
    return connection->unsent < connection->unsent_end;
}

/** True while requests are read and answered. */
static inline bool tcp_io_goes_on(const struct tcp_connection *connection)
{
    return !connection->has_failed && !tcp_io_is_blocked(connection);
}

/**
 * Reads once, at most what `room` has left, and moves its position behind it. Returns false when
 * there is nothing yet, the client has ended its side (`is_ending`), or the socket is broken.
 */
bool tcp_io_read(struct tcp_connection *connection, struct writer *room);

/**
 * Sends whole replies and queues what the socket does not take. Only while nothing is queued: the
 * octets of a reply must stay together.
 */
void tcp_io_send(struct tcp_connection *connection, const struct writer *replies);

/**
 * Queues octets behind those that wait for the client. Returns false, with nothing queued, when
 * they do not fit.
 */
bool tcp_io_queue(struct tcp_connection *connection, const uint8_t *octets, size_t length);

/** Sends what is queued, as far as the client takes it. */
void tcp_io_send_queued(struct tcp_connection *connection);

/** Ends the sending side; the client has got everything. */
void tcp_io_end(const struct tcp_connection *connection);

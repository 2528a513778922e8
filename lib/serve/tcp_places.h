#pragma once
/**
 * Places of TCP connections: how many each kind of clients and each client may have, and which
 * connection is evicted for another one; a part of tcp.c.
 *
 * Clients of spaces and outsiders have places of their own, so neither ever evicts the other:
 *
 *     tcp_connections ─┬─ 7/8  clients of spaces
 *                      └─ 1/8  outsiders: clients in no space when they connect
 *
 * Which connection is evicted at a limit: over the limit of one client, its connection idle
 * longest; when all places of the kind are taken, that of the client with the most connections
 * which is idle longest, so a client with few keeps them. Waiting queries are answered before that.
 * A connection that waits for an upstream's reply is evicted only if all candidates do. A client is
 * an IPv4 address, or the /64 of an IPv6 address, because one host usually has all of it.
 * Connections are counted by a keyed hash of the client, so that few clients share a count, and
 * none can choose with whom.
 *
 * Sources: RFC 7766 section 6.2; RFC 6177 (a site's /64).
 * Threads, memory: tcp.h.
 */
#include "serve/tcp.h"

/** Adds a connection, as the one that was active last. */
void tcp_places_take(struct tcp_connection *connection);

/** Removes a connection. */
void tcp_places_leave(struct tcp_connection *connection);

/** Marks the connection as active now. */
void tcp_places_touch(struct tcp_connection *connection);

/**
 * Makes room for a connection that has no place yet: at a limit, evicts another one. Returns false
 * when none may be evicted.
 */
bool tcp_places_make_room(struct tcp_connection *incoming);

/** Evicts a connection for its descriptor, an outsider's first. Returns false: there is none. */
bool tcp_places_free_one(struct tcp *tcp);

#pragma once
/**
 * What the two halves of a connection share: connection.c moves octets between socket, TLS and
 * HTTP/2; session.c is what HTTP/2 calls, and knows calls.
 *
 * Sources: libnghttp2's documentation: its callbacks may submit frames, and nothing else.
 * Threads: one thread's.  Memory: see connection.h.
 */
#include <nghttp2/nghttp2.h>

#include "etcd/call.h"
#include "etcd/connection.h"
#include "etcd/greeting.h"

enum { AUTHORITY_MOST = 253 + sizeof "[]:65535" };

/** What etcd_connection_new makes. */
struct etcd_connection {
    struct etcd_connection_options options;
    struct etcd_listener listener;
    nghttp2_session *session;
    struct tls *tls; /* NULL: plain */
    struct greeting greeting;
    struct call *calls;
    struct call *ended; /* while octets are received, which may be theirs */
    char *token;        /* NULL: none */
    char authority[AUTHORITY_MOST];
    struct buffer plain;  /* of HTTP/2, to be encrypted */
    struct buffer output; /* to be sent */
    size_t block_octets;  /* of the headers that are being read */
    bool is_ready;
    bool is_leaving;
    bool is_broken;
    bool is_receiving;
    bool is_feeding; /* nghttp2 reads */
    struct err why;  /* it is broken */
};

/** Keeps the first cause, after which nothing is received or sent. Always returns false. */
bool connection_break(struct etcd_connection *connection, struct err why);
bool connection_break_without_memory(struct etcd_connection *connection);

/** Returns NULL for none. */
struct call *calls_find(struct etcd_connection *connection, int32_t stream);

/** Takes a call out of the list. While octets are received, they and its text are still read. */
void calls_remove(struct etcd_connection *connection, struct call *call);

void calls_free(struct call **list);

/** A session whose windows and settings wait to be sent. Returns NULL without memory. */
nghttp2_session *session_new(struct etcd_connection *connection);

/** Submits the headers of a request. Returns its stream, or a negative number. */
int32_t session_submit(struct etcd_connection *connection, enum etcd_method method);

/** Ends calls whose streams were closed while frames were sent. */
void session_end_lost_calls(struct etcd_connection *connection);

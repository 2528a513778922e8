#pragma once
/**
 * The server's side of streams: on loopback, over TCP or TLS, driven step by step by a test.
 *
 *     struct stream_peer peer;
 *     stream_peer_init(&peer, NULL);                    // or an SSL_CTX of tls_server_context
 *     ... connect to peer.address ...
 *     stream_peer_wait(&peer, epoll);                   // until either side is ready
 *     stream_peer_turn(&peer);                          // accept, do the TLS handshake, read
 *     stream_peer_answer(stream_peer_last(&peer), 0);   // the first question
 *     stream_peer_close(&peer);
 *
 * Threads: one; only stream_peer_wait waits.  Memory: stream_peer_init allocates everything; a
 * failure ends the program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "support/tls_server.h"

enum { STREAM_PEER_ENDS_MOST = 64, STREAM_PEER_RECEIVED_OCTETS = 1 << 19 };

/** One connection. */
struct stream_peer_end {
    int descriptor;        /* -1: closed by the test */
    bool has_ended;        /* the client closed it */
    struct tls_server tls; /* .ssl NULL: plain */
    uint8_t *received;     /* from the client, deciphered */
    size_t length;
};

struct stream_peer {
    int listener;
    struct endpoint address;
    SSL_CTX *context; /* NULL: plain TCP */
    bool is_stalled;  /* accepts and reads nothing */
    size_t count;     /* connections accepted */
    struct stream_peer_end ends[STREAM_PEER_ENDS_MOST];
};

void stream_peer_init(struct stream_peer *peer, SSL_CTX *context);

/** Closes everything but the context. */
void stream_peer_close(struct stream_peer *peer);

/** Waits up to a second until the peer or `epoll` is ready. */
void stream_peer_wait(const struct stream_peer *peer, int epoll);

/** Accepts, does the TLS handshake, and reads, without waiting. */
void stream_peer_turn(struct stream_peer *peer);

/** The connection accepted last. */
struct stream_peer_end *stream_peer_last(struct stream_peer *peer);

/** The number of complete questions received over a connection. */
size_t stream_peer_count(const struct stream_peer_end *end);

/** The question with this number, behind its two octets of length; NULL: not received yet. */
const uint8_t *stream_peer_question(const struct stream_peer_end *end, size_t number,
                                    size_t *length);

/** Sends these octets, enciphered on a TLS connection. */
void stream_peer_send(struct stream_peer_end *end, const void *octets, size_t length);

/** Sends these octets as they are. */
void stream_peer_send_raw(struct stream_peer_end *end, const void *octets, size_t length);

/** Answers a question with the question itself and QR set. */
void stream_peer_answer(struct stream_peer_end *end, size_t number);

/** Closes a connection. */
void stream_peer_hang_up(struct stream_peer_end *end);

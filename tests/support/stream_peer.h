#pragma once
/**
 * The far side of streams: a server on loopback, over TCP or TLS, that a test plays step by step.
 *
 *     struct far far;
 *     stream_peer_init(&far, NULL);                  // or an SSL_CTX of tls_server_context
 *     ... ask far.address ...
 *     stream_peer_wait(&far, epoll);                 // until either side has something to do
 *     stream_peer_turn(&far);                        // accept, shake hands, read what was asked
 *     stream_peer_answer(stream_peer_last(&far), 0);         // the first question
 *     stream_peer_close(&far);
 *
 * Threads: one, nothing waits but stream_peer_wait.  Memory: everything in stream_peer_init; a
 * failure ends the program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "support/tls_server.h"

enum { STREAM_PEER_ENDS_MOST = 64, STREAM_PEER_HEARD_OCTETS = 1 << 19 };

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

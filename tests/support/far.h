#pragma once
/**
 * The far side of streams: a server on loopback, over TCP or TLS, that a test plays step by step.
 *
 *     struct far far;
 *     far_init(&far, NULL);                  // or an SSL_CTX of tls_server_context
 *     ... ask far.address ...
 *     far_wait(&far, epoll);                 // until either side has something to do
 *     far_turn(&far);                        // accept, shake hands, read what was asked
 *     far_answer(far_last(&far), 0);         // the first question
 *     far_close(&far);
 *
 * Threads: one, nothing waits but far_wait.  Memory: everything in far_init; a failure ends the
 * program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "support/tls_server.h"

enum { FAR_ENDS_MOST = 64, FAR_HEARD_OCTETS = 1 << 19 };

/** One connection. */
struct far_end {
    int descriptor;        /* -1: closed by the test */
    bool has_ended;        /* the client has closed it */
    struct tls_server tls; /* .ssl NULL: plain */
    uint8_t *heard;        /* what the client has said, deciphered */
    size_t length;
};

struct far {
    int listener;
    struct endpoint address;
    SSL_CTX *context; /* NULL: plain TCP */
    bool is_deaf;     /* accepts and reads nothing */
    size_t count;     /* connections accepted */
    struct far_end ends[FAR_ENDS_MOST];
};

void far_init(struct far *far, SSL_CTX *context);

/** Closes everything but the context. */
void far_close(struct far *far);

/** Waits, up to a second, until the far side or `epoll` has something to do. */
void far_wait(const struct far *far, int epoll);

/** Accepts, shakes hands, and reads, without waiting. */
void far_turn(struct far *far);

/** The connection accepted last. */
struct far_end *far_last(struct far *far);

/** How many whole questions were asked over a connection. */
size_t far_count(const struct far_end *end);

/** The question with this number, behind its two octets of length; NULL: not asked yet. */
const uint8_t *far_question(const struct far_end *end, size_t number, size_t *length);

/** Says these octets, enciphered when the connection is. */
void far_say(struct far_end *end, const void *octets, size_t length);

/** Says these octets as they are. */
void far_say_plainly(struct far_end *end, const void *octets, size_t length);

/** Answers a question with itself and QR. */
void far_answer(struct far_end *end, size_t number);

/** Closes a connection. */
void far_hang_up(struct far_end *end);

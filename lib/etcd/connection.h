#pragma once
/**
 * One connection to an etcd member: TLS if asked for, HTTP/2, the frames of gRPC. Octets in and
 * out, no socket and no clock: who owns the socket decides when something takes too long.
 *
 *     socket ──receive──► ┌────────────┐ ──► on_ready, on_message, on_end, on_pong
 *     socket ◄──output─── │ connection │ ◄── call, send, cancel, ping
 *                         └────────────┘
 *
 * A call is a number. Its request is one message; a call that is kept open (watch, keep-alive) may
 * send more. What comes back is any number of messages and one end with a status, also for calls
 * that the member will not serve because it goes away. Calls may be made at once: they wait until
 * the connection is ready.
 *
 * What a member sends is not believed: a message longer than `message_most` ends its call before
 * memory is taken for it, headers are bounded, and what is not HTTP/2 is an error that says so.
 *
 * The reader's windows are wide from the start (4 MB a call, 8 MB in all): at the 64 KB of HTTP/2's
 * default a full read would crawl.
 *
 * Sources: RFC 9113 (HTTP/2); gRPC over HTTP/2 (PROTOCOL-HTTP2.md); etcd's API guide.
 * Threads: one thread's.  Memory: its own, freed by etcd_connection_free: output that waits, and
 * the part of each message that has come.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/octets.h"
#include "etcd/messages.h"
#include "tls/tls.h"

/** "nghttp2 1.52.0", or NULL in a build without the registry, where no connection can be made. */
const char *etcd_library(void);

enum { ETCD_MESSAGE_MOST = 256 << 20, ETCD_STATUS_TEXT_MOST = 255 };

/** How a call ended: the codes of gRPC. */
enum etcd_status {
    ETCD_OK,
    ETCD_CANCELLED,
    ETCD_UNKNOWN,
    ETCD_INVALID_ARGUMENT,
    ETCD_DEADLINE_EXCEEDED,
    ETCD_NOT_FOUND,
    ETCD_ALREADY_EXISTS,
    ETCD_PERMISSION_DENIED,
    ETCD_RESOURCE_EXHAUSTED, /* no space, too many requests, or a message longer than is accepted */
    ETCD_FAILED_PRECONDITION,
    ETCD_ABORTED,
    ETCD_OUT_OF_RANGE, /* compacted, or a revision to come */
    ETCD_UNIMPLEMENTED,
    ETCD_INTERNAL,
    ETCD_UNAVAILABLE, /* no leader, or the member goes away */
    ETCD_DATA_LOSS,
    ETCD_UNAUTHENTICATED, /* the token is not valid any more */
};

struct etcd_connection_options {
    struct tls_trust *trust; /* NULL: plain. Made with the protocol "h2"; held as long as the
                              * connection lives */
    const char *host;        /* of the endpoint: a name, which the certificate must have, or an
                              * address, without brackets. Borrowed as well */
    uint16_t port;
    bool wants_leader;   /* a member that has lost its leader ends calls, instead of silence */
    size_t message_most; /* octets of one message; 0: ETCD_MESSAGE_MOST */
};

/**
 * What happens, within etcd_connection_receive alone. Each of these may make and cancel calls, and
 * none may free the connection. Octets and texts are borrowed for the call.
 */
struct etcd_listener {
    void (*on_ready)(void *context); /* the member is authenticated and speaks HTTP/2 */
    void (*on_message)(void *context, uint32_t call, const uint8_t *octets, size_t length);
    /** `text` is the member's, or ours where it sent none; escaped, and never NULL. */
    void (*on_end)(void *context, uint32_t call, enum etcd_status status, const char *text);
    void (*on_pong)(void *context);
    void *context;
};

struct etcd_connection;

/** Our first octets can be taken. The listener is copied. Returns NULL with *err. */
struct etcd_connection *etcd_connection_new(const struct etcd_connection_options *options,
                                            const struct etcd_listener *listener, struct err *err);

/** Ends without a word to the member and without calling anything. NULL is allowed. */
void etcd_connection_free(struct etcd_connection *connection);

/**
 * Takes what came from the socket. Returns false with a sentence without place in *err ("it speaks
 * HTTP/1 and not HTTP/2; ...") once the connection is broken or has been ended by the member: send
 * what is still in the output, and free it. Calls that have not ended by then are lost with it;
 * on_end is not called for them.
 */
bool etcd_connection_receive(struct etcd_connection *connection, const uint8_t *octets,
                             size_t length, struct err *err);

/**
 * For who reads the end of the stream on the socket: why that may be, as a sentence without place.
 * `is_reset` tells an error of the socket from an orderly end.
 */
void etcd_connection_ended(const struct etcd_connection *connection, bool is_reset,
                           struct err *err);

/**
 * What waits to be sent, at most some 100 KB at once; call it again when it was sent. Empty when
 * nothing waits. Valid until the next function of the connection. Without memory it is empty, and
 * the next etcd_connection_receive is false.
 */
struct octets etcd_connection_output(struct etcd_connection *connection);

/** The first `length` octets of it have been sent. */
void etcd_connection_sent(struct etcd_connection *connection, size_t length);

/** True from on_ready on, until it breaks. */
bool etcd_connection_is_ready(const struct etcd_connection *connection);

/** True once the member has announced that it goes away: make no further calls here. */
bool etcd_connection_is_leaving(const struct etcd_connection *connection);

/**
 * Makes a call with one message, which is copied.
 *
 * keeps_open  more messages may follow (ETCD_WATCH, ETCD_LEASE_KEEP_ALIVE)
 *
 * Returns the call's number, different from all others of the connection; 0 without memory, and
 * when the member goes away or the connection is broken.
 */
uint32_t etcd_connection_call(struct etcd_connection *connection, enum etcd_method method,
                              const void *message, size_t length, bool keeps_open);

/** One more message of a call that is kept open. Returns false without memory or such a call. */
bool etcd_connection_send(struct etcd_connection *connection, uint32_t call, const void *message,
                          size_t length);

/** Ends a call: nothing comes from it any more, not even its end. No such call is fine. */
void etcd_connection_cancel(struct etcd_connection *connection, uint32_t call);

/** Sends a PING; its reply calls on_pong. Members end connections with more than one in 5 s. */
void etcd_connection_ping(struct etcd_connection *connection);

/** The token of ETCD_AUTHENTICATE that further calls carry; NULL: none. Returns false without
 * memory. */
bool etcd_connection_set_token(struct etcd_connection *connection, const char *token);

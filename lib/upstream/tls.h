#pragma once
/**
 * The client's side of TLS, for one server: octets of the network in and out, questions and
 * responses out and in. No sockets here; the one file that knows OpenSSL.
 *
 *     network ──tls_put──► ┌─────┐ ──tls_read──► responses
 *     network ◄─tls_take── └─────┘ ◄─tls_write── questions
 *
 * A server is who it should be when its certificate, signed by somebody whom the system's trust
 * store names (SSL_CERT_FILE and SSL_CERT_DIR name others), has the name that was written behind
 * `#`, or else its address. TLS 1.2 and 1.3; sessions are resumed; no early data.
 *
 * Sources: RFC 7858 (DNS over TLS), RFC 8310 section 8 (who the server is), RFC 9525 (names in
 * certificates), RFC 8446.
 * Threads: one worker's.  Memory: OpenSSL's own, allocated as it goes; a connection's is bounded by
 * what is put in.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/upstream.h"

/** Whom we trust: one for all servers of a worker. */
struct tls_trust;

/** Returns NULL with *err. */
struct tls_trust *tls_trust_new(struct err *err);

/** Frees it once every struct tls made with it is freed. NULL is allowed. */
void tls_trust_free(struct tls_trust *trust);

/** One server, over all its connections, one at a time. */
struct tls;

/** `server` is borrowed. Returns NULL without memory. */
struct tls *tls_new(struct tls_trust *trust, const struct upstream *server);

/** NULL is allowed. */
void tls_free(struct tls *tls);

/** Begins a connection: our first flight waits to be taken. Returns false without memory. */
bool tls_begin(struct tls *tls);

/** Ends a connection. When it was open to its end, the next one resumes its session. */
void tls_end(struct tls *tls);

/** True once the handshake is done and the server is who it should be, until something fails. */
bool tls_is_open(const struct tls *tls);

/** Puts in what came from the network. Returns false without memory. */
bool tls_put(struct tls *tls, const uint8_t *octets, size_t length);

enum tls_status {
    TLS_READ,    /* something was read */
    TLS_WAITING, /* for more from the network */
    TLS_ENDED,   /* the server has said goodbye */
    TLS_FAILED,  /* tls_failure says why */
};

/** Carries the handshake on, and reads up to `most` octets of what the server says. */
enum tls_status tls_read(struct tls *tls, uint8_t *room, size_t most, size_t *length);

/** Encrypts `length` octets, at least 1, once open. Returns false when the connection is over. */
bool tls_write(struct tls *tls, const uint8_t *octets, size_t length);

/** Says goodbye, so that the server need not guess. */
void tls_write_goodbye(struct tls *tls);

/** Takes up to `most` octets that are for the network; 0 when there are no more. */
size_t tls_take(struct tls *tls, uint8_t *room, size_t most);

/** Why the handshake failed, in words that stay good. */
struct tls_failure {
    const char *text;   /* "certificate has expired" */
    const char *remedy; /* what the operator can do */
};
struct tls_failure tls_failure(const struct tls *tls);

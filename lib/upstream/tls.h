#pragma once
/**
 * The client side of TLS, for one server: octets of the network in and out, responses and questions
 * out and in. No sockets here; the one file that uses OpenSSL.
 *
 *     network ──tls_put──► ┌─────┐ ──tls_read──► responses
 *     network ◄─tls_take── └─────┘ ◄─tls_write── questions
 *
 * A server is authenticated when its certificate, signed by an issuer in the system's trust store
 * (or in SSL_CERT_FILE and SSL_CERT_DIR), has the name given after `#`, or else its address. TLS
 * 1.2 and 1.3; sessions are resumed; no early data.
 *
 * Sources: RFC 7858 (DNS over TLS), RFC 8310 section 8 (authentication), RFC 9525 (names in
 * certificates), RFC 8446.
 * Threads: one worker's.  Memory: OpenSSL's own, allocated as needed; a connection's is bounded by
 * the octets put in.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/upstream.h"

/** Called with a folder or a file of trusted certificates, which need not be there. */
typedef void tls_on_trusted(void *context, const char *path);

/**
 * For a process that will be able to open few files: reads now what OpenSSL reads at its first use,
 * and calls with what it reads later, when a trust store is made and at each handshake.
 */
void tls_prepare(tls_on_trusted *on_trusted, void *context);

/** The trust store: one for all servers of a worker. */
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

/** Begins a connection: our first flight can be taken. Returns false without memory. */
bool tls_begin(struct tls *tls);

/** Ends a connection. If it was open until then, the next one resumes its session. */
void tls_end(struct tls *tls);

/** True once the handshake is done and the server is authenticated, until something fails. */
bool tls_is_open(const struct tls *tls);

/** Puts in what came from the network. Returns false without memory. */
bool tls_put(struct tls *tls, const uint8_t *octets, size_t length);

enum tls_status {
    TLS_READ,    /* octets were read */
    TLS_WAITING, /* for more from the network */
    TLS_ENDED,   /* the server has sent close_notify */
    TLS_FAILED,  /* see tls_failure */
};

/** Continues the handshake, and reads up to `most` octets of the server's data. */
enum tls_status tls_read(struct tls *tls, uint8_t *room, size_t most, size_t *length);

/** Encrypts `length` octets, at least 1, once open. Returns false when the connection is over. */
bool tls_write(struct tls *tls, const uint8_t *octets, size_t length);

/** Writes close_notify. */
void tls_write_close_notify(struct tls *tls);

/** Takes up to `most` octets for the network; 0 when there are no more. */
size_t tls_take(struct tls *tls, uint8_t *room, size_t most);

/** Why the handshake failed; the texts are static. */
struct tls_failure {
    const char *text;   /* "certificate has expired" */
    const char *remedy; /* what the operator can do */
};
struct tls_failure tls_failure(const struct tls *tls);

#pragma once
/**
 * The client side of TLS, for one server: octets of the network in and out, what the server says
 * and what it is told out and in. No sockets here; the one module that uses OpenSSL.
 *
 *     network ──tls_put──► ┌─────┐ ──tls_read──► from the server
 *     network ◄─tls_take── └─────┘ ◄─tls_write── to the server
 *
 * A server is authenticated when its certificate, signed by an issuer that is trusted, has the name
 * that is expected of it, or else its address. We are authenticated by a certificate of our own, if
 * there is one. TLS 1.2 and 1.3; sessions are resumed; no early data.
 *
 * Sources: RFC 8446, RFC 9525 (names in certificates), RFC 7301 (ALPN).
 * Threads: one thread's.  Memory: OpenSSL's own, allocated as needed; a connection's is bounded by
 * the octets put in.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/err.h"

/** Called with a folder or a file of trusted certificates, which need not be there. */
typedef void tls_on_trusted(void *context, const char *path);

/**
 * For a process that will be able to open few files: reads now what OpenSSL reads at its first use,
 * and calls with what it reads later, when a trust store is made and at each handshake.
 */
void tls_prepare(tls_on_trusted *on_trusted, void *context);

/** What all connections to servers of one kind have in common. Texts are borrowed for the call. */
struct tls_trust_options {
    const char *purpose;  /* for sentences: "the upstreams" */
    const char *protocol; /* of ALPN: "dot", "h2" */
    const char *ca;       /* PEM file of trusted issuers, and only these; NULL: the system's trust
                           * store, or SSL_CERT_FILE and SSL_CERT_DIR */
    const char *certificate; /* PEM file of our certificate and its intermediates; NULL: none */
    const char *key;         /* PEM file of its key, without a pass phrase; NULL: none */
};

/**
 * The issuers trusted and our certificate. The three files are read when it is made: make it anew
 * to take files that were renewed.
 */
struct tls_trust;

/** Returns NULL with a sentence in *err that names the file and what to do. */
struct tls_trust *tls_trust_new(const struct tls_trust_options *options, struct err *err);

/** Gives it up: it is freed with the last struct tls made with it. NULL is allowed. */
void tls_trust_free(struct tls_trust *trust);

/** What tls_trust_end_s returns without a certificate of ours. */
#define TLS_NO_END INT64_MAX

/**
 * When our certificate ends, or the first one of its file to do so: its last second, in seconds
 * since 1970.
 */
int64_t tls_trust_end_s(const struct tls_trust *trust);

/** One server, over all its connections, one at a time. */
struct tls;

/**
 * trust     held until tls_free
 * name      that the certificate must have; NULL: it must have the address. Borrowed as well
 * endpoint  its address
 *
 * Returns NULL without memory.
 */
struct tls *tls_new(struct tls_trust *trust, const char *name, const struct endpoint *endpoint);

/** NULL is allowed. */
void tls_free(struct tls *tls);

/** Begins a connection: our first flight can be taken. Returns false without memory. */
bool tls_begin(struct tls *tls);

/** Ends a connection. If it was open until then, the next one resumes its session. */
void tls_end(struct tls *tls);

/** True once the handshake is done and the server is authenticated, until something fails. */
bool tls_is_open(const struct tls *tls);

/** Once open: true if the server has agreed on the protocol. */
bool tls_has_protocol(const struct tls *tls);

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

/** What went wrong, for who knows the remedy. */
enum tls_failure_kind {
    TLS_NAME_MISMATCH,
    TLS_ADDRESS_MISMATCH,
    TLS_OUT_OF_DATE,       /* it has expired, or is not yet valid */
    TLS_UNKNOWN_ISSUER,    /* or another fault of its certificate */
    TLS_NOT_TLS,           /* its reply is something else */
    TLS_WANTS_CERTIFICATE, /* it has refused ours, or that we have none */
    TLS_OTHER_FAILURE,     /* it ended the connection, or speaks no version of ours */
};

/** Why a connection failed. */
struct tls_failure {
    enum tls_failure_kind kind;
    const char *text; /* "certificate has expired"; static */
};
struct tls_failure tls_failure(const struct tls *tls);

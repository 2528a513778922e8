#pragma once
/**
 * The server's side of TLS, for tests: octets in, octets out, no sockets.
 *
 * Threads: one.  Memory: OpenSSL's; a failure to begin ends the program.
 */
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/identity.h"

/** A server over all its connections; `version` is TLS1_2_VERSION or TLS1_3_VERSION. */
SSL_CTX *tls_server_context(const struct identity *identity, int version);

/** One connection. */
struct tls_server {
    SSL *ssl;
    BIO *in;
    BIO *out;
};

void tls_server_begin(struct tls_server *server, SSL_CTX *context);
void tls_server_end(struct tls_server *server);

/** Takes octets from the client and continues the handshake. */
void tls_server_put(struct tls_server *server, const void *octets, size_t length);

/** Returns octets for the client; 0: no more. */
size_t tls_server_take(struct tls_server *server, void *room, size_t most);

/** Reads deciphered octets from the client; 0: no more. */
size_t tls_server_read(struct tls_server *server, void *room, size_t most);

void tls_server_write(struct tls_server *server, const void *octets, size_t length);

/** The ALPN protocol agreed on ("dot", "h2"); "" when the client offered none that we know. */
const char *tls_server_protocol(const struct tls_server *server);

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

/** Puts in what the client sent, and carries the handshake on. */
void tls_server_put(struct tls_server *server, const void *octets, size_t length);

/** Takes what is for the client; 0: nothing more. */
size_t tls_server_take(struct tls_server *server, void *room, size_t most);

/** What the client said; 0: nothing more. */
size_t tls_server_read(struct tls_server *server, void *room, size_t most);

void tls_server_write(struct tls_server *server, const void *octets, size_t length);

/** The protocol that the client offered and got ("dot"); "" when it offered none of ours. */
const char *tls_server_protocol(const struct tls_server *server);

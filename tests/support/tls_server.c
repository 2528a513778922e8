#include "support/tls_server.h"

#include <stdlib.h>
#include <string.h>

static void must(bool went_well)
{
    if (!went_well)
        abort();
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *offered, unsigned length, void *context)
{
    static const unsigned char ours[] = "\3dot\2h2";

    (void)ssl, (void)context;
    return SSL_select_next_proto((unsigned char **)out, out_length, ours, sizeof ours - 1, offered,
                                 length) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

SSL_CTX *tls_server_context(const struct identity *identity, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    must(context != NULL);
    must(SSL_CTX_set_min_proto_version(context, version) == 1);
    must(SSL_CTX_set_max_proto_version(context, version) == 1);
    must(SSL_CTX_use_certificate(context, identity->certificate) == 1);
    must(SSL_CTX_use_PrivateKey(context, identity->key) == 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    must(SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4) == 1);
    return context;
}

void tls_server_begin(struct tls_server *server, SSL_CTX *context)
{
    server->ssl = SSL_new(context);
    server->in = BIO_new(BIO_s_mem());
    server->out = BIO_new(BIO_s_mem());
    must(server->ssl != NULL && server->in != NULL && server->out != NULL);
    SSL_set_bio(server->ssl, server->in, server->out);
    SSL_set_accept_state(server->ssl);
}

void tls_server_end(struct tls_server *server)
{
    SSL_free(server->ssl);
    server->ssl = NULL;
}

void tls_server_put(struct tls_server *server, const void *octets, size_t length)
{
    size_t written;

    if (length > 0)
        must(BIO_write_ex(server->in, octets, length, &written) == 1);
    if (SSL_is_init_finished(server->ssl) == 0)
        SSL_do_handshake(server->ssl);
}

size_t tls_server_take(struct tls_server *server, void *room, size_t most)
{
    size_t taken;

    return BIO_read_ex(server->out, room, most, &taken) == 1 ? taken : 0;
}

size_t tls_server_read(struct tls_server *server, void *room, size_t most)
{
    size_t taken;

    return SSL_read_ex(server->ssl, room, most, &taken) == 1 ? taken : 0;
}

void tls_server_write(struct tls_server *server, const void *octets, size_t length)
{
    size_t written;

    must(SSL_write_ex(server->ssl, octets, length, &written) == 1);
}

const char *tls_server_protocol(const struct tls_server *server)
{
    const unsigned char *protocol;
    unsigned length;

    SSL_get0_alpn_selected(server->ssl, &protocol, &length);
    if (length == 2 && memcmp(protocol, "h2", 2) == 0)
        return "h2";
    return length == 3 && memcmp(protocol, "dot", 3) == 0 ? "dot" : "";
}

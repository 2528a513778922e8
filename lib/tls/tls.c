#include "tls/tls.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROTOCOL_MOST = 15 };

struct tls_trust {
    SSL_CTX *context;
    size_t users;                              /* its owner, and the struct tls made with it */
    unsigned char protocol[PROTOCOL_MOST + 1]; /* of ALPN: its length, and it */
};

struct tls {
    struct tls_trust *trust;
    const char *name; /* that its certificate must have; NULL: the address */
    struct endpoint endpoint;
    SSL_SESSION *session; /* of the last connection that worked; NULL: none */
    SSL *ssl;             /* NULL: no connection */
    BIO *from_network;    /* both owned by ssl */
    BIO *to_network;
    unsigned long error; /* OpenSSL's, of a connection that failed */
};

/* ---- trust ---- */

/* Keeps a new session for a later connection to resume; returning 1 takes it over. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls *tls = SSL_get_app_data(ssl);

    SSL_SESSION_free(tls->session);
    tls->session = session;
    return 1;
}

static bool set_rules(SSL_CTX *context)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    /* Sessions are kept here, one for each server, and not in OpenSSL's own table. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}

/* OpenSSL's reason for a file it could not use: the first error is the cause, the others follow. */
static const char *take_reason(void)
{
    unsigned long error = ERR_peek_error();
    const char *reason =
        ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);

    ERR_clear_error();
    return reason != NULL ? reason : "out of memory";
}

static bool fail_file(struct err *err, const char *what, const char *path, const char *remedy)
{
    return err_set(err, ERR_SYSTEM, "%s %.200s cannot be used: %s; %s", what, path, take_reason(),
                   remedy);
}

static bool read_issuers(SSL_CTX *context, const struct tls_trust_options *options, struct err *err)
{
    if (options->ca == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1 ||
               err_set(err, ERR_SYSTEM,
                       "cannot prepare TLS for %s: %s; SSL_CERT_FILE names a file of trusted "
                       "certificates",
                       options->purpose, take_reason());
    return SSL_CTX_load_verify_locations(context, options->ca, NULL) == 1 ||
           fail_file(
               err, "the file of trusted issuers", options->ca,
               "name a PEM file with the certificate of the issuer, which this user may read");
}

/* A key with a pass phrase would be asked for on the terminal. */
static int give_no_pass_phrase(char *room, int size, int is_writing, void *context)
{
    (void)room, (void)size, (void)is_writing, (void)context;
    return -1;
}

static bool read_identity(SSL_CTX *context, const struct tls_trust_options *options,
                          struct err *err)
{
    const char *certificate = options->certificate, *key = options->key;

    if (certificate == NULL && key == NULL)
        return true;
    if (certificate == NULL || key == NULL)
        return err_set(err, ERR_RULE, "TLS for %s has a %s and no %s; name both or neither",
                       options->purpose, certificate == NULL ? "key" : "certificate",
                       certificate == NULL ? "certificate" : "key");
    SSL_CTX_set_default_passwd_cb(context, give_no_pass_phrase);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return fail_file(err, "the certificate", certificate,
                         "name a PEM file that this user may read");
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return fail_file(err, "the key", key,
                         "name the PEM file of the certificate's key, without a pass phrase, which "
                         "this user may read");
    return true; /* OpenSSL has compared both: a key of another certificate is an error */
}

static bool note_protocol(struct tls_trust *trust, const char *protocol)
{
    size_t length = strlen(protocol);

    assert(length > 0 && length <= PROTOCOL_MOST);
    trust->protocol[0] = (unsigned char)length;
    memcpy(trust->protocol + 1, protocol, length);
    /* 0 is success */
    return SSL_CTX_set_alpn_protos(trust->context, trust->protocol, (unsigned)length + 1) == 0;
}

static bool prepare_trust(struct tls_trust *trust, const struct tls_trust_options *options,
                          struct err *err)
{
    trust->context = SSL_CTX_new(TLS_client_method());
    if (trust->context == NULL || !set_rules(trust->context) ||
        !note_protocol(trust, options->protocol))
        return err_set(err, ERR_SYSTEM, "cannot prepare TLS for %s: %s", options->purpose,
                       take_reason());
    return read_issuers(trust->context, options, err) &&
           read_identity(trust->context, options, err);
}

struct tls_trust *tls_trust_new(const struct tls_trust_options *options, struct err *err)
{
    struct tls_trust *trust = calloc(1, sizeof *trust);

    if (trust == NULL) {
        err_set(err, ERR_MEMORY, "out of memory for TLS");
        return NULL;
    }
    ERR_clear_error();
    trust->users = 1;
    if (prepare_trust(trust, options, err))
        return trust;
    tls_trust_free(trust);
    return NULL;
}

void tls_trust_free(struct tls_trust *trust)
{
    if (trust == NULL || --trust->users > 0)
        return;
    SSL_CTX_free(trust->context);
    free(trust);
}

/* RFC 5280 section 4.1.2.5; a time that cannot be read ends nothing. */
static int64_t sooner_end(int64_t end_s, const X509 *certificate)
{
    struct tm utc;

    if (certificate == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &utc) != 1)
        return end_s;
    int64_t own_s = timegm(&utc);
    return own_s < end_s ? own_s : end_s;
}

int64_t tls_trust_end_s(const struct tls_trust *trust)
{
    int64_t end_s = sooner_end(TLS_NO_END, SSL_CTX_get0_certificate(trust->context));
    STACK_OF(X509) *chain = NULL;

    SSL_CTX_get0_chain_certs(trust->context, &chain);
    for (int i = 0; i < sk_X509_num(chain); i++) /* -1 without a chain */
        end_s = sooner_end(end_s, sk_X509_value(chain, i));
    return end_s;
}

/* SSL_CERT_DIR may list several. */
static void list_folders(const char *folders, tls_on_trusted *on_trusted, void *context)
{
    char folder[PATH_MAX];

    while (folders[0] != '\0') {
        size_t length = strcspn(folders, ":");
        snprintf(folder, sizeof folder, "%.*s", (int)length, folders);
        on_trusted(context, folder);
        folders += length + (folders[length] == ':');
    }
}

void tls_prepare(tls_on_trusted *on_trusted, void *context)
{
    const char *folder = getenv(X509_get_default_cert_dir_env());
    const char *file = getenv(X509_get_default_cert_file_env());

    OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
    list_folders(folder == NULL ? X509_get_default_cert_dir() : folder, on_trusted, context);
    on_trusted(context, file == NULL ? X509_get_default_cert_file() : file);
}

/* ---- connections ---- */

struct tls *tls_new(struct tls_trust *trust, const char *name, const struct endpoint *endpoint)
{
    struct tls *tls = calloc(1, sizeof *tls);

    if (tls == NULL)
        return NULL;
    tls->trust = trust;
    trust->users++;
    tls->name = name;
    tls->endpoint = *endpoint;
    return tls;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    tls_end(tls);
    SSL_SESSION_free(tls->session);
    tls_trust_free(tls->trust);
    free(tls);
}

static bool expect_address(SSL *ssl, const struct endpoint *endpoint)
{
    X509_VERIFY_PARAM *rules = SSL_get0_param(ssl);

    if (endpoint->any.sa_family == AF_INET6)
        return X509_VERIFY_PARAM_set1_ip(rules, endpoint->v6.sin6_addr.s6_addr, 16) == 1;
    return X509_VERIFY_PARAM_set1_ip(rules, (const unsigned char *)&endpoint->v4.sin_addr.s_addr,
                                     4) == 1;
}

/* The certificate must have this name as a DNS-ID: a `*` stands for one whole label, and the
 * subject's common name is not a name (RFC 9525 sections 2 and 6.3). */
static bool expect_name(SSL *ssl, const char *name)
{
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

static bool prepare(struct tls *tls)
{
    SSL *ssl = tls->ssl;

    SSL_set_connect_state(ssl);
    if (SSL_set_app_data(ssl, tls) != 1)
        return false;
    if (tls->session != NULL)
        SSL_set_session(ssl, tls->session); /* one that cannot be resumed costs a full handshake */
    return tls->name != NULL ? expect_name(ssl, tls->name) : expect_address(ssl, &tls->endpoint);
}

/* Gives both ends to the connection, which owns them, or frees them. */
static bool join_network(struct tls *tls)
{
    tls->from_network = BIO_new(BIO_s_mem());
    tls->to_network = BIO_new(BIO_s_mem());
    if (tls->from_network == NULL || tls->to_network == NULL) {
        BIO_free(tls->from_network);
        BIO_free(tls->to_network);
        return false;
    }
    SSL_set_bio(tls->ssl, tls->from_network, tls->to_network);
    return true;
}

/* Keeps OpenSSL's error; the connection is not open any more. */
static void note_failure(struct tls *tls)
{
    tls->error = ERR_peek_error();
    ERR_clear_error();
}

/* Writes our first flight; the rest of the handshake is tls_read's. */
static bool start_handshake(SSL *ssl)
{
    return SSL_get_error(ssl, SSL_do_handshake(ssl)) == SSL_ERROR_WANT_READ;
}

bool tls_begin(struct tls *tls)
{
    ERR_clear_error();
    tls->error = 0;
    tls->ssl = SSL_new(tls->trust->context);
    if (tls->ssl != NULL && join_network(tls) && prepare(tls) && start_handshake(tls->ssl))
        return true;
    note_failure(tls);
    tls_end(tls);
    return false;
}

void tls_end(struct tls *tls)
{
    if (tls->ssl == NULL)
        return;
    if (tls_is_open(tls)) {
        /* Without close_notify on both sides OpenSSL would not resume the session. */
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    } else {
        /* The session may be what the server failed on. */
        SSL_SESSION_free(tls->session);
        tls->session = NULL;
    }
    SSL_free(tls->ssl);
    tls->ssl = NULL;
}

bool tls_is_open(const struct tls *tls)
{
    return tls->ssl != NULL && SSL_is_init_finished(tls->ssl) == 1;
}

bool tls_has_protocol(const struct tls *tls)
{
    const unsigned char *ours = tls->trust->protocol, *agreed;
    unsigned length;

    SSL_get0_alpn_selected(tls->ssl, &agreed, &length);
    return length == ours[0] && memcmp(agreed, ours + 1, length) == 0;
}

bool tls_put(struct tls *tls, const uint8_t *octets, size_t length)
{
    size_t written;

    return BIO_write_ex(tls->from_network, octets, length, &written) == 1 && written == length;
}

enum tls_status tls_read(struct tls *tls, uint8_t *room, size_t most, size_t *length)
{
    ERR_clear_error();
    if (SSL_read_ex(tls->ssl, room, most, length) == 1)
        return TLS_READ;
    switch (SSL_get_error(tls->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: /* cannot happen: the memory BIO takes everything */
        return TLS_WAITING;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    default: /* OpenSSL: SSL_ERROR_ */
        note_failure(tls);
        return TLS_FAILED;
    }
}

bool tls_write(struct tls *tls, const uint8_t *octets, size_t length)
{
    size_t written;

    ERR_clear_error();
    if (SSL_write_ex(tls->ssl, octets, length, &written) == 1)
        return true;
    note_failure(tls);
    return false;
}

void tls_write_close_notify(struct tls *tls)
{
    ERR_clear_error();
    if (tls_is_open(tls))
        SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

size_t tls_take(struct tls *tls, uint8_t *room, size_t most)
{
    size_t taken;

    return BIO_read_ex(tls->to_network, room, most, &taken) == 1 ? taken : 0;
}

/* ---- texts ---- */

static enum tls_failure_kind certificate_failure(long verdict)
{
    switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return TLS_NAME_MISMATCH;
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return TLS_ADDRESS_MISMATCH;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLS_OUT_OF_DATE;
    default: /* OpenSSL: X509_V_ */
        return TLS_UNKNOWN_ISSUER;
    }
}

/* Of a connection whose certificate was in order. */
static enum tls_failure_kind other_failure(unsigned long error)
{
    switch (ERR_GET_REASON(error)) {
    case SSL_R_WRONG_VERSION_NUMBER:
        return TLS_NOT_TLS;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE: /* Go's for a certificate that it does not trust */
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR: /* its issuer has another key */
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return TLS_WANTS_CERTIFICATE;
    default: /* OpenSSL: SSL_R_ */
        return TLS_OTHER_FAILURE;
    }
}

struct tls_failure tls_failure(const struct tls *tls)
{
    long verdict = tls->ssl != NULL ? SSL_get_verify_result(tls->ssl) : X509_V_OK;
    const char *text = ERR_reason_error_string(tls->error);

    if (verdict != X509_V_OK)
        return (struct tls_failure){.kind = certificate_failure(verdict),
                                    .text = X509_verify_cert_error_string(verdict)};
    enum tls_failure_kind kind = other_failure(tls->error);
    if (kind == TLS_NOT_TLS)
        text = "its reply is not TLS";
    return (struct tls_failure){.kind = kind,
                                .text = text != NULL ? text : "it ended the connection"};
}

#pragma once
/**
 * Certificates for the servers of tests, made while they run: no key is stored in the repository.
 *
 *     struct authority authority;
 *     authority_init(&authority);          // SSL_CERT_FILE names it until authority_close
 *     struct identity identity = identity_make(&authority, &(struct identity_options){...});
 *
 * Threads: one.  Memory: OpenSSL's; a failure of OpenSSL ends the program.
 */
#include <openssl/ssl.h>
#include <stdbool.h>

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

/** A certificate authority, and the file of its own certificate. */
struct authority {
    struct identity identity;
    char path[64];
};

/** The contents of a certificate. */
struct identity_options {
    const char *names;       /* "DNS:dns.example,IP:127.0.0.1"; NULL: none */
    const char *common_name; /* NULL: "a server" */
    long begins_seconds;     /* from now; 0: an hour ago */
    long ends_seconds;       /* from now; 0: in an hour */
    bool is_self_signed;     /* and so not trusted */
};

/** Makes an authority and names it in SSL_CERT_FILE; SSL_CERT_DIR names an empty folder. */
void authority_init(struct authority *authority);

/** Removes the file, too. */
void authority_close(struct authority *authority);

struct identity identity_make(const struct authority *authority,
                              const struct identity_options *options);

void identity_free(struct identity *identity);

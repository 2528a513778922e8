#include "support/identity.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOUR_SECONDS = 3600 };

static void must(bool went_well)
{
    if (!went_well)
        abort();
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void set_name(X509 *certificate, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(certificate);

    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name,
                                    -1, -1, 0) == 1);
}

static struct identity begin(const char *common_name, long begins, long ends)
{
    struct identity identity = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
    X509 *certificate = identity.certificate;

    must(identity.key != NULL && certificate != NULL);
    must(X509_set_version(certificate, X509_VERSION_3) == 1);
    must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1);
    must(X509_gmtime_adj(X509_getm_notBefore(certificate), begins) != NULL);
    must(X509_gmtime_adj(X509_getm_notAfter(certificate), ends) != NULL);
    must(X509_set_pubkey(certificate, identity.key) == 1);
    set_name(certificate, common_name);
    return identity;
}

static void sign(const struct identity *identity, const struct identity *signer)
{
    X509 *certificate = identity->certificate;

    must(X509_set_issuer_name(certificate, X509_get_subject_name(signer->certificate)) == 1);
    must(X509_sign(certificate, signer->key, EVP_sha256()) > 0);
}

void authority_init(struct authority *authority)
{
    authority->identity = begin("an authority", -HOUR_SECONDS, HOUR_SECONDS);
    add_extension(authority->identity.certificate, NID_basic_constraints, "critical,CA:TRUE");
    sign(&authority->identity, &authority->identity);
    snprintf(authority->path, sizeof authority->path, "/tmp/spacedns-authority-XXXXXX");
    int descriptor = mkstemp(authority->path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    must(file != NULL && PEM_write_X509(file, authority->identity.certificate) == 1);
    must(fclose(file) == 0);
    must(setenv("SSL_CERT_FILE", authority->path, 1) == 0);
    must(setenv("SSL_CERT_DIR", "/nonexistent", 1) == 0);
}

void authority_close(struct authority *authority)
{
    unlink(authority->path);
    identity_free(&authority->identity);
}

struct identity identity_make(const struct authority *authority,
                              const struct identity_options *options)
{
    struct identity identity =
        begin(options->common_name != NULL ? options->common_name : "a server",
              options->begins_seconds != 0 ? options->begins_seconds : -HOUR_SECONDS,
              options->ends_seconds != 0 ? options->ends_seconds : HOUR_SECONDS);

    if (options->names != NULL)
        add_extension(identity.certificate, NID_subject_alt_name, options->names);
    sign(&identity, options->is_self_signed ? &identity : &authority->identity);
    return identity;
}

void identity_free(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
    *identity = (struct identity){.key = NULL};
}

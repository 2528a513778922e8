#include "tls/tls.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/identity.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/tls_server.h"

/* What is the same for every user of TLS is tested with DNS over TLS (unit/upstream/test_dot.c);
 * here are the files of a trust, and our own certificate. */

enum { FLIGHTS_MOST = 20, ROOM = 65536, PATH_MOST = SCRATCH_PATH_MOST + 32 };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static struct scratch folder;
static struct authority authority, stranger;
static struct identity server_identity, client_identity;
static char ca[PATH_MOST], certificate[PATH_MOST], key[PATH_MOST], other_key[PATH_MOST];
static struct err err;

static const char *in_folder(char path[PATH_MOST], const char *name)
{
    snprintf(path, PATH_MOST, "%s/%s", folder.path, name);
    return path;
}

static FILE *create(const char *path)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    return file;
}

static void write_key(const char *path, const struct identity *identity, const char *pass_phrase)
{
    FILE *file = create(path);

    ck_assert_int_eq(PEM_write_PrivateKey(file, identity->key,
                                          pass_phrase != NULL ? EVP_aes_128_cbc() : NULL, NULL, 0,
                                          NULL, (void *)pass_phrase),
                     1);
    fclose(file);
}

static void write_certificate(const char *path, const struct identity *identity)
{
    FILE *file = create(path);

    ck_assert_int_eq(PEM_write_X509(file, identity->certificate), 1);
    fclose(file);
}

static void set_up(void)
{
    scratch_init(&folder);
    authority_init(&stranger);
    authority_init(&authority);
    server_identity = identity_make(
        &authority, &(struct identity_options){.names = "DNS:etcd-1.example,IP:127.0.0.1"});
    client_identity =
        identity_make(&authority, &(struct identity_options){.common_name = "replica"});
    in_folder(ca, "ca.pem");
    write_certificate(ca, &authority.identity);
    write_certificate(in_folder(certificate, "client.pem"), &client_identity);
    write_key(in_folder(key, "client.key"), &client_identity, NULL);
    write_key(in_folder(other_key, "other.key"), &server_identity, NULL);
}

static void tear_down(void)
{
    identity_free(&server_identity);
    identity_free(&client_identity);
    authority_close(&authority);
    authority_close(&stranger);
    scratch_close(&folder);
}

FIXTURE(set_up, tear_down)

/* ---- files ---- */

static struct tls_trust *trust_of(const char *ca_file, const char *certificate_file,
                                  const char *key_file)
{
    return tls_trust_new(&(struct tls_trust_options){.purpose = "the registry",
                                                     .protocol = "h2",
                                                     .ca = ca_file,
                                                     .certificate = certificate_file,
                                                     .key = key_file},
                         &err);
}

static void expect_refusal(struct tls_trust *trust, const char *place, const char *cause)
{
    ck_assert_ptr_null(trust);
    ck_assert_msg(strstr(err.text, place) != NULL, "%s", err.text);
    ck_assert_msg(strstr(err.text, cause) != NULL, "%s", err.text);
}

TEST(files_that_cannot_be_used_are_named)
{
    char empty[PATH_MOST], locked[PATH_MOST];

    fclose(create(in_folder(empty, "empty.pem")));
    write_key(in_folder(locked, "locked.key"), &client_identity, "secret");
    expect_refusal(trust_of("/nonexistent", NULL, NULL), "issuers /nonexistent cannot be used",
                   "No such file or directory; name a PEM file");
    expect_refusal(trust_of(empty, NULL, NULL), "empty.pem cannot be used", "no certificate");
    expect_refusal(trust_of(ca, "/nonexistent", key), "the certificate /nonexistent cannot be used",
                   "No such file or directory; ");
    expect_refusal(trust_of(ca, empty, key), "the certificate ", "no start line; ");
    expect_refusal(trust_of(ca, certificate, "/nonexistent"), "the key /nonexistent cannot be used",
                   "No such file or directory; ");
    expect_refusal(trust_of(ca, certificate, other_key), "the key ", "mismatch; ");
    expect_refusal(trust_of(ca, certificate, locked), "the key ", "; name the PEM file");
    expect_refusal(trust_of(ca, certificate, NULL), "the registry", "a certificate and no key");
    expect_refusal(trust_of(ca, NULL, key), "the registry", "a key and no certificate");
}

TEST(a_trust_may_be_of_any_of_its_files)
{
    struct tls_trust *trusts[] = {trust_of(ca, certificate, key), trust_of(NULL, certificate, key),
                                  trust_of(ca, NULL, NULL), trust_of(NULL, NULL, NULL)};

    for (size_t i = 0; i < sizeof trusts / sizeof *trusts; i++) {
        ck_assert_msg(trusts[i] != NULL, "%s", err.text);
        tls_trust_free(trusts[i]);
    }
}

/* ---- the end of our certificate ---- */

enum { END_S = 1800000000 }; /* 2027-01-15 */

/* A file with the client's certificate and another one, which end then. */
static void write_chain(int64_t own_s, int64_t other_s)
{
    FILE *file = create(certificate);

    ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notAfter(client_identity.certificate), own_s));
    ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notAfter(server_identity.certificate), other_s));
    ck_assert_int_eq(PEM_write_X509(file, client_identity.certificate), 1);
    ck_assert_int_eq(PEM_write_X509(file, server_identity.certificate), 1);
    fclose(file);
}

static int64_t end_of(struct tls_trust *trust)
{
    ck_assert_msg(trust != NULL, "%s", err.text);
    int64_t end_s = tls_trust_end_s(trust);
    tls_trust_free(trust);
    return end_s;
}

TEST(our_certificate_ends_with_the_first_of_its_file)
{
    write_chain(END_S, END_S + 1);
    ck_assert_int_eq(end_of(trust_of(ca, certificate, key)), END_S);
    write_chain(END_S, END_S - 1);
    ck_assert_int_eq(end_of(trust_of(ca, certificate, key)), END_S - 1);
    write_chain(-1, END_S);
    ck_assert_int_eq(end_of(trust_of(ca, certificate, key)), -1);
}

TEST(without_a_certificate_of_ours_nothing_ends)
{
    ck_assert(end_of(trust_of(ca, NULL, NULL)) == TLS_NO_END);
    ck_assert(end_of(trust_of(NULL, NULL, NULL)) == TLS_NO_END);
}

/* ---- handshakes ---- */

struct scene {
    SSL_CTX *context;
    struct tls_server server;
    struct tls_trust *trust;
    struct tls *client;
    enum tls_status status;
};

static void to_client(struct scene *scene, const uint8_t *octets, size_t length)
{
    uint8_t room[ROOM];
    size_t one;

    ck_assert(tls_put(scene->client, octets, length));
    do
        scene->status = tls_read(scene->client, room, sizeof room, &one);
    while (scene->status == TLS_READ);
}

static void shake_hands(struct scene *scene)
{
    uint8_t octets[ROOM];
    size_t length = 1, answer = 1;

    ck_assert(tls_begin(scene->client));
    tls_server_begin(&scene->server, scene->context);
    scene->status = TLS_WAITING;
    while (scene->status == TLS_WAITING && (length > 0 || answer > 0)) {
        length = tls_take(scene->client, octets, sizeof octets);
        if (length > 0)
            tls_server_put(&scene->server, octets, length);
        answer = tls_server_take(&scene->server, octets, sizeof octets);
        if (answer > 0)
            to_client(scene, octets, answer);
    }
}

/* A server that wants a certificate of ours, signed by the authority. */
static void begin(struct scene *scene, int version, struct tls_trust *trust, const char *name)
{
    struct endpoint endpoint;

    ck_assert_msg(trust != NULL, "%s", err.text);
    ck_assert(endpoint_read("127.0.0.1", 2379, &endpoint));
    *scene =
        (struct scene){.context = tls_server_context(&server_identity, version), .trust = trust};
    SSL_CTX_set_verify(scene->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    ck_assert_int_eq(SSL_CTX_load_verify_locations(scene->context, ca, NULL), 1);
    scene->client = tls_new(trust, name, &endpoint);
    ck_assert_ptr_nonnull(scene->client);
    shake_hands(scene);
}

static void end(struct scene *scene)
{
    tls_end(scene->client);
    tls_free(scene->client);
    tls_trust_free(scene->trust);
    tls_server_end(&scene->server);
    SSL_CTX_free(scene->context);
}

TEST_LOOP(our_certificate_is_shown, 0, 4)
{
    struct scene scene;
    char name[32] = "";

    begin(&scene, versions[_i % 2], trust_of(ca, certificate, key),
          _i < 2 ? "etcd-1.example" : NULL);
    ck_assert_msg(tls_is_open(scene.client), "%s", tls_failure(scene.client).text);
    ck_assert(tls_has_protocol(scene.client));
    ck_assert_str_eq(tls_server_protocol(&scene.server), "h2");
    X509 *shown = SSL_get1_peer_certificate(scene.server.ssl);
    ck_assert_ptr_nonnull(shown);
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, sizeof name);
    ck_assert_str_eq(name, "replica");
    X509_free(shown);
    end(&scene);
}

TEST_OVER(a_trust_that_is_given_up_serves_who_began_with_it, versions)
{
    struct scene scene;

    begin(&scene, versions[_i], trust_of(ca, certificate, key), NULL);
    tls_trust_free(scene.trust);
    scene.trust = NULL;
    tls_end(scene.client);
    tls_server_end(&scene.server);
    shake_hands(&scene);
    ck_assert_msg(tls_is_open(scene.client), "%s", tls_failure(scene.client).text);
    ck_assert(tls_has_protocol(scene.client));
    end(&scene);
}

TEST_OVER(a_server_that_wants_a_certificate_is_a_failure_of_its_own, versions)
{
    struct scene scene;

    begin(&scene, versions[_i], trust_of(ca, NULL, NULL), NULL);
    ck_assert_int_eq(scene.status, TLS_FAILED);
    /* OpenSSL's servers say no more in TLS 1.2; Go's do. */
    ck_assert_int_eq(tls_failure(scene.client).kind,
                     versions[_i] == TLS1_3_VERSION ? TLS_WANTS_CERTIFICATE : TLS_OTHER_FAILURE);
    end(&scene);
}

TEST_OVER(a_certificate_of_a_stranger_is_refused, versions)
{
    struct identity strange =
        identity_make(&stranger, &(struct identity_options){.common_name = "replica"});
    struct scene scene;

    write_certificate(certificate, &strange);
    write_key(key, &strange, NULL);
    begin(&scene, versions[_i], trust_of(ca, certificate, key), NULL);
    ck_assert_int_eq(scene.status, TLS_FAILED);
    ck_assert_int_eq(tls_failure(scene.client).kind, TLS_WANTS_CERTIFICATE);
    end(&scene);
    identity_free(&strange);
}

/* SSL_CERT_FILE names an authority that has signed it. */
TEST_OVER(with_a_file_of_issuers_no_others_are_trusted, versions)
{
    struct scene scene;

    write_certificate(ca, &stranger.identity);
    struct tls_trust *trust = trust_of(ca, certificate, key);
    write_certificate(ca, &authority.identity);
    begin(&scene, versions[_i], trust, NULL);
    ck_assert_int_eq(scene.status, TLS_FAILED);
    ck_assert_int_eq(tls_failure(scene.client).kind, TLS_UNKNOWN_ISSUER);
    end(&scene);
}

TEST_OVER(the_name_that_is_expected_counts, versions)
{
    struct scene scene;

    begin(&scene, versions[_i], trust_of(ca, certificate, key), "etcd-2.example");
    ck_assert_int_eq(tls_failure(scene.client).kind, TLS_NAME_MISMATCH);
    end(&scene);
}

TEST_OVER(a_server_without_the_protocol_is_noticed, versions)
{
    struct endpoint endpoint;
    struct scene scene = {.context = tls_server_context(&server_identity, versions[_i]),
                          .trust = trust_of(ca, NULL, NULL)};

    ck_assert(endpoint_read("127.0.0.1", 2379, &endpoint));
    SSL_CTX_set_alpn_select_cb(scene.context, NULL, NULL);
    scene.client = tls_new(scene.trust, NULL, &endpoint);
    shake_hands(&scene);
    ck_assert(tls_is_open(scene.client));
    ck_assert(!tls_has_protocol(scene.client));
    end(&scene);
}

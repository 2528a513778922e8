#include "upstream/dot.h"

#include <stdlib.h>
#include <string.h>

#include "support/identity.h"
#include "support/suite.h"
#include "support/tls_server.h"

enum { FLIGHTS_MOST = 20, ROOM = 65536 };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* A client of ours and a server in one memory. */
struct scene {
    struct authority authority;
    struct identity identity;
    SSL_CTX *context;
    struct upstream upstream;
    struct tls_trust *trust;
    struct tls *client;
    struct tls_server server;
    enum tls_status status;
    size_t piece;          /* octets passed to the client at once; 0: all */
    size_t to_client;      /* octets passed on this connection */
    size_t to_client_most; /* after which the network is cut; 0: never */
    bool is_cut;           /* something was withheld */
};

static void begin(struct scene *scene, const struct identity_options *options, int version,
                  const char *name, const char *address)
{
    struct err err;

    *scene = (struct scene){.upstream = {.is_tls = true, .tls_name = name}};
    ck_assert(endpoint_read(address, UPSTREAM_PORT_TLS, &scene->upstream.endpoint));
    authority_init(&scene->authority);
    scene->identity = identity_make(&scene->authority, options);
    scene->context = tls_server_context(&scene->identity, version);
    scene->trust = dot_trust_new(&err);
    ck_assert_ptr_nonnull(scene->trust);
    scene->client = dot_new(scene->trust, &scene->upstream);
    ck_assert_ptr_nonnull(scene->client);
}

static void keep_path(void *context, const char *path)
{
    char *paths = context;

    strcat(strcat(paths, path), " "); // NOLINT: the paths below
}

static void end(struct scene *scene)
{
    tls_free(scene->client);
    tls_trust_free(scene->trust);
    SSL_CTX_free(scene->context);
    identity_free(&scene->identity);
    authority_close(&scene->authority);
}

/* Passes octets to the client, in pieces. Returns the length of what it read. */
static size_t to_client(struct scene *scene, const uint8_t *octets, size_t length,
                        uint8_t *client_read)
{
    size_t piece = scene->piece > 0 ? scene->piece : length, total = 0, one;

    for (size_t at = 0; at < length && scene->status == TLS_WAITING; at += piece) {
        size_t next = piece < length - at ? piece : length - at;
        if (scene->to_client_most > 0 && next > scene->to_client_most - scene->to_client) {
            next = scene->to_client_most - scene->to_client;
            scene->is_cut = true;
        }
        ck_assert(tls_put(scene->client, octets + at, next));
        scene->to_client += next;
        while ((scene->status = tls_read(scene->client, client_read + total, ROOM - total, &one)) ==
               TLS_READ)
            total += one;
    }
    return total;
}

/* Exchanges octets until both sides wait. Returns the length of what the client has read. */
static size_t exchange(struct scene *scene, uint8_t *client_read)
{
    uint8_t octets[ROOM];
    size_t total = 0;

    for (unsigned flight = 0; flight < FLIGHTS_MOST; flight++) {
        size_t length = tls_take(scene->client, octets, sizeof octets);
        if (length > 0)
            tls_server_put(&scene->server, octets, length);
        size_t answer = tls_server_take(&scene->server, octets, sizeof octets);
        total += to_client(scene, octets, answer, client_read + total);
        if (length == 0 && answer == 0)
            return total;
    }
    ck_abort_msg("the handshake has no end");
}

static void shake_hands(struct scene *scene)
{
    uint8_t client_read[ROOM];

    scene->status = TLS_WAITING;
    scene->to_client = 0;
    ck_assert(tls_begin(scene->client));
    ck_assert(!tls_is_open(scene->client));
    tls_server_begin(&scene->server, scene->context);
    ck_assert_uint_eq(exchange(scene, client_read), 0);
}

static void part(struct scene *scene)
{
    tls_end(scene->client);
    tls_server_end(&scene->server);
    ck_assert(!tls_is_open(scene->client));
}

/* ---- authentication ---- */

static const struct {
    const char *what;
    struct identity_options options;
    const char *name;    /* behind # */
    const char *address; /* asked */
    const char *failure; /* NULL: success */
    const char *remedy;  /* some words of it */
} cases[] = {
    {"its name", {.names = "DNS:dns.example"}, "dns.example", "127.0.0.1", NULL, NULL},
    {"one of its names", {.names = "DNS:a.example,DNS:B.example"}, "b.example", "::1", NULL, NULL},
    {"a whole label", {.names = "DNS:*.dns.example"}, "a.dns.example", "::1", NULL, NULL},
    {"its address", {.names = "IP:127.0.0.1"}, NULL, "127.0.0.1", NULL, NULL},
    {"its IPv6 address", {.names = "IP:fd00::2"}, NULL, "fd00::2", NULL, NULL},
    {"another name",
     {.names = "DNS:dns.example"},
     "ns.example",
     "127.0.0.1",
     "hostname mismatch",
     "the name after #"},
    {"no names",
     {.names = NULL},
     "dns.example",
     "127.0.0.1",
     "hostname mismatch",
     "the name after #"},
    {"a common name alone",
     {.common_name = "dns.example"},
     "dns.example",
     "127.0.0.1",
     "hostname mismatch",
     "the name after #"},
    {"a part of a label",
     {.names = "DNS:a*.dns.example"},
     "ab.dns.example",
     "127.0.0.1",
     "hostname mismatch",
     "the name after #"},
    {"two labels",
     {.names = "DNS:*.dns.example"},
     "a.b.dns.example",
     "127.0.0.1",
     "hostname mismatch",
     "the name after #"},
    {"the address, when a name is asked for",
     {.names = "IP:127.0.0.1"},
     "dns.example",
     "127.0.0.1",
     "hostname mismatch",
     "the name after #"},
    {"another address",
     {.names = "IP:127.0.0.2"},
     NULL,
     "127.0.0.1",
     "IP address mismatch",
     "write the name"},
    {"a name, when the address is asked for",
     {.names = "DNS:dns.example"},
     NULL,
     "127.0.0.1",
     "IP address mismatch",
     "write the name"},
    {"it has expired",
     {.names = "DNS:dns.example", .begins_seconds = -7200, .ends_seconds = -60},
     "dns.example",
     "127.0.0.1",
     "certificate has expired",
     "renewed"},
    {"it begins later",
     {.names = "DNS:dns.example", .begins_seconds = 600},
     "dns.example",
     "127.0.0.1",
     "certificate is not yet valid",
     "clock"},
    {"signed by nobody",
     {.names = "DNS:dns.example", .is_self_signed = true},
     "dns.example",
     "127.0.0.1",
     "self-signed certificate",
     "SSL_CERT_FILE"},
};

TEST_OVER(a_server_must_have_the_name_or_the_address, cases)
{
    struct scene scene;

    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        begin(&scene, &cases[_i].options, versions[i], cases[_i].name, cases[_i].address);
        shake_hands(&scene);
        struct dot_failure failure = dot_failure(scene.client);
        if (cases[_i].failure == NULL) {
            ck_assert_msg(tls_is_open(scene.client), "%s: %s", cases[_i].what, failure.text);
            ck_assert_int_eq(scene.status, TLS_WAITING);
        } else {
            ck_assert_msg(!tls_is_open(scene.client), "%s: accepted", cases[_i].what);
            ck_assert_int_eq(scene.status, TLS_FAILED);
            ck_assert_str_eq(failure.text, cases[_i].failure);
            ck_assert_ptr_nonnull(strstr(failure.remedy, cases[_i].remedy));
        }
        part(&scene);
        end(&scene);
    }
}

static const struct identity_options good = {.names = "DNS:dns.example"};

TEST_OVER(the_name_and_the_protocol_are_sent_to_the_server, versions)
{
    struct scene scene;

    begin(&scene, &good, versions[_i], "dns.example", "127.0.0.1");
    shake_hands(&scene);
    ck_assert_str_eq(SSL_get_servername(scene.server.ssl, TLSEXT_NAMETYPE_host_name),
                     "dns.example");
    ck_assert_str_eq(tls_server_protocol(&scene.server), "dot");
    part(&scene);
    end(&scene);
}

TEST_OVER(a_server_by_its_address_is_sent_no_name, versions)
{
    struct scene scene;

    begin(&scene, &(struct identity_options){.names = "IP:127.0.0.1"}, versions[_i], NULL,
          "127.0.0.1");
    shake_hands(&scene);
    ck_assert_ptr_null(SSL_get_servername(scene.server.ssl, TLSEXT_NAMETYPE_host_name));
    part(&scene);
    end(&scene);
}

/* ---- data ---- */

static const size_t pieces[] = {0, 1, 5, 1000};

TEST_LOOP(data_arrives_however_it_is_segmented, 0, 2 * (int)(sizeof pieces / sizeof *pieces))
{
    struct scene scene;
    uint8_t question[300], server_read[ROOM], answer[40000], client_read[ROOM];

    for (size_t i = 0; i < sizeof question; i++)
        question[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof answer; i++)
        answer[i] = (uint8_t)(i * 7);
    begin(&scene, &good, versions[_i % 2], "dns.example", "127.0.0.1");
    scene.piece = pieces[_i / 2];
    shake_hands(&scene);
    ck_assert(tls_write(scene.client, question, sizeof question));
    ck_assert_uint_eq(exchange(&scene, client_read), 0);
    ck_assert_uint_eq(tls_server_read(&scene.server, server_read, sizeof server_read),
                      sizeof question);
    ck_assert_mem_eq(server_read, question, sizeof question);
    tls_server_write(&scene.server, answer, sizeof answer);
    ck_assert_uint_eq(exchange(&scene, client_read), sizeof answer);
    ck_assert_mem_eq(client_read, answer, sizeof answer);
    part(&scene);
    end(&scene);
}

TEST(what_is_taken_in_pieces_is_whole)
{
    struct scene scene;
    uint8_t octets[ROOM];
    size_t length = 0;

    begin(&scene, &good, TLS1_3_VERSION, "dns.example", "127.0.0.1");
    ck_assert(tls_begin(scene.client));
    while (tls_take(scene.client, octets + length, 1) == 1)
        length++;
    ck_assert_uint_gt(length, 100);
    ck_assert_uint_eq(octets[0], 22); /* a handshake record (RFC 8446 section 5.1) */
    ck_assert_uint_eq(length, 5U + (unsigned)(octets[3] << 8 | octets[4]));
    tls_end(scene.client);
    end(&scene);
}

TEST_LOOP(each_side_reads_the_others_close_notify, 0, 4)
{
    struct scene scene;
    uint8_t client_read[ROOM];

    begin(&scene, &good, versions[_i % 2], "dns.example", "127.0.0.1");
    shake_hands(&scene);
    if (_i < 2) {
        tls_write_close_notify(scene.client);
        exchange(&scene, client_read);
        ck_assert_uint_eq(tls_server_read(&scene.server, client_read, sizeof client_read), 0);
        ck_assert_int_eq(SSL_get_shutdown(scene.server.ssl), SSL_RECEIVED_SHUTDOWN);
    } else {
        SSL_shutdown(scene.server.ssl);
        exchange(&scene, client_read);
        ck_assert_int_eq(scene.status, TLS_ENDED);
    }
    part(&scene);
    end(&scene);
}

TEST(close_notify_before_the_handshake_is_done_writes_nothing)
{
    struct scene scene;
    uint8_t octets[ROOM];

    begin(&scene, &good, TLS1_3_VERSION, "dns.example", "127.0.0.1");
    ck_assert(tls_begin(scene.client));
    while (tls_take(scene.client, octets, sizeof octets) > 0)
        ;
    tls_write_close_notify(scene.client);
    ck_assert_uint_eq(tls_take(scene.client, octets, sizeof octets), 0);
    tls_end(scene.client);
    end(&scene);
}

/* ---- sessions ---- */

TEST_OVER(the_next_connection_resumes_the_session, versions)
{
    struct scene scene;

    begin(&scene, &good, versions[_i], "dns.example", "127.0.0.1");
    for (unsigned turn = 0; turn < 4; turn++) {
        shake_hands(&scene);
        ck_assert(tls_is_open(scene.client));
        ck_assert_int_eq(SSL_session_reused(scene.server.ssl), turn > 0);
        part(&scene);
    }
    end(&scene);
}

TEST_OVER(a_broken_connection_is_not_resumed, versions)
{
    static const uint8_t rubbish[64] = "\x17\x03\x03\x00\x3b rubbish";
    struct scene scene;
    uint8_t client_read[ROOM];

    begin(&scene, &good, versions[_i], "dns.example", "127.0.0.1");
    shake_hands(&scene);
    to_client(&scene, rubbish, sizeof rubbish, client_read);
    ck_assert_int_eq(scene.status, TLS_FAILED);
    ck_assert(!tls_is_open(scene.client));
    ck_assert(!tls_write(scene.client, rubbish, 1));
    part(&scene);
    shake_hands(&scene);
    ck_assert(tls_is_open(scene.client));
    ck_assert_int_eq(SSL_session_reused(scene.server.ssl), 0);
    part(&scene);
    end(&scene);
}

TEST_LOOP(a_session_that_a_server_failed_on_is_not_offered_again, 0, 4)
{
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 80}; /* internal_error */
    struct scene scene;
    uint8_t client_read[ROOM];

    begin(&scene, &good, versions[_i % 2], "dns.example", "127.0.0.1");
    shake_hands(&scene);
    part(&scene);
    ck_assert(tls_begin(scene.client));
    scene.status = TLS_WAITING;
    if (_i < 2) { /* it sends an alert; else it closes the connection */
        to_client(&scene, alert, sizeof alert, client_read);
        ck_assert_int_eq(scene.status, TLS_FAILED);
        ck_assert_str_eq(dot_failure(scene.client).text, "tlsv1 alert internal error");
    }
    tls_end(scene.client);
    shake_hands(&scene);
    ck_assert(tls_is_open(scene.client));
    ck_assert_int_eq(SSL_session_reused(scene.server.ssl), 0);
    part(&scene);
    end(&scene);
}

/* ---- octets that are not TLS, or incomplete ---- */

TEST_OVER(a_handshake_cut_anywhere_never_opens, versions)
{
    struct scene scene;

    begin(&scene, &good, versions[_i], "dns.example", "127.0.0.1");
    SSL_CTX_set_num_tickets(scene.context, 0);
    shake_hands(&scene);
    size_t whole = scene.to_client;
    part(&scene);
    tls_free(scene.client);
    for (size_t most = 1; most < whole; most++) {
        scene.client = dot_new(scene.trust, &scene.upstream); /* no session to resume */
        scene.to_client_most = most;
        scene.is_cut = false;
        shake_hands(&scene);
        /* Signatures differ in length, and so may the whole. */
        ck_assert(tls_is_open(scene.client) != scene.is_cut);
        ck_assert(most > whole / 2 || scene.is_cut);
        ck_assert_int_eq(scene.status, TLS_WAITING);
        ck_assert_str_eq(dot_failure(scene.client).text, "it ended the connection");
        part(&scene);
        tls_free(scene.client);
    }
    scene.client = NULL;
    end(&scene);
}

static const struct {
    const char *octets;
    size_t length;
    const char *failure;
} strangers[] = {
    {"\x00\x1d\x12\x34\x81\x80\x00\x01\x00\x00\x00\x00", 12, "its reply is not TLS"},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", 28, "its reply is not TLS"},
    {"220 mail ready\r\n", 16, "its reply is not TLS"},
    {"\x15\x03\x03\x00\x02\x02\x28", 7, "sslv3 alert handshake failure"},
    {"\x15\x03\x01\x00\x02\x02\x46", 7, "tlsv1 alert protocol version"},
};

TEST_OVER(a_reply_that_is_not_tls_is_reported, strangers)
{
    struct scene scene;
    uint8_t client_read[ROOM];

    begin(&scene, &good, TLS1_3_VERSION, "dns.example", "127.0.0.1");
    ck_assert(tls_begin(scene.client));
    scene.status = TLS_WAITING;
    to_client(&scene, (const uint8_t *)strangers[_i].octets, strangers[_i].length, client_read);
    ck_assert_int_eq(scene.status, TLS_FAILED);
    ck_assert_str_eq(dot_failure(scene.client).text, strangers[_i].failure);
    ck_assert_ptr_nonnull(strstr(dot_failure(scene.client).remedy, "port"));
    tls_end(scene.client);
    end(&scene);
}

TEST(a_server_of_old_tls_is_refused)
{
    struct scene scene;

    begin(&scene, &good, TLS1_2_VERSION, "dns.example", "127.0.0.1");
    SSL_CTX_set_cipher_list(scene.context, "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(scene.context, TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(scene.context, TLS1_1_VERSION);
    shake_hands(&scene);
    ck_assert(!tls_is_open(scene.client));
    ck_assert_int_eq(scene.status, TLS_FAILED);
    part(&scene);
    end(&scene);
}

TEST_OVER(a_server_may_select_no_protocol, versions)
{
    struct scene scene;

    begin(&scene, &good, versions[_i], "dns.example", "127.0.0.1");
    SSL_CTX_set_alpn_select_cb(scene.context, NULL, NULL);
    shake_hands(&scene);
    ck_assert(tls_is_open(scene.client));
    part(&scene);
    end(&scene);
}

TEST(a_missing_trust_file_leaves_no_trust)
{
    struct scene scene;
    struct err err;

    begin(&scene, &good, TLS1_3_VERSION, "dns.example", "127.0.0.1");
    tls_free(scene.client);
    tls_trust_free(scene.trust);
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    scene.trust = dot_trust_new(&err);
    ck_assert_ptr_nonnull(scene.trust);
    scene.client = dot_new(scene.trust, &scene.upstream);
    shake_hands(&scene);
    ck_assert_int_eq(scene.status, TLS_FAILED);
    ck_assert_str_eq(dot_failure(scene.client).text, "unable to get local issuer certificate");
    part(&scene);
    end(&scene);
}

TEST(what_is_read_later_is_listed)
{
    char paths[256] = "";

    setenv("SSL_CERT_DIR", "/one:/two", 1);
    setenv("SSL_CERT_FILE", "/three", 1);
    tls_prepare(keep_path, paths);
    ck_assert_str_eq(paths, "/one /two /three ");
}

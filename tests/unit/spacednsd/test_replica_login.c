/* How a replica logs in: its certificate and its password, as long as their files can be read. */
#include "spacednsd/replica_login.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "support/identity.h"
#include "support/scratch.h"
#include "support/suite.h"

enum { END_S = 1800000000, PATH_MOST = SCRATCH_PATH_MOST + 16 };

static const char *endpoints[] = {"http://10.9.0.1:2379"};
static const char *tls_endpoints[] = {"https://10.9.0.1:2379"};
static struct scratch scratch;
static struct replica_login login;
static struct settings settings;
static struct authority authority;
static struct identity identity;
static char path[PATH_MOST], certificate[PATH_MOST], key[PATH_MOST];
static struct report *report;
static struct err err;

static void set_up(void)
{
    scratch_init(&scratch);
    snprintf(path, sizeof path, "%s/password", scratch.path);
    snprintf(certificate, sizeof certificate, "%s/replica.pem", scratch.path);
    snprintf(key, sizeof key, "%s/replica.key", scratch.path);
    settings = (struct settings){.registry_password_file = path, .file = "/etc/s.yaml"};
    settings.registry_endpoints.items = endpoints;
    settings.registry_endpoints.count = 1;
    authority_init(&authority);
    identity = identity_make(&authority, &(struct identity_options){.common_name = "replica"});
    report = report_new();
    err = (struct err){.text = ""};
}

static void tear_down(void)
{
    replica_login_close(&login);
    report_free(report);
    identity_free(&identity);
    authority_close(&authority);
    scratch_close(&scratch);
}

FIXTURE(set_up, tear_down)

/* As a reload that ends. Returns how many files it has found at fault. */
static size_t renew(void)
{
    size_t before = report_total(report);

    replica_login_read_next(&login, &settings, &settings, report);
    ck_assert(replica_login_renew(&login));
    return report_total(report) - before;
}

static void expect_finding(const char *place, const char *cause)
{
    const struct finding *finding = &report_findings(report)[report_total(report) - 1];

    ck_assert_int_eq(finding->code, FINDING_REGISTRY_LOGIN);
    ck_assert_str_eq(finding->file, "/etc/s.yaml");
    ck_assert_msg(strstr(finding->sentence, place) != NULL, "%s", finding->sentence);
    ck_assert_msg(strstr(finding->sentence, cause) != NULL, "%s", finding->sentence);
    ck_assert_ptr_nonnull(
        strstr(finding->sentence, "; until a reload reads it, the former one stays in use"));
    ck_assert_ptr_nonnull(strstr(login.problem.text, "; until a reload reads it, the former one"));
}

/* ---- the password ---- */

static void write_password(const char *text)
{
    scratch_write(&scratch, "password", text, strlen(text));
}

TEST(the_password_is_the_first_line)
{
    write_password("one two \r\nmore\n");
    ck_assert(replica_login_open(&login, &settings, &err));
    ck_assert_str_eq(login.password, "one two ");
    ck_assert_ptr_null(login.trust);
}

TEST(without_a_file_there_is_none)
{
    settings.registry_password_file = NULL;
    ck_assert(replica_login_open(&login, &settings, &err));
    ck_assert_uint_eq(renew(), 0);
    ck_assert_ptr_null(login.password);
}

TEST(a_file_that_is_not_there_is_named)
{
    ck_assert(!replica_login_open(&login, &settings, &err));
    ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
    ck_assert_msg(strstr(err.text, " cannot be opened: No such file or directory; ") != NULL, "%s",
                  err.text);
}

TEST(a_changed_file_is_taken_by_a_reload)
{
    write_password("one\n");
    ck_assert(replica_login_open(&login, &settings, &err));
    write_password("two\n");
    ck_assert_uint_eq(renew(), 0);
    ck_assert_str_eq(login.password, "two");
}

TEST(what_was_read_is_in_use_once_the_reload_has_ended)
{
    write_password("one\n");
    ck_assert(replica_login_open(&login, &settings, &err));
    write_password("two\n");
    replica_login_read_next(&login, &settings, &settings, report);
    ck_assert_str_eq(login.password, "one");
    write_password("three\n");
    replica_login_read_next(&login, &settings, &settings, report);
    ck_assert(replica_login_renew(&login));
    ck_assert_str_eq(login.password, "three");
    ck_assert(!replica_login_renew(&login)); /* nothing was read meanwhile */
    ck_assert_str_eq(login.password, "three");
}

TEST(without_its_file_the_former_password_stays)
{
    write_password("one\n");
    ck_assert(replica_login_open(&login, &settings, &err));
    scratch_remove(&scratch, "password");
    ck_assert_uint_eq(renew(), 1);
    expect_finding(path, " cannot be opened: No such file or directory; ");
    ck_assert_ptr_nonnull(strstr(login.problem.text, path));
    ck_assert_str_eq(login.password, "one");
    write_password("two\n");
    ck_assert_uint_eq(renew(), 0);
    ck_assert_int_eq(login.problem.code, ERR_NONE);
    ck_assert_str_eq(login.password, "two");
}

/* ---- the certificate ---- */

static FILE *create(const char *name)
{
    FILE *file = fopen(name, "w");

    ck_assert_ptr_nonnull(file);
    return file;
}

static void write_certificate(int64_t end_s)
{
    FILE *file = create(certificate);

    ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notAfter(identity.certificate), end_s));
    ck_assert_int_eq(PEM_write_X509(file, identity.certificate), 1);
    fclose(file);
}

/* Both files, named by the settings, and in use. */
static void begin_tls(void)
{
    FILE *file = create(key);

    ck_assert_int_eq(PEM_write_PrivateKey(file, identity.key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    write_certificate(END_S);
    settings.registry_endpoints.items = tls_endpoints;
    settings.registry_certificate = certificate;
    settings.registry_key = key;
    settings.registry_password_file = NULL;
    ck_assert_msg(replica_login_open(&login, &settings, &err), "%s", err.text);
}

TEST(a_renewed_certificate_is_taken_by_each_reload)
{
    begin_tls();
    for (int64_t i = 1; i <= 20; i++) {
        write_certificate(END_S + i);
        ck_assert_uint_eq(renew(), 0);
        ck_assert_int_eq(tls_trust_end_s(login.trust), END_S + i);
    }
}

TEST(without_its_key_the_former_certificate_stays)
{
    begin_tls();
    write_certificate(END_S + 1);
    scratch_remove(&scratch, "replica.key");
    ck_assert_uint_eq(renew(), 1);
    expect_finding(key, "the key ");
    ck_assert_ptr_nonnull(strstr(login.problem.text, key));
    ck_assert_int_eq(tls_trust_end_s(login.trust), END_S);
}

TEST(each_file_at_fault_is_reported_and_the_others_are_taken)
{
    begin_tls();
    settings.registry_password_file = path;
    scratch_remove(&scratch, "replica.key");
    ck_assert_uint_eq(renew(), 2);
    expect_finding(path, "cannot be opened");
    write_password("one\n");
    ck_assert_uint_eq(renew(), 1);
    ck_assert_str_eq(login.password, "one");
    ck_assert_int_eq(tls_trust_end_s(login.trust), END_S);
    ck_assert_ptr_nonnull(strstr(login.problem.text, key));
}

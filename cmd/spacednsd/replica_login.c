#include "spacednsd/replica_login.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { PASSWORD_OCTETS = 4096 }; /* of the file */

/* ---- the files ---- */

static void read_trust(struct replica_login_files *files, const struct settings *settings)
{
    const struct tls_trust_options options = {.purpose = "the registry",
                                              .protocol = "h2",
                                              .ca = settings->registry_ca,
                                              .certificate = settings->registry_certificate,
                                              .key = settings->registry_key};

    if (strncmp(settings->registry_endpoints.items[0], "https://", strlen("https://")) == 0)
        files->trust = tls_trust_new(&options, &files->trust_problem);
}

/* The file's first line. */
static void read_password(struct replica_login_files *files, const struct settings *settings)
{
    const char *path = settings->registry_password_file;
    size_t length;
    struct err why;

    if (path == NULL)
        return;
    files->password = file_read_text(path, PASSWORD_OCTETS, &length, &why);
    if (files->password != NULL)
        files->password[strcspn(files->password, "\r\n")] = '\0';
    else
        err_set(&files->password_problem, ERR_SYSTEM,
                "the password's file %.200s %s; name in registry.password_file one that this user "
                "may read",
                path, why.text);
}

static void read_files(struct replica_login_files *files, const struct settings *settings)
{
    *files = (struct replica_login_files){.trust = NULL};
    read_trust(files, settings);
    read_password(files, settings);
}

static const struct err *problem_of(const struct replica_login_files *files)
{
    return files->trust_problem.code != ERR_NONE ? &files->trust_problem : &files->password_problem;
}

static void free_password(char *password)
{
    if (password != NULL)
        explicit_bzero(password, strlen(password));
    free(password);
}

static void free_files(struct replica_login_files *files)
{
    tls_trust_free(files->trust);
    free_password(files->password);
    *files = (struct replica_login_files){.trust = NULL};
}

bool replica_login_open(struct replica_login *login, const struct settings *settings,
                        struct err *err)
{
    struct replica_login_files files;

    read_files(&files, settings);
    *err = *problem_of(&files);
    *login = (struct replica_login){.trust = files.trust, .password = files.password};
    return err->code == ERR_NONE;
}

/* ---- renewing ---- */

/* Completes the sentence, which status has as long as that is so. */
static void report_problem(struct report *report, struct setting_origin origin, struct err *problem)
{
    const struct err why = *problem;

    if (why.code == ERR_NONE)
        return;
    err_set(problem, why.code, "%s; until a reload reads it, the former one stays in use",
            why.text);
    origin.key = NULL; /* the sentence names the file */
    setting_origin_report(report, FINDING_REGISTRY_LOGIN, &origin, "%s", problem->text);
}

void replica_login_read_next(struct replica_login *login, const struct settings *settings,
                             const struct settings *origins, struct report *report)
{
    const char *trust =
        settings->registry_certificate != NULL ? "registry.certificate" : "registry.ca";

    free_files(&login->next);
    read_files(&login->next, settings);
    login->has_next = true;
    report_problem(report, settings_origin(origins, trust), &login->next.trust_problem);
    report_problem(report, settings_origin(origins, "registry.password_file"),
                   &login->next.password_problem);
}

bool replica_login_renew(struct replica_login *login)
{
    struct replica_login_files *next = &login->next;

    if (!login->has_next)
        return false;
    login->problem = *problem_of(next);
    if (next->trust != NULL) {
        tls_trust_free(login->trust);
        login->trust = next->trust;
    }
    if (next->password != NULL) {
        free_password(login->password);
        login->password = next->password;
    }
    *next = (struct replica_login_files){.trust = NULL};
    login->has_next = false;
    return true;
}

void replica_login_close(struct replica_login *login)
{
    tls_trust_free(login->trust);
    free_password(login->password);
    free_files(&login->next);
    *login = (struct replica_login){.trust = NULL};
}

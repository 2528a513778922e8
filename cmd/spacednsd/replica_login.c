#include "spacednsd/replica_login.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { PASSWORD_OCTETS = 4096 }; /* of the file */

static bool make_trust(const struct settings *settings, struct tls_trust **trust, struct err *err)
{
    const struct tls_trust_options options = {.purpose = "the registry",
                                              .protocol = "h2",
                                              .ca = settings->registry_ca,
                                              .certificate = settings->registry_certificate,
                                              .key = settings->registry_key};

    *trust = NULL;
    if (strncmp(settings->registry_endpoints.items[0], "https://", strlen("https://")) != 0)
        return true;
    *trust = tls_trust_new(&options, err);
    return *trust != NULL;
}

/* The file's first line. */
static bool read_password(const struct settings *settings, char **password, struct err *err)
{
    size_t length;
    struct err why;

    if (settings->registry_password_file == NULL)
        return true;
    char *text = file_read_text(settings->registry_password_file, PASSWORD_OCTETS, &length, &why);
    if (text == NULL)
        return err_set(err, ERR_SYSTEM, "the file of registry.password_file %s", why.text);
    text[strcspn(text, "\r\n")] = '\0';
    *password = text;
    return true;
}

bool replica_login_open(struct replica_login *login, const struct settings *settings,
                        struct err *err)
{
    *login = (struct replica_login){.trust = NULL};
    return make_trust(settings, &login->trust, err) &&
           read_password(settings, &login->password, err);
}

/* ---- renewing ---- */

static void free_retired(struct replica_login *login, const uint64_t *opened)
{
    for (size_t i = 0; i < REPLICA_RETIRED_MOST; i++) {
        if (opened != NULL && login->retired[i].opened == *opened)
            continue;
        tls_trust_free(login->retired[i].trust);
        login->retired[i].trust = NULL;
    }
}

void replica_login_settle(struct replica_login *login, uint64_t opened)
{
    free_retired(login, &opened);
}

static void free_password(struct replica_login *login)
{
    if (login->password != NULL)
        explicit_bzero(login->password, strlen(login->password));
    free(login->password);
    login->password = NULL;
}

static bool renew_password(struct replica_login *login, const struct settings *settings,
                           struct err *err)
{
    char *password = NULL;

    if (!read_password(settings, &password, err))
        return false;
    free_password(login);
    login->password = password;
    return true;
}

bool replica_login_renew(struct replica_login *login, const struct settings *settings,
                         uint64_t opened, struct err *err)
{
    struct tls_trust *trust;
    size_t free = 0;

    replica_login_settle(login, opened);
    if (!renew_password(login, settings, err))
        return false;
    while (free < REPLICA_RETIRED_MOST && login->retired[free].trust != NULL)
        free++;
    if (login->trust == NULL || free == REPLICA_RETIRED_MOST)
        return true; /* so many during one connection: the next reload reads them */
    if (!make_trust(settings, &trust, err))
        return false;
    login->retired[free].trust = login->trust;
    login->retired[free].opened = opened;
    login->trust = trust;
    return true;
}

void replica_login_close(struct replica_login *login)
{
    tls_trust_free(login->trust);
    free_retired(login, NULL);
    free_password(login);
    *login = (struct replica_login){.trust = NULL};
}

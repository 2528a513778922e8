#include "spacednsd/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { RECORD_OCTETS = 16384 };

/* ---- which user ---- */

static bool refuse_unknown(const struct settings *settings, struct report *report)
{
    const struct setting_origin origin = settings_origin(settings, "user");

    setting_origin_report(report, FINDING_SETTING, &origin,
                          "this host has no user `%s`, which a server started as root becomes; "
                          "create it (useradd --system %s), name another (user: NAME or --user "
                          "NAME), or let the server stay root (user: root)",
                          settings->user, settings->user);
    return false;
}

/* The default user is for a start as root alone, so nobody has to take it out of the settings. */
static bool check_own(const struct privileges *privileges, const struct settings *settings,
                      struct report *report)
{
    const struct setting_origin origin = settings_origin(settings, "user");

    if (origin.at.line == 0 && origin.key != NULL)
        return true; /* not set */
    if (strcmp(settings->user, privileges->user) == 0)
        return true;
    setting_origin_report(report, FINDING_SETTING, &origin,
                          "the server was started as user %s, and only root can become another "
                          "user; start it as root or as %s, or take `user` out",
                          privileges->user, settings->user);
    return false;
}

bool privileges_find(struct privileges *privileges, const struct settings *settings,
                     struct report *report)
{
    char octets[RECORD_OCTETS];
    struct passwd record, *found = NULL;

    *privileges = (struct privileges){.uid = geteuid(),
                                      .gid = getegid(),
                                      .is_started_as_root = geteuid() == 0,
                                      .capabilities = "not dropped yet"};
    if (!privileges->is_started_as_root) {
        snprintf(privileges->user, sizeof privileges->user, "%s", permission_user());
        return check_own(privileges, settings, report);
    }
    snprintf(privileges->user, sizeof privileges->user, "%s", settings->user);
    if (strcmp(settings->user, "root") == 0)
        return true;
    if (getpwnam_r(settings->user, &record, octets, sizeof octets, &found) != 0 || found == NULL)
        return refuse_unknown(settings, report);
    privileges->uid = found->pw_uid;
    privileges->gid = found->pw_gid;
    return true;
}

/* ---- becoming it ---- */

static bool check_readable(const char *what, const char *path, struct err *err)
{
    char why[PERMISSION_TEXT_MOST];

    if (access(path, R_OK) == 0 || !permission_is_denied(errno))
        return true; /* what is missing has been reported */
    return err_set(err, ERR_SYSTEM, "%s %s: a reload could not read it: %s", what, path,
                   permission_error(errno, path, PERMISSION_READ, why));
}

bool privileges_begin(const struct privileges *privileges, const struct settings *settings,
                      struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(err, ERR_SYSTEM, "cannot renounce new privileges: %s", strerror(errno));
    const struct capabilities_user user = {.name = privileges->user,
                                           .uid = privileges->uid,
                                           .gid = privileges->gid,
                                           .takes_frames = settings->xdp.count > 0};
    if (privileges->is_started_as_root && privileges->uid != 0 && !capabilities_become(&user, err))
        return false;
    permission_user(); /* later the sandbox may be in the way */
    return (settings->file == NULL || check_readable("settings file", settings->file, err)) &&
           (!settings->has_host_upstreams ||
            check_readable("nameservers in", "/etc/resolv.conf", err));
}

/* Whoever got capabilities from the file of the program has been closed by the kernel. */
static bool has_ambient(void)
{
    for (unsigned long i = 0; i <= CAP_LAST_CAP; i++)
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
            return true;
    return false;
}

void privileges_close_memory(bool is_successor)
{
    if (geteuid() != 0 && (is_successor || has_ambient()))
        prctl(PR_SET_DUMPABLE, 0);
}

bool privileges_has_no_new(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

bool privileges_end(struct privileges *privileges, struct err *err)
{
    if (!capabilities_drop(err) && privileges->is_started_as_root)
        return false;
    capabilities_write(privileges->capabilities);
    return true;
}

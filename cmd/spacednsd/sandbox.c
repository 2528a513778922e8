#include "spacednsd/sandbox.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "source/folder.h"
#include "spacednsd/landlock.h"
#include "spacednsd/seccomp.h"
#include "tls/tls.h"

static const char resolv_conf[] = "/etc/resolv.conf";

/* The names of who uses the control socket. */
static const char *const databases[] = {"/etc/passwd", "/etc/group", "/etc/nsswitch.conf"};

/* ---- paths ---- */

/* Cuts the last component off; "." or "/" for a path of one. */
static void cut_last(char path[PATH_MAX])
{
    char *slash = strrchr(path, '/');

    if (slash == NULL)
        snprintf(path, PATH_MAX, ".");
    else
        slash[slash == path ? 1 : 0] = '\0';
}

static void allow_folder_of(const struct landlock *landlock, const char *path,
                            enum landlock_use use)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", path);
    cut_last(folder);
    landlock_allow(landlock, folder, use);
}

/* The folder of the file that a link leads to. */
static void allow_target(const struct landlock *landlock, const char *path)
{
    char target[PATH_MAX];
    struct stat status;

    if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode) && realpath(path, target) != NULL &&
        stat(target, &status) == 0 && S_ISREG(status.st_mode))
        allow_folder_of(landlock, target, LANDLOCK_READ);
}

/* ---- zones ---- */

static void allow_links(const struct landlock *landlock, const char *zones)
{
    DIR *folder = opendir(zones);
    char path[PATH_MAX];

    if (folder == NULL)
        return;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        int length = snprintf(path, sizeof path, "%s/%s", zones, entry->d_name);
        if (folder_is_zone_file(entry->d_name) && length > 0 && (size_t)length < sizeof path)
            allow_target(landlock, path);
    }
    closedir(folder);
}

/* The folder around, unless it is one of the root's: there lie things of others. */
static void allow_zones(const struct landlock *landlock, const char *zones)
{
    char path[PATH_MAX];

    landlock_allow(landlock, zones, LANDLOCK_READ);
    allow_links(landlock, zones);
    if (realpath(zones, path) == NULL)
        return;
    cut_last(path);
    if (strchr(path + 1, '/') != NULL)
        landlock_allow(landlock, path, LANDLOCK_READ);
}

/* ---- certificates ---- */

static void sandbox_on_trusted(void *context, const char *path)
{
    const struct landlock *landlock = context;

    landlock_allow(landlock, path, LANDLOCK_READ);
    allow_target(landlock, path);
}

static void allow_certificates(struct landlock *landlock)
{
    tls_prepare(sandbox_on_trusted, landlock);
    /* Debian's folder has links to these. */
    landlock_allow(landlock, "/usr/share/ca-certificates", LANDLOCK_READ);
    landlock_allow(landlock, "/usr/local/share/ca-certificates", LANDLOCK_READ);
}

/* The folders: files that are renewed are made anew beside them, and renamed. */
static void allow_registry(const struct landlock *landlock, const struct settings *settings)
{
    const char *const files[] = {settings->registry_ca, settings->registry_certificate,
                                 settings->registry_key, settings->registry_password_file};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] != NULL) {
            allow_folder_of(landlock, files[i], LANDLOCK_READ);
            allow_target(landlock, files[i]);
        }
}

/* ---- the two parts ---- */

static void allow_files(struct landlock *landlock, const struct settings *settings,
                        const char *socket)
{
    if (settings_has_registry(settings))
        allow_registry(landlock, settings);
    else
        allow_zones(landlock, settings->zones);
    if (settings->file != NULL) {
        allow_folder_of(landlock, settings->file, LANDLOCK_READ);
        allow_target(landlock, settings->file);
    }
    landlock_allow(landlock, resolv_conf, LANDLOCK_READ);
    allow_target(landlock, resolv_conf);
    allow_certificates(landlock);
    for (size_t i = 0; i < sizeof databases / sizeof *databases; i++)
        landlock_allow(landlock, databases[i], LANDLOCK_READ);
    if (settings->state_dir != NULL)
        landlock_allow(landlock, settings->state_dir, LANDLOCK_OWN);
    if (socket != NULL)
        allow_folder_of(landlock, socket, LANDLOCK_OWN);
    for (size_t i = 0; i < settings->http_listen.count; i++)
        if (settings->http_listen.items[i].path != NULL)
            allow_folder_of(landlock, settings->http_listen.items[i].path, LANDLOCK_OWN);
}

static bool confine_files(struct sandbox *sandbox, const struct settings *settings,
                          const char *socket)
{
    struct landlock landlock;
    struct err err;

    if (!landlock_begin(&landlock, &err)) {
        snprintf(sandbox->landlock, sizeof sandbox->landlock, "none: %.400s", err.text);
        return false;
    }
    allow_files(&landlock, settings, socket);
    bool is_enforced = landlock_enforce(&landlock, &err);
    if (is_enforced)
        snprintf(sandbox->landlock, sizeof sandbox->landlock, "ABI %u", landlock.abi);
    else
        snprintf(sandbox->landlock, sizeof sandbox->landlock, "none: %.400s", err.text);
    return is_enforced;
}

static bool confine_calls(struct sandbox *sandbox, enum seccomp_mode mode, bool may_listen)
{
    struct err err;
    bool is_entered = seccomp_enter(mode, may_listen, &err);

    if (is_entered)
        snprintf(sandbox->seccomp, sizeof sandbox->seccomp, mode == SECCOMP_KILLS ? "kill" : "log");
    else
        snprintf(sandbox->seccomp, sizeof sandbox->seccomp, "none: %.400s", err.text);
    return is_entered;
}

void sandbox_enter(struct sandbox *sandbox, const struct settings *settings, const char *socket,
                   bool is_waiting)
{
    *sandbox = (struct sandbox){.is_whole = true, .landlock = "off", .seccomp = "off"};
    switch ((enum sandbox_mode)settings->sandbox) {
    case SANDBOX_ON:
        sandbox->is_whole = confine_files(sandbox, settings, socket);
        sandbox->is_whole = confine_calls(sandbox, SECCOMP_KILLS, is_waiting) && sandbox->is_whole;
        break;
    case SANDBOX_LOG:
        sandbox->is_whole = confine_calls(sandbox, SECCOMP_LOGS, is_waiting);
        break;
    case SANDBOX_OFF:
        break;
    }
}

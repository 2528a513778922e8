/* What the launcher may start; apart, for it is tested apart. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spacednsd/launcher.h"

enum { OTHERS_WRITE = S_IWGRP | S_IWOTH };

static const char program[] = "spacednsd";

static bool has_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t length = sizeof program - 1;

    return strncmp(name, program, length) == 0 && (name[length] == '\0' || name[length] == '-');
}

static bool is_trusted(const struct stat *status, bool trusts_own_user)
{
    return status->st_uid == 0 || (trusts_own_user && status->st_uid == geteuid());
}

static bool refuse_owner(const char *path, bool trusts_own_user, struct err *err)
{
    return err_set(err, ERR_SYSTEM,
                   "%s belongs to a user who must not decide what the server runs; make it root's "
                   "(chown root)%s",
                   path, trusts_own_user ? " or the server's user's" : "");
}

/* In a folder with the sticky bit others cannot replace what they do not own. */
static bool check_folder(const char *path, bool trusts_own_user, struct err *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return err_set(err, ERR_SYSTEM, "%s cannot be examined: %s", path, strerror(errno));
    if (!is_trusted(&status, trusts_own_user))
        return refuse_owner(path, trusts_own_user, err);
    if ((status.st_mode & OTHERS_WRITE) != 0 && (status.st_mode & S_ISVTX) == 0)
        return err_set(err, ERR_SYSTEM,
                       "other users may put files into %s; remove that permission (chmod go-w)",
                       path);
    return true;
}

/* Every folder above a file, whose path has no links. */
static bool check_folders(const char *path, bool trusts_own_user, struct err *err)
{
    char folder[PATH_MAX];

    strcpy(folder, path); // NOLINT: of the same size
    for (char *slash = strrchr(folder, '/'); slash != NULL; slash = strrchr(folder, '/')) {
        *slash = '\0';
        if (!check_folder(folder[0] == '\0' ? "/" : folder, trusts_own_user, err))
            return false;
    }
    return true;
}

static bool check_file(const char *path, bool trusts_own_user, struct err *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return err_set(err, ERR_SYSTEM, "%s cannot be examined: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_SYSTEM, "%s is not a regular file; name the program itself", path);
    if (!is_trusted(&status, trusts_own_user))
        return refuse_owner(path, trusts_own_user, err);
    if ((status.st_mode & OTHERS_WRITE) != 0)
        return err_set(err, ERR_SYSTEM,
                       "other users may write to %s; remove that permission (chmod go-w)", path);
    if (access(path, X_OK) != 0)
        return err_set(err, ERR_SYSTEM, "%s cannot be executed: %s (chmod +x)", path,
                       strerror(errno));
    return true;
}

bool launcher_check(const char *path, bool trusts_own_user, char real[PATH_MAX], struct err *err)
{
    if (path[0] != '/')
        return err_set(err, ERR_SYSTEM, "%s is not an absolute path", path);
    if (realpath(path, real) == NULL)
        return err_set(err, ERR_SYSTEM, "%s cannot be opened: %s", path, strerror(errno));
    if (!has_name(real))
        return err_set(err, ERR_SYSTEM,
                       "%s is not called spacednsd or spacednsd-VERSION; the server starts no "
                       "other program",
                       real);
    return check_file(real, trusts_own_user, err) && check_folders(real, trusts_own_user, err);
}

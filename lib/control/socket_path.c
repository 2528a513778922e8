#include "control/socket_path.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/permission.h"

/* True if a process answers at the socket; a busy server counts, too. */
static bool is_alive(const struct sockaddr_un *address)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return true;
    bool is_dead = connect(descriptor, (const struct sockaddr *)address, sizeof *address) != 0 &&
                   (errno == ECONNREFUSED || errno == ENOENT);
    close(descriptor);
    return !is_dead;
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Removes the socket of a dead server. Returns false with *err for anything else. */
static bool clear_path(const char *setting, const struct sockaddr_un *address, struct err *err)
{
    const char *path = address->sun_path;
    struct stat status;

    if (lstat(path, &status) != 0)
        return true;
    if (!S_ISSOCK(status.st_mode))
        return err_set(err, ERR_SYSTEM,
                       "%s: %s exists and is not a socket; move it away, or name "
                       "another path",
                       setting, path);
    if (is_alive(address))
        return err_set(err, ERR_SYSTEM,
                       "%s: another server listens on %s; stop it, or name another "
                       "path",
                       setting, path);
    struct stat again;
    if (lstat(path, &again) == 0 && !is_same_file(&status, &again))
        return err_set(err, ERR_SYSTEM,
                       "%s: another process has just created a file at %s; start the "
                       "server again, or name another path",
                       setting, path);
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    return err_set(err, ERR_SYSTEM,
                   "%s: %s is the socket of a server that has ended, and cannot be removed: "
                   "%s",
                   setting, path, strerror(errno));
}

static bool write_address(const char *setting, const char *path, struct sockaddr_un *address,
                          struct err *err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return err_set(err, ERR_LIMIT,
                       "%s: %.40s... is longer than the %zu octets that a socket's "
                       "path may have; name a shorter one",
                       setting, path, sizeof address->sun_path - 1);
    strcpy(address->sun_path, path); // NOLINT: measured above
    return true;
}

/* Creates the socket with its mode: a later chmod could follow a link put at the path meanwhile.
 * No other thread creates files now. */
static int bind_address(const struct sockaddr_un *address, mode_t mode)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t before = umask(SOCKET_MODE_BITS & ~mode);
    int status =
        descriptor < 0 ? -1 : bind(descriptor, (const struct sockaddr *)address, sizeof *address);
    int number = errno;

    umask(before);
    if (status == 0)
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    errno = number;
    return -1;
}

static bool fail_folder(const char *setting, const char *path, struct err *err)
{
    char folder[sizeof((struct sockaddr_un *)NULL)->sun_path], why[PERMISSION_TEXT_MOST];
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 0 : (int)(slash - path);

    if (length == 0)
        snprintf(folder, sizeof folder, "%s", slash == NULL ? "." : "/");
    else
        snprintf(folder, sizeof folder, "%.*s", length, path);
    if (access(folder, F_OK) != 0)
        return err_set(err, ERR_SYSTEM,
                       "%s: cannot listen on %s: its folder does not exist; create it, "
                       "or give another path",
                       setting, path);
    return err_set(err, ERR_SYSTEM, "%s: cannot listen on %s: its folder %s: %s", setting, path,
                   folder, permission_error(EACCES, folder, PERMISSION_WRITE, why));
}

bool socket_path_fail(const char *setting, const char *path, int number, struct err *err)
{
    if (number == EACCES || number == ENOENT)
        return fail_folder(setting, path, err);
    if (number == ENOSPC)
        return err_set(err, ERR_SYSTEM,
                       "%s: cannot listen on %s: %s: make room there, or give another path",
                       setting, path, strerror(number));
    return err_set(err, ERR_SYSTEM, "%s: cannot listen on %s: %s", setting, path, strerror(number));
}

int socket_path_bind(const char *setting, const char *path, mode_t mode, struct err *err)
{
    struct sockaddr_un address;

    if (!write_address(setting, path, &address, err) || !clear_path(setting, &address, err))
        return -1;
    int descriptor = bind_address(&address, mode);
    if (descriptor < 0)
        socket_path_fail(setting, path, errno, err);
    return descriptor;
}

bool socket_path_read(int descriptor, struct sockaddr_un *address)
{
    socklen_t octets = sizeof *address;

    *address = (struct sockaddr_un){.sun_family = AF_UNSPEC};
    return getsockname(descriptor, (struct sockaddr *)address, &octets) == 0 &&
           address->sun_family == AF_UNIX && octets <= sizeof *address &&
           octets > offsetof(struct sockaddr_un, sun_path) && address->sun_path[0] == '/';
}

bool socket_path_has_mode(const char *path, mode_t mode)
{
    struct stat status;

    return lstat(path, &status) == 0 && (status.st_mode & SOCKET_MODE_BITS) == mode;
}

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/permission.h"

static const char *kind_text(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "folder";
    case S_IFIFO:
        return "named pipe (FIFO)";
    case S_IFSOCK:
        return "socket";
    default: /* mode_t */
        return "device";
    }
}

static bool is_file(int descriptor, struct err *err)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0)
        return err_set(err, ERR_SYSTEM, "cannot be read: %s", strerror(errno));
    return S_ISREG(status.st_mode) ||
           err_set(err, ERR_SYSTEM, "is a %s, not a file", kind_text(status.st_mode));
}

int file_open(const char *path, bool *is_missing, struct err *err)
{
    /* Non-blocking: opening a FIFO would wait for a writer. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    char why[PERMISSION_TEXT_MOST];

    if (is_missing != NULL)
        *is_missing = descriptor < 0 && errno == ENOENT;
    if (descriptor < 0 && errno == ENXIO) {
        err_set(err, ERR_SYSTEM, "is a socket or a device, not a file");
    } else if (descriptor < 0) {
        err_set(err, ERR_SYSTEM, "cannot be opened: %s",
                permission_error(errno, path, PERMISSION_READ, why));
    } else if (!is_file(descriptor, err)) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

/* Returns the octets read, at most `room`; -1 with errno. */
static ssize_t read_all(int descriptor, char *to, size_t room)
{
    size_t length = 0;

    while (length < room) {
        ssize_t got = read(descriptor, to + length, room - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

char *file_read_text(const char *path, size_t most, size_t *length, struct err *err)
{
    int descriptor = file_open(path, NULL, err);
    if (descriptor < 0)
        return NULL;
    char *text = malloc(most + 2);
    ssize_t got = text == NULL ? 0 : read_all(descriptor, text, most + 1);

    if (text == NULL)
        err_set(err, ERR_MEMORY, "out of memory");
    else if (got < 0)
        err_set(err, ERR_SYSTEM, "cannot be read: %s", strerror(errno));
    else if ((size_t)got > most)
        err_set(err, ERR_LIMIT, "is larger than the %zu octets that are read", most);
    close(descriptor);
    if (text == NULL || got < 0 || (size_t)got > most) {
        free(text);
        return NULL;
    }
    text[got] = '\0';
    *length = (size_t)got;
    return text;
}

int file_open_unwaiting(int descriptor)
{
    char path[sizeof "/proc/self/fd/" + 16];
    struct stat status;

    if (fstat(descriptor, &status) != 0 || (!S_ISCHR(status.st_mode) && !S_ISFIFO(status.st_mode)))
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

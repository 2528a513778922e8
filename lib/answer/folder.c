#include "answer/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/yaml.h"
#include "space/zone_file.h"

enum { RECENT_SECONDS = 2 };

static bool is_zone_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static const char *join(struct arena *arena, const char *folder, const char *name)
{
    size_t folder_length = strlen(folder);
    while (folder_length > 1 && folder[folder_length - 1] == '/')
        folder_length--;
    size_t length = folder_length + 1 + strlen(name);
    char *path = arena_take(arena, length + 1);
    if (path != NULL)
        snprintf(path, length + 1, "%.*s/%s", (int)folder_length, folder, name);
    return path;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds every zone file of an open folder. */
static bool list_entries(struct arena *arena, DIR *directory, const char *path,
                         struct folder *folder, struct err *err)
{
    size_t capacity = 0;

    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL && errno != 0)
            return err_set(err, ERR_SYSTEM, "zones folder %s cannot be read: %s", path,
                           strerror(errno));
        if (entry == NULL)
            return true;
        if (!is_zone_file(entry->d_name))
            continue;
        const char **files =
            arena_grow(arena, folder->files, folder->count, &capacity, sizeof *files);
        const char *file = join(arena, path, entry->d_name);
        if (files == NULL || file == NULL)
            return err_set(err, ERR_MEMORY, "out of memory while listing %s", path);
        folder->files = files;
        folder->files[folder->count++] = file;
    }
}

bool folder_list(struct arena *arena, const char *path, struct folder *folder, struct err *err)
{
    *folder = (struct folder){.files = NULL};
    DIR *directory = opendir(path);
    if (directory == NULL)
        return zone_folder_fail(path, errno, err);
    bool listed = list_entries(arena, directory, path, folder, err);
    closedir(directory);
    if (!listed)
        return false;
    if (folder->count == 0)
        return err_set(err, ERR_RULE,
                       "zones folder %s holds no zone file; put one file NAME.yaml per space there",
                       path);
    qsort(folder->files, folder->count, sizeof *folder->files, compare_paths);
    return true;
}

/* A change within the clock's grain could leave the same time behind: such a time says nothing. */
static bool is_recent(const struct stat *status)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return status->st_mtim.tv_sec + RECENT_SECONDS > now.tv_sec;
}

static struct file_identity identify(const struct stat *status)
{
    return (struct file_identity){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = status->st_size,
        .modified = status->st_mtim,
        .is_settled = !is_recent(status),
    };
}

bool folder_is_same(const char *path, const struct file_identity *identity)
{
    struct stat status;

    return identity->is_settled && stat(path, &status) == 0 && status.st_dev == identity->device &&
           status.st_ino == identity->inode && status.st_size == identity->size &&
           status.st_mtim.tv_sec == identity->modified.tv_sec &&
           status.st_mtim.tv_nsec == identity->modified.tv_nsec;
}

static bool refuse(struct report *report, const char *path, const char *why)
{
    report_add(report, FINDING_FILE, path, (struct place){.line = 1, .column = 1},
               "the file cannot be read: %s; mend it, or move it out of the folder", why);
    return false;
}

/* Reads until the end or one octet more than the size promised: the file may be growing. */
static bool read_octets(int descriptor, struct zone_text *text, size_t room)
{
    while (text->length < room) {
        ssize_t got = read(descriptor, text->octets + text->length, room - text->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            return true;
        text->length += (size_t)got;
    }
    return true;
}

static bool read_open(int descriptor, const char *path, struct zone_text *text,
                      struct report *report)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0)
        return refuse(report, path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return refuse(report, path,
                      S_ISDIR(status.st_mode) ? "it is a directory" : "it is no regular file");
    if (status.st_size > YAML_FILE_MAX) {
        report_add(report, FINDING_LIMIT, path, (struct place){.line = 1, .column = 1},
                   "the file has %lld octets, more than %d; split the space",
                   (long long)status.st_size, YAML_FILE_MAX);
        return false;
    }
    text->identity = identify(&status);
    text->octets = malloc((size_t)status.st_size + 1);
    if (text->octets == NULL)
        return refuse(report, path, "out of memory");
    if (!read_octets(descriptor, text, (size_t)status.st_size + 1))
        return refuse(report, path, strerror(errno));
    if (text->length != (size_t)status.st_size)
        return refuse(report, path, "it changed while it was read");
    return true;
}

bool folder_read(const char *path, const struct hash_key *key, struct zone_text *text,
                 struct report *report)
{
    *text = (struct zone_text){.octets = NULL};
    /* Not blocking: a pipe named x.yaml must not hold up the server. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return refuse(report, path, strerror(errno));
    bool read = read_open(descriptor, path, text, report);
    close(descriptor);
    if (!read) {
        free(text->octets);
        return false;
    }
    text->identity.content = hash_octets(key, text->octets, text->length);
    return true;
}

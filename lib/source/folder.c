#include "source/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/zone_file.h"
#include "space/zone_text.h"
#include "yaml/yaml.h"

enum { SECOND_US = 1000000, SETTLED_US = 2 * SECOND_US };

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

bool folder_add(struct arena *arena, struct folder *folder, const char *file)
{
    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->files[i], file) == 0)
            return true;
    const char **files = arena_take(arena, (folder->count + 1) * sizeof *files);
    if (files == NULL)
        return false;
    if (folder->count > 0)
        memcpy(files, folder->files, folder->count * sizeof *files);
    files[folder->count++] = file;
    folder->files = files;
    qsort(folder->files, folder->count, sizeof *folder->files, compare_paths);
    return true;
}

static int64_t wall_us(const struct waiting_clock *clock)
{
    return clock == NULL ? clock_wall_us() : clock->wall_us(clock->context);
}

static int64_t age_us(int64_t now_us, struct timespec then)
{
    return now_us - ((int64_t)then.tv_sec * SECOND_US + then.tv_nsec / 1000);
}

/*
 * A second change within the clock's resolution has the same time, so a recent time proves nothing.
 */
static bool is_settled(int64_t now_us, const struct stat *status)
{
    return age_us(now_us, status->st_mtim) >= SETTLED_US &&
           age_us(now_us, status->st_ctim) >= SETTLED_US;
}

static struct file_identity identify(const struct stat *status, int64_t now_us)
{
    return (struct file_identity){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = status->st_size,
        .modified = status->st_mtim,
        .changed = status->st_ctim,
        .is_settled = is_settled(now_us, status),
    };
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool folder_is_same(const char *path, const struct file_identity *identity)
{
    struct stat status;

    return identity->is_settled && stat(path, &status) == 0 && status.st_dev == identity->device &&
           status.st_ino == identity->inode && status.st_size == identity->size &&
           is_same_time(status.st_mtim, identity->modified) &&
           is_same_time(status.st_ctim, identity->changed);
}

static bool refuse(struct report *report, const char *path, const char *why)
{
    report_add(report, FINDING_FILE, path, (struct location){.line = 1, .column = 1},
               "the file cannot be read: %s; fix it, or move it out of the folder", why);
    return false;
}

/* Reads until the end, or one octet more than the expected size: the file may be growing. */
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

static bool read_open(int descriptor, const char *path, int64_t now_us, struct zone_text *text,
                      struct report *report)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0)
        return refuse(report, path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return refuse(report, path,
                      S_ISDIR(status.st_mode) ? "it is a directory" : "it is not a regular file");
    if (status.st_size > YAML_FILE_MAX) {
        report_add(report, FINDING_LIMIT, path, (struct location){.line = 1, .column = 1},
                   "the file has %lld octets, more than %d; split the space",
                   (long long)status.st_size, YAML_FILE_MAX);
        return false;
    }
    text->identity = identify(&status, now_us);
    text->octets = malloc((size_t)status.st_size + 1);
    if (text->octets == NULL)
        return refuse(report, path, "out of memory");
    if (!read_octets(descriptor, text, (size_t)status.st_size + 1))
        return refuse(report, path, strerror(errno));
    if (text->length != (size_t)status.st_size)
        return refuse(report, path, "it changed while it was read");
    return true;
}

static bool read_once(const char *path, const struct hash_key *key,
                      const struct waiting_clock *clock, struct zone_text *text,
                      struct report *report)
{
    *text = (struct zone_text){.octets = NULL};
    /* Non-blocking: a pipe named x.yaml must not block the server. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return refuse(report, path, strerror(errno));
    bool read = read_open(descriptor, path, wall_us(clock), text, report);
    close(descriptor);
    if (!read) {
        free(text->octets);
        return false;
    }
    text->identity.content = hash_octets(key, text->octets, text->length);
    text->identity.is_marked = zone_text_is_marked(text->octets, text->length);
    return true;
}

/* True when the file may be half written. A time in the future is ignored. */
static bool is_busy(int64_t now_us, const struct stat *status)
{
    int64_t written_us = age_us(now_us, status->st_mtim);
    int64_t changed_us = age_us(now_us, status->st_ctim);

    return (written_us >= 0 && written_us < FOLDER_BUSY_MS * INT64_C(1000)) ||
           (changed_us >= 0 && changed_us < FOLDER_BUSY_MS * INT64_C(1000));
}

static bool do_agree(const struct zone_text *a, const struct zone_text *b)
{
    return a->identity.content == b->identity.content && a->identity.size == b->identity.size &&
           is_same_time(a->identity.modified, b->identity.modified) &&
           is_same_time(a->identity.changed, b->identity.changed);
}

/*
 * A file that grows between stat and read is as busy as one that was just written; one that cannot
 * be opened is reported at once.
 */
static bool read_until_two_agree(const char *path, const struct hash_key *key,
                                 const struct waiting_clock *clock, struct zone_text *text,
                                 struct report *report)
{
    struct zone_text before = {.octets = NULL};

    for (unsigned waited_ms = 0;; waited_ms += FOLDER_STEP_MS) {
        struct report *attempt = report_new();
        if (attempt == NULL) {
            free(before.octets);
            return read_once(path, key, clock, text, report);
        }
        bool is_read = read_once(path, key, clock, text, attempt);
        bool agrees = is_read && before.octets != NULL && do_agree(&before, text);
        bool is_last = waited_ms >= FOLDER_WAIT_MS || (!is_read && text->identity.inode == 0);
        if (is_last && !is_read)
            report_merge(report, attempt);
        report_free(attempt);
        free(before.octets);
        before = is_read && !agrees ? *text : (struct zone_text){.octets = NULL};
        if (agrees)
            return true;
        if (is_last)
            break;
        clock->wait_ms(clock->context, FOLDER_STEP_MS);
    }
    if (before.octets != NULL)
        report_add(report, FINDING_BUSY, path, (struct location){.line = 1, .column = 1},
                   "the file was written to for %d seconds while it was read; reload when that has "
                   "ended, or write it elsewhere and move it here",
                   FOLDER_WAIT_MS / 1000);
    free(before.octets);
    return false;
}

bool folder_read(const char *path, const struct hash_key *key, const struct waiting_clock *clock,
                 struct zone_text *text, struct report *report)
{
    struct stat status;

    if (clock != NULL && stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size <= YAML_FILE_MAX && is_busy(wall_us(clock), &status))
        return read_until_two_agree(path, key, clock, text, report);
    return read_once(path, key, clock, text, report);
}

#include "source/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/permission.h"
#include "source/zone_file.h"
#include "yaml/yaml.h"

enum { SECOND_US = 1000000, SETTLED_US = 2 * SECOND_US };

bool folder_is_zone_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Adds every zone file of an open folder. */
static bool list_entries(const struct source *source, struct arena *arena, DIR *directory,
                         struct source_names *names, struct err *err)
{
    size_t capacity = 0;

    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL && errno != 0)
            return err_set(err, ERR_SYSTEM, "zones folder %s cannot be read: %s", source->root,
                           strerror(errno));
        if (entry == NULL)
            return true;
        if (!folder_is_zone_file(entry->d_name))
            continue;
        const char **grown =
            arena_grow(arena, names->names, names->count, &capacity, sizeof *grown);
        const char *name = source_name(source, arena, entry->d_name);
        if (grown == NULL || name == NULL)
            return err_set(err, ERR_MEMORY, "out of memory while listing %s", source->root);
        names->names = grown;
        names->names[names->count++] = name;
    }
}

static bool folder_list(struct source *source, struct arena *arena, struct source_names *names,
                        struct err *err)
{
    *names = (struct source_names){.names = NULL};
    DIR *directory = opendir(source->root);
    if (directory == NULL)
        return zone_folder_fail(source->root, errno, err);
    bool is_listed = list_entries(source, arena, directory, names, err);
    closedir(directory);
    if (!is_listed)
        return false;
    if (names->count == 0)
        return err_set(err, ERR_RULE,
                       "zones folder %s holds no zone file; put one file NAME.yaml per space there",
                       source->root);
    source_names_sort(names);
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

/* Nanoseconds; times that far apart that these wrap to the same number do not occur. */
static uint64_t stamp_time(struct timespec time)
{
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static struct source_stamp stamp_status(const struct stat *status, int64_t now_us)
{
    if (!is_settled(now_us, status))
        return (struct source_stamp){.words = {0}};
    return (struct source_stamp){.words = {status->st_dev, status->st_ino,
                                           (uint64_t)status->st_size, stamp_time(status->st_mtim),
                                           stamp_time(status->st_ctim)}};
}

static struct source_stamp folder_stamp(struct source *source, const char *name)
{
    const struct folder *folder = (struct folder *)source;
    struct stat status;

    return stat(name, &status) == 0 ? stamp_status(&status, wall_us(folder->clock))
                                    : (struct source_stamp){.words = {0}};
}

static bool refuse(struct report *report, const char *path, const char *why)
{
    report_add(report, FINDING_FILE, path, (struct location){.line = 1, .column = 1},
               "the file cannot be read: %s; fix it, or move it out of the folder", why);
    return false;
}

/* Reads until the end, or one octet more than the expected size: the file may be growing. */
static bool read_octets(int descriptor, struct source_text *text, size_t room)
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

/* A text, and the properties of its file; inode 0: it could not be opened, or is none to read. */
struct reading {
    struct source_text text;
    struct stat status;
};

static bool read_open(int descriptor, const char *path, struct reading *reading,
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
    reading->status = status;
    size_t size = (size_t)status.st_size;
    reading->text.octets = malloc(size + 1);
    if (reading->text.octets == NULL)
        return refuse(report, path, "out of memory");
    if (!read_octets(descriptor, &reading->text, size + 1))
        return refuse(report, path, strerror(errno));
    if (reading->text.length != size)
        return refuse(report, path, "it changed while it was read");
    return true;
}

static bool read_once(const struct folder *folder, const char *path, struct reading *reading,
                      struct report *report)
{
    *reading = (struct reading){.text = {.octets = NULL}};
    /* Non-blocking: a pipe named x.yaml must not block the server. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) {
        char why[PERMISSION_TEXT_MOST];
        return refuse(report, path, permission_error(errno, path, PERMISSION_READ, why));
    }
    int64_t now_us = wall_us(folder->clock);
    bool is_read = read_open(descriptor, path, reading, report);
    close(descriptor);
    if (!is_read) {
        free(reading->text.octets);
        return false;
    }
    reading->text.stamp = stamp_status(&reading->status, now_us);
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

static bool do_agree(const struct reading *a, const struct reading *b)
{
    return a->text.length == b->text.length &&
           memcmp(a->text.octets, b->text.octets, a->text.length) == 0 &&
           stamp_time(a->status.st_mtim) == stamp_time(b->status.st_mtim) &&
           stamp_time(a->status.st_ctim) == stamp_time(b->status.st_ctim);
}

/*
 * A file that grows between stat and read is as busy as one that was just written; one that cannot
 * be opened is reported at once.
 */
static bool read_until_two_agree(const struct folder *folder, const char *path,
                                 struct reading *reading, struct report *report)
{
    struct reading before = {.text = {.octets = NULL}};

    for (unsigned waited_ms = 0;; waited_ms += FOLDER_STEP_MS) {
        struct report *attempt = report_new();
        if (attempt == NULL) {
            free(before.text.octets);
            return read_once(folder, path, reading, report);
        }
        bool is_read = read_once(folder, path, reading, attempt);
        bool agrees = is_read && before.text.octets != NULL && do_agree(&before, reading);
        bool is_last = waited_ms >= FOLDER_WAIT_MS || (!is_read && reading->status.st_ino == 0);
        if (is_last && !is_read)
            report_merge(report, attempt);
        report_free(attempt);
        free(before.text.octets);
        before = is_read && !agrees ? *reading : (struct reading){.text = {.octets = NULL}};
        if (agrees)
            return true;
        if (is_last)
            break;
        folder->clock->wait_ms(folder->clock->context, FOLDER_STEP_MS);
    }
    if (before.text.octets != NULL)
        report_add(report, FINDING_BUSY, path, (struct location){.line = 1, .column = 1},
                   "the file was written to for %d seconds while it was read; reload when that has "
                   "ended, or write it elsewhere and move it here",
                   FOLDER_WAIT_MS / 1000);
    free(before.text.octets);
    return false;
}

static bool folder_read(struct source *source, const char *name, struct source_text *text,
                        struct report *report)
{
    const struct folder *folder = (struct folder *)source;
    struct reading reading;
    struct stat status;
    bool may_be_busy = folder->clock != NULL && stat(name, &status) == 0 &&
                       S_ISREG(status.st_mode) && status.st_size <= YAML_FILE_MAX &&
                       is_busy(wall_us(folder->clock), &status);

    if (!(may_be_busy ? read_until_two_agree(folder, name, &reading, report)
                      : read_once(folder, name, &reading, report)))
        return false;
    *text = reading.text;
    return true;
}

void folder_init(struct folder *folder, const char *path, const struct waiting_clock *clock)
{
    *folder = (struct folder){
        .source = {.root = path, .list = folder_list, .stamp = folder_stamp, .read = folder_read},
        .clock = clock,
    };
}

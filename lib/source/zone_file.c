#include "source/zone_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/permission.h"
#include "yaml/yaml.h"

enum {
    LOCK_STEP_MS = 5,
    LOCK_MODE = 0600,
    DRAFT_MODE = 0600,
    FILE_MODE = 0644,
    MODE_BITS = 07777,
    ATTRIBUTE_MAX = 65536
};

static const char draft_ending[] = ".new";
static const char lock_name[] = ".spacedns.lock";

bool zone_folder_fail(const char *folder, int number, struct err *err)
{
    const char *remedy = number == ENOENT    ? "create it, "
                         : number == ENOTDIR ? "give the folder that holds the zone files, "
                                             : "";
    char why[PERMISSION_TEXT_MOST];

    return err_set(err, ERR_SYSTEM,
                   "zones folder %s cannot be opened: %s; %sor name another with --zones", folder,
                   permission_error(number, folder, PERMISSION_LIST, why), remedy);
}

static bool fail_lock(const char *folder, const char *why, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "zones folder %s cannot be locked: %s", folder, why);
}

/* Exactly the users who may write to the folder may lock it. */
static bool give_lock(int lock, const struct stat *folder)
{
    mode_t mode = LOCK_MODE | ((folder->st_mode & S_IWGRP) != 0 ? S_IRGRP | S_IWGRP : 0);
    /* Only root may change the owner; for others the folder decides. */
    bool is_given = fchown(lock, folder->st_uid, folder->st_gid) == 0;

    (void)is_given;
    return fchmod(lock, mode) == 0;
}

/* Another user's lock file could be held by that user forever. */
static bool check_lock(int lock, const struct stat *folder, const char *path, struct err *err)
{
    struct stat status;

    if (fstat(lock, &status) != 0)
        return fail_lock(path, strerror(errno), err);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_SYSTEM, "%s/%s is not a regular file; remove it, then try again",
                       path, lock_name);
    if (status.st_uid == 0 || status.st_uid == geteuid() || status.st_uid == folder->st_uid ||
        ((folder->st_mode & S_IWGRP) != 0 && status.st_gid == folder->st_gid))
        return true;
    return err_set(err, ERR_SYSTEM,
                   "%s/%s belongs to user %u, who could block every edit; remove it, then try "
                   "again",
                   path, lock_name, (unsigned)status.st_uid);
}

/* Opens the folder's lock file, and creates it if missing. */
static int open_lock(int folder, const char *path, struct err *err)
{
    enum { FLAGS = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC };
    struct stat status;

    if (fstat(folder, &status) != 0) {
        fail_lock(path, strerror(errno), err);
        return -1;
    }
    int lock = openat(folder, lock_name, FLAGS | O_CREAT | O_EXCL, LOCK_MODE);
    bool is_made = lock >= 0;
    if (lock < 0 && errno == EEXIST)
        lock = openat(folder, lock_name, FLAGS);
    if (lock < 0 && errno == ELOOP) {
        err_set(err, ERR_SYSTEM, "%s/%s is a symbolic link; remove it, then try again", path,
                lock_name);
        return -1;
    }
    if (lock < 0) {
        err_set(err, ERR_SYSTEM,
                "zones folder %s cannot be locked: %s: %s; run this as the folder's owner", path,
                lock_name, strerror(errno));
        return -1;
    }
    bool is_fit = is_made ? give_lock(lock, &status) || fail_lock(path, strerror(errno), err)
                          : check_lock(lock, &status, path, err);
    if (!is_fit)
        close(lock);
    return is_fit ? lock : -1;
}

int zone_file_lock(const char *folder, struct err *err)
{
    static const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (descriptor < 0) {
        zone_folder_fail(folder, errno, err);
        return -1;
    }
    int lock = open_lock(descriptor, folder, err);
    close(descriptor);
    if (lock < 0)
        return -1;
    for (unsigned waited_ms = 0; waited_ms < ZONE_LOCK_MS; waited_ms += LOCK_STEP_MS) {
        if (flock(lock, LOCK_EX | LOCK_NB) == 0)
            return lock;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        nanosleep(&step, NULL);
    }
    err_set(err, ERR_SYSTEM,
            errno == EWOULDBLOCK ? "zones folder %s is being edited by another command (%s); try "
                                   "again when it has ended"
                                 : "zones folder %s cannot be locked: %s",
            folder, strerror(errno));
    close(lock);
    return -1;
}

static bool fail(struct err *err, const struct zone_file *file, const char *what)
{
    return err_set(err, ERR_SYSTEM, "%s %s: %s; nothing was changed", file->shown, what,
                   strerror(errno));
}

/* Root may write everything, but a read-only file stays unchanged. */
static bool check_writable(const struct zone_file *file, struct err *err)
{
    bool is_read_only = (file->status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0;

    if (!is_read_only && faccessat(AT_FDCWD, file->path, W_OK, AT_EACCESS) == 0)
        return true;
    return err_set(err, ERR_SYSTEM,
                   "%s is read-only for you; nothing was changed; make it writable (chmod u+w), or "
                   "run this as its owner",
                   file->shown);
}

static bool read_text(struct zone_file *file, int descriptor, struct err *err)
{
    size_t size = (size_t)file->status.st_size;

    file->text = malloc(size + 1);
    if (file->text == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    while (file->length < size) {
        ssize_t got = read(descriptor, file->text + file->length, size - file->length);
        if (got < 0 && errno != EINTR)
            return fail(err, file, "cannot be read");
        if (got == 0)
            return err_set(err, ERR_SYSTEM, "%s changed while it was read; try again", file->shown);
        file->length += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static void name_folder(const struct zone_file *file, char *folder)
{
    int length = (int)(strrchr(file->path, '/') - file->path);

    snprintf(folder, PATH_MAX, "%.*s", length == 0 ? 1 : length, file->path);
}

/* Locks the file's own folder unless it is locked already. */
static bool lock_own_folder(struct zone_file *file, int locked, struct err *err)
{
    char folder[PATH_MAX], lock[PATH_MAX + sizeof lock_name];
    struct stat own, other;

    name_folder(file, folder);
    snprintf(lock, sizeof lock, "%s/%s", folder, lock_name);
    if (lstat(lock, &own) == 0 && fstat(locked, &other) == 0 && own.st_dev == other.st_dev &&
        own.st_ino == other.st_ino)
        return true;
    file->lock = zone_file_lock(folder, err);
    return file->lock >= 0;
}

bool zone_file_open(struct zone_file *file, const char *path, int locked, struct err *err)
{
    *file = (struct zone_file){.shown = path, .lock = -1};
    if (realpath(path, file->path) == NULL)
        return fail(err, file, "cannot be found");
    if (!lock_own_folder(file, locked, err))
        return false;
    int descriptor = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return fail(err, file, "cannot be opened");
    bool is_read = false;
    if (fstat(descriptor, &file->status) != 0)
        fail(err, file, "cannot be read");
    else if (!S_ISREG(file->status.st_mode) || file->status.st_size > YAML_FILE_MAX)
        err_set(err, ERR_SYSTEM, "%s is not a regular file of at most %d octets", path,
                YAML_FILE_MAX);
    else
        is_read = check_writable(file, err) && read_text(file, descriptor, err);
    close(descriptor);
    return is_read;
}

void zone_file_close(struct zone_file *file)
{
    free(file->text);
    if (file->lock >= 0)
        close(file->lock);
}

/* The draft's hidden name in the same folder. */
static bool name_draft(const struct zone_file *file, char *draft, struct err *err)
{
    const char *slash = strrchr(file->path, '/');
    int length = (int)(slash - file->path);

    if (strlen(file->path) + sizeof draft_ending + 1 > PATH_MAX)
        return err_set(err, ERR_LIMIT, "the path of %s is too long", file->shown);
    snprintf(draft, PATH_MAX, "%.*s/.%s%s", length, file->path, slash + 1, draft_ending);
    return true;
}

static bool write_all(int descriptor, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t put = write(descriptor, text, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        text += put;
        length -= (size_t)put;
    }
    return true;
}

/* The access list, which besides owner and mode decides who may read the file. */
static const char access_list[] = "system.posix_acl_access";

/* Signatures of the old content, which must not be copied. */
static bool is_of_content(const char *name)
{
    return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

static bool copy_attribute(int from, int to, const char *name)
{
    char value[ATTRIBUTE_MAX];
    ssize_t length = fgetxattr(from, name, value, sizeof value);

    return length >= 0 && fsetxattr(to, name, value, (size_t)length, 0) == 0;
}

static void report_lost_attribute(struct zone_file *file, const char *name, const char *why)
{
    err_set(&file->loss, ERR_SYSTEM,
            "%s has lost its attribute %.80s: %s; set it again if it is needed", file->shown, name,
            why);
}

/* Copies the attributes of the replaced file; a file system without attributes has none to lose. */
static void copy_attributes(struct zone_file *file, int draft)
{
    char names[ATTRIBUTE_MAX];
    int old = open(file->path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    ssize_t length = old < 0 ? -1 : flistxattr(old, names, sizeof names);

    if (length < 0 && errno != ENOTSUP)
        report_lost_attribute(file, "list", strerror(errno));
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
        if (is_of_content(names + at))
            report_lost_attribute(file, names + at, "it signed the old text");
        else if (!copy_attribute(old, draft, names + at))
            report_lost_attribute(file, names + at, strerror(errno));
    if (old >= 0)
        close(old);
}

/* Syncs and closes. Returns false, with errno of the first failure, unless all is on disk. */
static bool close_draft(int descriptor, bool is_written)
{
    is_written = is_written && fsync(descriptor) == 0;
    int reason = errno;
    if (close(descriptor) != 0 && is_written)
        return false;
    errno = reason;
    return is_written;
}

static bool write_draft(struct zone_file *file, const char *draft, const char *text, size_t length)
{
    unlink(draft); /* left behind by a killed command */
    int descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, DRAFT_MODE);
    if (descriptor < 0)
        return false;
    /* Only root may change the owner; otherwise it is the user who edits. */
    bool is_given = fchown(descriptor, file->status.st_uid, file->status.st_gid) == 0;
    (void)is_given;
    /* The draft inherited the folder's default list, which fchmod would widen. */
    fremovexattr(descriptor, access_list);
    bool is_written = write_all(descriptor, text, length);
    if (is_written)
        copy_attributes(file, descriptor);
    return close_draft(descriptor,
                       is_written && fchmod(descriptor, file->status.st_mode & MODE_BITS) == 0);
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool check_unchanged(const struct zone_file *file, struct err *err)
{
    const struct stat *then = &file->status;
    struct stat now;

    if (stat(file->path, &now) == 0 && now.st_dev == then->st_dev && now.st_ino == then->st_ino &&
        now.st_size == then->st_size && is_same_time(now.st_mtim, then->st_mtim) &&
        is_same_time(now.st_ctim, then->st_ctim))
        return true;
    return err_set(err, ERR_SYSTEM,
                   "%s was changed by another program meanwhile; nothing was written; try again",
                   file->shown);
}

static void sync_folder(const struct zone_file *file)
{
    char folder[PATH_MAX];

    name_folder(file, folder);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (descriptor < 0)
        return;
    fsync(descriptor);
    close(descriptor);
}

bool zone_file_replace(struct zone_file *file, const char *text, size_t length, struct err *err)
{
    char draft[PATH_MAX];

    file->loss.code = ERR_NONE;
    if (!name_draft(file, draft, err))
        return false;
    bool is_good = write_draft(file, draft, text, length);
    if (!is_good)
        fail(err, file, "cannot be replaced");
    is_good = is_good && check_unchanged(file, err);
    if (is_good && rename(draft, file->path) != 0)
        is_good = fail(err, file, "cannot be replaced");
    if (!is_good) {
        unlink(draft);
        return false;
    }
    sync_folder(file);
    if (file->status.st_nlink > 1)
        err_set(&file->loss, ERR_SYSTEM,
                "%s had %u more names (hard links), which keep the old text; link them again if "
                "they should have the new text",
                file->shown, (unsigned)file->status.st_nlink - 1);
    return true;
}

bool zone_file_remove(const struct zone_file *file, struct err *err)
{
    struct zone_file listed;

    if ((size_t)snprintf(listed.path, sizeof listed.path, "%s", file->shown) >= sizeof listed.path)
        return err_set(err, ERR_LIMIT, "the path of %s is too long", file->shown);
    if (!check_unchanged(file, err))
        return false;
    if (unlink(listed.path) != 0)
        return fail(err, file, "cannot be removed");
    sync_folder(&listed);
    return true;
}

static bool write_new_draft(const char *draft, const char *text, size_t length)
{
    unlink(draft); /* left behind by a killed command */
    int descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (descriptor < 0)
        return false;
    return close_draft(descriptor, write_all(descriptor, text, length));
}

bool zone_file_create(const char *path, const char *text, size_t length, struct err *err)
{
    struct zone_file file = {.shown = path};
    char draft[PATH_MAX];

    if ((size_t)snprintf(file.path, sizeof file.path, "%s", path) >= sizeof file.path)
        return err_set(err, ERR_LIMIT, "the path of %s is too long", path);
    if (!name_draft(&file, draft, err))
        return false;
    /* A link, unlike a rename, never replaces a file. */
    bool is_created = write_new_draft(draft, text, length) && link(draft, path) == 0;
    int reason = errno;
    unlink(draft);
    errno = reason;
    if (!is_created)
        return reason == EEXIST ? err_set(err, ERR_RULE, "%s exists already", path)
                                : fail(err, &file, "cannot be written");
    sync_folder(&file);
    return true;
}

// timeout: 60
// forks: its tests leave something behind
/* Replacing a zone file: whole or not at all, also when a process ends or edits meanwhile. */
#include "source/zone_file.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/suite.h"

enum { WRITERS = 2, ROUNDS = 40, KILLS = 60, LONG_TEXT = 200000, LIMIT = 4096 };

static struct scratch folder;
static char path[SCRATCH_PATH_MOST + 16];
static char draft[SCRATCH_PATH_MOST + 16];

static void begin(void)
{
    scratch_init(&folder);
    scratch_write(&folder, "a.yaml", "space: abc\n", 11);
    snprintf(path, sizeof path, "%s/a.yaml", folder.path);
    snprintf(draft, sizeof draft, "%s/.a.yaml.new", folder.path);
}

static void end(void)
{
    chmod(folder.path, 0700);
    scratch_close(&folder);
}

static bool replace(const char *text, struct err *err)
{
    struct zone_file file;
    int lock = zone_file_lock(folder.path, err);

    if (lock < 0)
        return false;
    bool is_done =
        zone_file_open(&file, path, lock, err) && zone_file_replace(&file, text, strlen(text), err);
    zone_file_close(&file);
    close(lock);
    return is_done;
}

static void check_text(const char *expected)
{
    size_t length = 0;
    char *text = file_read(path, &length);

    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_mem_eq(text, expected, length);
    free(text);
    ck_assert_int_ne(access(draft, F_OK), 0);
}

FIXTURE(begin, end)

TEST(a_file_is_replaced_and_keeps_its_mode)
{
    struct err err;
    struct stat status;

    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_msg(replace("space: new\n", &err), "%s", err.text);
    check_text("space: new\n");
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0640);
}

TEST(a_link_stays_and_its_target_is_replaced)
{
    struct scratch other;
    struct err err;
    struct stat status;
    char target[SCRATCH_PATH_MOST + 16];

    scratch_init(&other);
    snprintf(target, sizeof target, "%s/a.yaml", other.path);
    ck_assert_int_eq(rename(path, target), 0);
    ck_assert_int_eq(symlink(target, path), 0);
    ck_assert_msg(replace("space: new\n", &err), "%s", err.text);
    check_text("space: new\n");
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_eq(unlink(path), 0);
    scratch_close(&other);
}

static bool remove_file(struct err *err)
{
    struct zone_file file;
    int lock = zone_file_lock(folder.path, err);

    ck_assert_int_ge(lock, 0);
    ck_assert(zone_file_open(&file, path, lock, err));
    bool is_removed = zone_file_remove(&file, err);
    zone_file_close(&file);
    close(lock);
    return is_removed;
}

TEST(a_file_is_removed)
{
    struct err err;

    ck_assert(remove_file(&err));
    ck_assert_int_ne(access(path, F_OK), 0);
}

TEST(a_link_is_removed_and_its_target_stays)
{
    struct scratch other;
    struct err err;
    struct stat status;
    char target[SCRATCH_PATH_MOST + 16];

    scratch_init(&other);
    snprintf(target, sizeof target, "%s/a.yaml", other.path);
    ck_assert_int_eq(rename(path, target), 0);
    ck_assert_int_eq(symlink(target, path), 0);
    ck_assert(remove_file(&err));
    ck_assert_int_ne(lstat(path, &status), 0);
    ck_assert_int_eq(access(target, F_OK), 0);
    scratch_close(&other);
}

TEST(a_file_that_changes_meanwhile_is_not_removed)
{
    struct zone_file file;
    struct err err;
    int lock = zone_file_lock(folder.path, &err);

    ck_assert_int_ge(lock, 0);
    ck_assert(zone_file_open(&file, path, lock, &err));
    scratch_write(&folder, "a.yaml", "space: other\n", 13);
    ck_assert(!zone_file_remove(&file, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "was changed by another program meanwhile"));
    check_text("space: other\n");
    zone_file_close(&file);
    close(lock);
}

TEST(a_file_that_changes_meanwhile_is_not_replaced)
{
    struct zone_file file;
    struct err err;
    int lock = zone_file_lock(folder.path, &err);

    ck_assert_int_ge(lock, 0);
    ck_assert(zone_file_open(&file, path, lock, &err));
    scratch_write(&folder, "a.yaml", "space: other\n", 13);
    ck_assert(!zone_file_replace(&file, "space: new\n", 11, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "was changed by another program meanwhile"));
    check_text("space: other\n");
    zone_file_close(&file);
    close(lock);
}

TEST(a_read_only_file_is_left_alone)
{
    struct err err;

    ck_assert_int_eq(chmod(path, 0444), 0);
    ck_assert(!replace("space: new\n", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is read-only for you; nothing was changed"));
    check_text("space: abc\n");
}

TEST(a_folder_that_cannot_be_written_is_reported)
{
    struct err err;

    if (geteuid() == 0) /* root may write everywhere */
        return;
    ck_assert_int_eq(chmod(folder.path, 0500), 0);
    ck_assert(!replace("space: new\n", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "Permission denied; nothing was changed"));
}

/* As on a full disk, a part of the text is written and the rest is not. */
TEST(a_text_that_the_disk_does_not_take_changes_nothing)
{
    const struct rlimit limit = {.rlim_cur = LIMIT, .rlim_max = LIMIT};
    char text[LIMIT * 2];
    struct err err;

    memset(text, '#', sizeof text);
    text[sizeof text - 1] = '\0';
    ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0); /* of this test's own process */
    ck_assert(!replace(text, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "File too large; nothing was changed"));
    check_text("space: abc\n");
}

TEST(a_file_is_created_and_never_replaces_another)
{
    struct err err;

    ck_assert(!zone_file_create(path, "space: new\n", 11, &err));
    ck_assert_int_eq(err.code, ERR_RULE);
    ck_assert_ptr_nonnull(strstr(err.text, "a.yaml exists already"));
    check_text("space: abc\n");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_msg(zone_file_create(path, "space: new\n", 11, &err), "%s", err.text);
    check_text("space: new\n");
}

TEST(a_file_that_the_disk_does_not_take_is_not_created)
{
    const struct rlimit limit = {.rlim_cur = LIMIT, .rlim_max = LIMIT};
    char text[LIMIT * 2];
    struct err err;

    memset(text, '#', sizeof text);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0); /* of this test's own process */
    ck_assert(!zone_file_create(path, text, sizeof text, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "File too large; nothing was changed"));
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_ne(access(draft, F_OK), 0);
}

/* ---- which properties are kept, and which losses are reported ---- */

static struct err loss_of(const char *text)
{
    struct zone_file file;
    struct err err;
    int lock = zone_file_lock(folder.path, &err);

    ck_assert_int_ge(lock, 0);
    ck_assert(zone_file_open(&file, path, lock, &err));
    ck_assert_msg(zone_file_replace(&file, text, strlen(text), &err), "%s", err.text);
    zone_file_close(&file);
    close(lock);
    return file.loss;
}

TEST(extended_attributes_are_kept)
{
    char value[16];

    if (setxattr(path, "user.origin", "ansible", 7, 0) != 0)
        return; /* a file system without them */
    ck_assert_int_eq(loss_of("space: new\n").code, ERR_NONE);
    check_text("space: new\n");
    ck_assert_int_eq(getxattr(path, "user.origin", value, sizeof value), 7);
    ck_assert_mem_eq(value, "ansible", 7);
}

/* Version 2: owner rw-, user 65534 r--, group ---, mask r--, others ---. */
static const unsigned char nobody_reads[] = {
    2, 0,   0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,   4,
    0, 254, 255, 0,   0,   4,   0,  0, 0,   255, 255, 255, 255, 16,  0,
    4, 0,   255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255,
};

TEST(an_access_list_is_kept)
{
    static const char list[] = "system.posix_acl_access";
    unsigned char kept[sizeof nobody_reads + 1];

    if (setxattr(path, list, nobody_reads, sizeof nobody_reads, 0) != 0)
        return; /* a file system without them */
    ck_assert_int_eq(loss_of("space: new\n").code, ERR_NONE);
    ck_assert_int_eq(getxattr(path, list, kept, sizeof kept), sizeof nobody_reads);
    ck_assert_mem_eq(kept, nobody_reads, sizeof nobody_reads);
}

TEST(a_default_list_of_the_folder_does_not_widen_access)
{
    static const char list[] = "system.posix_acl_access";
    unsigned char kept[64];

    if (setxattr(folder.path, "system.posix_acl_default", nobody_reads, sizeof nobody_reads, 0) !=
        0)
        return;
    ck_assert_int_eq(loss_of("space: new\n").code, ERR_NONE);
    ck_assert_int_eq(getxattr(path, list, kept, sizeof kept), -1);
}

TEST(other_names_of_a_file_are_reported)
{
    char other[SCRATCH_PATH_MOST + 16];

    snprintf(other, sizeof other, "%s/.other", folder.path);
    ck_assert_int_eq(link(path, other), 0);
    struct err loss = loss_of("space: new\n");
    ck_assert_int_eq(loss.code, ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(loss.text, "had 1 more names (hard links), which keep the old"));
    check_text("space: new\n");
}

/* ---- the lock ---- */

static char lock_path[SCRATCH_PATH_MOST + 32];

static const char *lock_file(void)
{
    snprintf(lock_path, sizeof lock_path, "%s/.spacedns.lock", folder.path);
    return lock_path;
}

TEST(the_lock_is_the_owner_s_alone)
{
    struct err err;
    struct stat status;
    int lock = zone_file_lock(folder.path, &err);

    ck_assert_int_ge(lock, 0);
    ck_assert_int_eq(lstat(lock_file(), &status), 0);
    ck_assert(S_ISREG(status.st_mode));
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    /* A user who can only open the folder blocks no one. */
    close(lock);
    int bystander = open(folder.path, O_RDONLY | O_DIRECTORY);
    ck_assert_int_eq(flock(bystander, LOCK_EX | LOCK_NB), 0);
    lock = zone_file_lock(folder.path, &err);
    ck_assert_msg(lock >= 0, "%s", err.text);
    close(lock);
    close(bystander);
}

TEST(a_group_that_may_write_the_folder_may_lock_it)
{
    struct err err;
    struct stat status;

    ck_assert_int_eq(chmod(folder.path, 0770), 0);
    int lock = zone_file_lock(folder.path, &err);
    ck_assert_int_ge(lock, 0);
    close(lock);
    ck_assert_int_eq(stat(lock_file(), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0660);
}

TEST(a_link_instead_of_the_lock_is_not_followed)
{
    struct err err;
    char target[SCRATCH_PATH_MOST + 16];

    snprintf(target, sizeof target, "%s/.target", folder.path);
    ck_assert_int_eq(symlink(target, lock_file()), 0);
    ck_assert_int_eq(zone_file_lock(folder.path, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, ".spacedns.lock is a symbolic link; remove it"));
    ck_assert_int_ne(access(target, F_OK), 0);
}

TEST(a_lock_of_another_user_is_not_taken)
{
    struct err err;
    int lock = zone_file_lock(folder.path, &err);

    close(lock);
    if (chown(lock_file(), 65534, 65534) != 0)
        return; /* only root can */
    ck_assert_int_eq(zone_file_lock(folder.path, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "belongs to user 65534, who could block every edit"));
}

TEST(a_lock_that_is_no_file_is_not_taken)
{
    struct err err;

    ck_assert_int_eq(mkfifo(lock_file(), 0600), 0);
    ck_assert_int_eq(zone_file_lock(folder.path, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, ".spacedns.lock is not a regular file; remove it"));
}

TEST(a_missing_folder_is_reported)
{
    struct err err;

    ck_assert_int_eq(zone_file_lock("/nowhere/zones", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/zones cannot be opened"));
}

/* Adds a line as long as the first text is, again and again, until it is killed. */
static void write_on(char letter, unsigned rounds)
{
    struct zone_file file;
    struct err err;

    for (unsigned i = 0; rounds == 0 || i < rounds; i++) {
        int lock = zone_file_lock(folder.path, &err);
        if (lock < 0 || !zone_file_open(&file, path, lock, &err))
            _exit(1);
        size_t length = file.length + 2;
        char *text = malloc(length);
        memcpy(text, file.text, file.length);
        text[length - 2] = letter;
        text[length - 1] = '\n';
        bool is_done = zone_file_replace(&file, text, length, &err);
        free(text);
        zone_file_close(&file);
        close(lock);
        if (!is_done)
            _exit(1);
    }
    _exit(0);
}

TEST(two_writers_at_once_lose_nothing)
{
    size_t length = 0, lines = 0;

    for (unsigned i = 0; i < WRITERS; i++)
        if (fork() == 0)
            write_on((char)('a' + i), ROUNDS);
    for (unsigned i = 0; i < WRITERS; i++) {
        int status = 1;
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    char *text = file_read(path, &length);
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    ck_assert_uint_eq(lines, 1 + WRITERS * ROUNDS);
    free(text);
}

/* The longer a child lives, the further it has come: it is ended at all the steps of a change. */
TEST(a_writer_that_is_killed_leaves_a_whole_file_and_no_lock)
{
    static char first[LONG_TEXT + 1];
    struct err err;
    size_t length = 0;

    memset(first, '#', LONG_TEXT - 1);
    first[LONG_TEXT - 1] = '\n';
    scratch_write(&folder, "a.yaml", first, LONG_TEXT);
    for (unsigned i = 0; i < KILLS; i++) {
        pid_t child = fork();
        if (child == 0)
            write_on('k', 0);
        for (unsigned turn = 0; turn < i * 200; turn++)
            ck_assert_int_eq(access(path, F_OK), 0); /* the file is there at every moment */
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        char *text = file_read(path, &length);
        ck_assert_uint_ge(length, LONG_TEXT);
        ck_assert_mem_eq(text, first, LONG_TEXT);
        ck_assert_uint_eq((length - LONG_TEXT) % 2, 0);
        free(text);
    }
    ck_assert_msg(replace("space: new\n", &err), "%s", err.text);
    check_text("space: new\n");
}

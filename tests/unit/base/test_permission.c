#include "base/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/suite.h"

enum { NOBODY = 65534, PATH_MOST = SCRATCH_PATH_MOST + 64 };

static struct scratch folder;
static char path[PATH_MOST];
static char text[PERMISSION_TEXT_MOST];

/* Root may do everything, so that it has to become somebody: each test is a process of its own. */
static void set_up(void)
{
    if (geteuid() == 0) {
        ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
        ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
        prctl(PR_SET_DUMPABLE, 1); /* for LeakSanitizer */
    }
    scratch_init(&folder);
    snprintf(path, sizeof path, "%s/closed/file", folder.path);
}

static void tear_down(void)
{
    char closed[PATH_MOST];

    snprintf(closed, sizeof closed, "%s/closed", folder.path);
    chmod(closed, S_IRWXU);
    unlink(path);
    rmdir(closed);
    scratch_close(&folder);
}

FIXTURE(set_up, tear_down)

/* Makes closed/file, the folder with one mode and the file with another. */
static void make(mode_t of_folder, mode_t of_file)
{
    char closed[PATH_MOST];

    snprintf(closed, sizeof closed, "%s/closed", folder.path);
    ck_assert_int_eq(mkdir(closed, S_IRWXU), 0);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(file, 0);
    close(file);
    ck_assert_int_eq(chmod(path, of_file), 0);
    ck_assert_int_eq(chmod(closed, of_folder), 0);
}

static void expect(const char *part)
{
    if (strstr(text, part) == NULL)
        ck_abort_msg("no \"%s\" in: %s", part, text);
}

TEST(another_error_is_only_named)
{
    permission_error(ENOENT, "/nowhere", PERMISSION_READ, text);
    ck_assert_str_eq(text, "No such file or directory");
}

TEST(a_file_that_may_not_be_read_is_explained_with_its_remedy)
{
    char remedy[2 * PATH_MOST], who[PATH_MOST];

    make(0700, 0004);
    permission_error(EACCES, path, PERMISSION_READ, text);
    snprintf(who, sizeof who, "Permission denied: user %s may not read it (owner ",
             permission_user());
    expect(who);
    expect("mode 0004");
    snprintf(remedy, sizeof remedy, "; chmod g+r %s", path);
    expect(remedy);
}

TEST(the_folder_that_may_not_be_entered_is_named)
{
    char closed[PATH_MOST];

    make(0600, 0600);
    permission_error(EACCES, path, PERMISSION_READ, text);
    snprintf(closed, sizeof closed, "may not enter %s/closed (owner ", folder.path);
    expect(closed);
    expect("chmod g+x ");
}

TEST(a_folder_to_write_to_becomes_the_users_own)
{
    char remedy[PATH_MOST + 64];

    make(0500, 0600);
    *strrchr(path, '/') = '\0';
    permission_error(EACCES, path, PERMISSION_OWN, text);
    expect("may not write to it (owner ");
    snprintf(remedy, sizeof remedy, "allow it: chown -R %s %s", permission_user(), path);
    expect(remedy);
    permission_error(EACCES, path, PERMISSION_WRITE, text);
    snprintf(remedy, sizeof remedy, "allow it: chown %s %s", permission_user(), path);
    expect(remedy);
    strcat(path, "/file"); // NOLINT: it was there before
}

TEST(what_the_mode_allows_is_forbidden_by_something_else)
{
    make(0700, 0600);
    permission_error(EACCES, path, PERMISSION_READ, text);
    expect("its mode lets user ");
    expect("the sandbox of a running server");
    expect("restart it");
}

TEST(a_long_path_is_cut_and_ended)
{
    char deep[2 * PERMISSION_TEXT_MOST];

    memset(deep, 'x', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    permission_error(EACCES, deep, PERMISSION_READ, text);
    ck_assert_uint_lt(strlen(text), sizeof text);
}

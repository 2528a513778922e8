#include "spacedns/support_archive.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/suite.h"

static struct scratch folder;
static char path[SCRATCH_PATH_MOST + 32];
static char text[] = "hello\n";
static struct support_part part = {.name = "a.txt", .octets = text, .length = sizeof text - 1};
static struct support_parts parts = {.items = &part, .count = 1};

static void set_up(void)
{
    scratch_init(&folder);
    snprintf(path, sizeof path, "%s/archive.tar.gz", folder.path);
}

static void tear_down(void)
{
    scratch_close(&folder);
}

FIXTURE(set_up, tear_down)

TEST(a_header_has_each_field_at_its_offset)
{
    unsigned char block[USTAR_BLOCK_OCTETS];
    unsigned sum = 0;
    char checksum[8];

    support_archive_header("folder/a.txt", 01234567, 0777, block);

    ck_assert_str_eq((char *)block, "folder/a.txt");
    ck_assert_str_eq((char *)block + 100, "0000600");
    ck_assert_str_eq((char *)block + 124, "00001234567");
    ck_assert_str_eq((char *)block + 136, "00000000777");
    ck_assert_int_eq(block[156], '0');
    ck_assert_mem_eq(block + 257,
                     "ustar\0"
                     "00",
                     8);
    for (size_t i = 0; i < sizeof block; i++)
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    snprintf(checksum, sizeof checksum, "%06o", sum);
    ck_assert_mem_eq(block + 148, checksum, 7);
    ck_assert_int_eq(block[155], ' ');
}

TEST(a_name_that_is_too_long_is_cut)
{
    unsigned char block[USTAR_BLOCK_OCTETS];
    char name[2 * USTAR_NAME_MOST];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    support_archive_header(name, 0, 0, block);
    ck_assert_int_eq(block[USTAR_NAME_MOST - 1], 'x');
    ck_assert_str_eq((char *)block + USTAR_NAME_MOST, "0000600");
}

TEST(an_archive_is_its_owners_alone)
{
    struct stat status;
    struct err err;

    umask(0);
    ck_assert_msg(support_archive_write(&parts, path, "folder", &err), "%s", err.text);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
}

TEST(a_file_that_is_there_stays_as_it_is)
{
    struct err err;
    size_t length;

    scratch_write(&folder, "archive.tar.gz", "mine", 4);
    ck_assert(!support_archive_write(&parts, path, "folder", &err));
    ck_assert_str_eq(err.text, "exists already; name another file, or remove it");
    char *left = file_read(path, &length);
    ck_assert_str_eq(left, "mine");
    free(left);
}

TEST(a_link_is_not_followed)
{
    char target[SCRATCH_PATH_MOST + 32];
    struct stat status;
    struct err err;

    snprintf(target, sizeof target, "%s/target", folder.path);
    ck_assert_int_eq(symlink(target, path), 0);
    ck_assert(!support_archive_write(&parts, path, "folder", &err));
    ck_assert_int_ne(stat(target, &status), 0);
}

TEST(without_gzip_no_file_is_left)
{
    struct stat status;
    struct err err;

    setenv("PATH", folder.path, 1);
    ck_assert(!support_archive_write(&parts, path, "folder", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "gzip cannot be run: "));
    ck_assert_int_ne(lstat(path, &status), 0);
}

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/suite.h"

enum { PATH_MOST = SCRATCH_PATH_MOST + 32, OCTETS_MOST = 16 };

static struct scratch folder;
static char path[PATH_MOST];

static void set_up(void)
{
    scratch_init(&folder);
    snprintf(path, sizeof path, "%s/x", folder.path);
}

static void tear_down(void)
{
    unlink(path);
    rmdir(path);
    scratch_close(&folder);
}

static void expect_refused(const char *at, const char *sentence)
{
    struct err err = {.text = ""};
    size_t length = 7;

    ck_assert_ptr_null(file_read_text(at, OCTETS_MOST, &length, &err));
    ck_assert_str_eq(err.text, sentence);
    ck_assert_uint_eq(length, 7);
}

FIXTURE(set_up, tear_down)

TEST(a_file_is_read_whole_and_ends_in_a_zero)
{
    static const char octets[] = "sixteen octets\0x";
    struct err err;
    size_t length;

    scratch_write(&folder, "x", octets, OCTETS_MOST);
    char *text = file_read_text(path, OCTETS_MOST, &length, &err);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(length, OCTETS_MOST);
    ck_assert_mem_eq(text, octets, OCTETS_MOST);
    ck_assert_int_eq(text[length], '\0');
    free(text);
}

TEST(a_file_with_an_octet_too_many_is_refused)
{
    scratch_write(&folder, "x", "seventeen octets.", OCTETS_MOST + 1);
    expect_refused(path, "is larger than the 16 octets that are read");
}

TEST(a_missing_file_is_reported)
{
    struct err err;
    bool is_missing = false;

    expect_refused(path, "cannot be opened: No such file or directory");
    ck_assert_int_lt(file_open(path, &is_missing, &err), 0);
    ck_assert(is_missing);
}

TEST(a_pipe_without_a_writer_does_not_block)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_refused(path, "is a named pipe (FIFO), not a file");
}

TEST(a_socket_is_no_file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    ck_assert_int_eq(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    expect_refused(path, "is a socket or a device, not a file");
    close(descriptor);
}

TEST(a_folder_and_a_device_are_no_files)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
    expect_refused(path, "is a folder, not a file");
    expect_refused("/dev/null", "is a device, not a file");
    expect_refused("/dev/zero", "is a device, not a file");
}

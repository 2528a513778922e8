#include "spacedns/pulled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

static char folder[] = "/tmp/spacedns-pulled-XXXXXX";

static void make_folder(void)
{
    memcpy(folder + sizeof folder - sizeof "XXXXXX", "XXXXXX", sizeof "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char path[64];

    snprintf(path, sizeof path, "%s/.spacedns-pulled", folder);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

FIXTURE(make_folder, remove_folder)

static struct line_text over(const char *text)
{
    return (struct line_text){.octets = text, .length = strlen(text)};
}

static void write_record(void)
{
    struct lines_writer writer;
    struct err err;

    pulled_begin(&writer, over("id-1"));
    pulled_add(&writer, "test-space", (struct pulled_space){17, 0x9f86d081884c7d65});
    pulled_add(&writer, "test", (struct pulled_space){18, 1});
    ck_assert_msg(pulled_write(&writer, folder, &err), "%s", err.text);
    free(writer.text);
}

TEST(a_record_has_the_revision_and_the_checksum_of_each_space)
{
    struct pulled pulled;
    struct pulled_space found;

    write_record();
    pulled_read(&pulled, folder);
    ck_assert(pulled_find(&pulled, "test-space", &found));
    ck_assert_uint_eq(found.revision, 17);
    ck_assert_uint_eq(found.checksum, 0x9f86d081884c7d65);
    ck_assert(pulled_find(&pulled, "test", &found));
    ck_assert_uint_eq(found.revision, 18);
    ck_assert(!pulled_find(&pulled, "tes", &found));
    ck_assert(!pulled_find(&pulled, "test-spac", &found));
    ck_assert(!pulled_find(&pulled, "", &found));
    pulled_close(&pulled);
}

TEST(a_record_is_of_one_registry)
{
    struct pulled pulled;

    write_record();
    pulled_read(&pulled, folder);
    ck_assert(pulled_is_of(&pulled, over("id-1")));
    ck_assert(!pulled_is_of(&pulled, over("id-2")));
    ck_assert(!pulled_is_of(&pulled, over("")));
    pulled_close(&pulled);
}

TEST(a_folder_without_a_record_knows_nothing)
{
    struct pulled pulled;
    struct pulled_space found;

    pulled_read(&pulled, folder);
    ck_assert(!pulled_is_of(&pulled, over("id-1")));
    ck_assert(!pulled_find(&pulled, "test-space", &found));
    pulled_close(&pulled);
}

static const char *const torn[] = {
    "registry: id-1\nspace: test-space\n",
    "registry: id-1\nspace: test-space x y\n",
    "registry: id-1\nspace: test-space 17\n",
    "space",
    "",
};

TEST_OVER(a_record_that_makes_no_sense_knows_nothing, torn)
{
    struct pulled pulled = {.text = strdup(torn[_i]), .length = strlen(torn[_i])};
    struct pulled_space found;

    ck_assert(!pulled_find(&pulled, "test-space", &found));
    pulled_close(&pulled);
}

TEST(another_text_has_another_checksum)
{
    ck_assert_uint_eq(pulled_checksum("space: a\n", 9), pulled_checksum("space: a\n", 9));
    ck_assert_uint_ne(pulled_checksum("space: a\n", 9), pulled_checksum("space: b\n", 9));
    ck_assert_uint_ne(pulled_checksum("space: a\n", 9), pulled_checksum("space: a\n\n", 10));
}

#include "config/port_range.h"

#include <stdio.h>
#include <string.h>

#include "support/scratch.h"
#include "support/suite.h"

static const struct {
    const char *text;
    uint32_t count;
} files[] = {
    {"32768\t60999\n", 28232},
    {"1024 65535\n", 64512},
    {"40000\t40000\n", 1},
    {"40001\t40000\n", 0},
    {"1024\t65536\n", 0},
    {"0\t60999\n", 0},
    {"32768\n", 0},
    {"", 0},
    {"many ports\n", 0},
};

TEST_LOOP(the_range_is_read_from_its_file, 0, sizeof files / sizeof files[0])
{
    char path[SCRATCH_PATH_MOST + 32];
    struct scratch folder;

    scratch_init(&folder);
    scratch_write(&folder, "range", files[_i].text, strlen(files[_i].text));
    snprintf(path, sizeof path, "%s/range", folder.path);
    ck_assert_uint_eq(port_range_read(path), files[_i].count);
    scratch_close(&folder);
    ck_assert_uint_eq(port_range_read(path), 0);
}

static const struct {
    uint32_t count;
    unsigned tenths;
} sizes[] = {
    {0, 0},       {1, 0},       {2, 10},      {3, 15},      {1000, 99},
    {16383, 139}, {16384, 140}, {17559, 140}, {17561, 141}, {28232, 147},
    {30573, 148}, {30574, 149}, {64512, 159}, {65536, 160},
};

TEST_LOOP(bits_are_told_in_tenths_rounded_down, 0, sizeof sizes / sizeof sizes[0])
{
    ck_assert_uint_eq(port_range_tenths(sizes[_i].count), sizes[_i].tenths);
}

TEST(below_fourteen_bits_they_are_too_few)
{
    struct settings settings = {.upstream_port_count = 0};

    ck_assert(!port_range_is_narrow(&settings)); /* not known */
    settings.upstream_port_count = 16384;
    ck_assert(!port_range_is_narrow(&settings));
    settings.upstream_port_count = 16383;
    ck_assert(port_range_is_narrow(&settings));
}

// wrap: open clock_wall_us
#include "spacedns/spaces.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

static unsigned reads; /* of other-space.yaml */

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, ...);
int64_t __real_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void);

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    reads += strstr(path, "/other-space.yaml") != NULL;
    return __real_open(path, flags, mode);
}

/* By this clock no file was written a moment ago, so that stamps are trusted. */
int64_t __wrap_clock_wall_us(void)
{
    return __real_clock_wall_us() + 3600 * INT64_C(1000000);
}

static void set_up(void)
{
    console_open();
    scratch_copy(&console.zones, "tests/zones_good/other-space.yaml");
    reads = 0;
}

static const struct {
    const char *line, *printed;
} commands[] = {
    {"spaces", "other-space"},
    {"spaces:info --space other-space", "other-space"},
    {"apps --space other-space", ""},
    {"apps:create new-app --space test-space", "new-app"},
    {"spaces:create new-space --cidr 10.77.0.0/16", "new-space.yaml"},
};

FIXTURE(set_up, console_close)

TEST_OVER(a_command_reads_each_zone_file_once, commands)
{
    console_expect_part(commands[_i].line, 0, commands[_i].printed);
    ck_assert_uint_eq(reads, 1);
}

/* Nothing but the two zone files and the lock is in the folder. */
static void check_untouched(void)
{
    static const char *const names[] = {".new-space.yaml.new", "new-space.yaml",
                                        ".test-space.yaml.new"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(!console_file_has(names[i], ""), "%s is there", names[i]);
}

TEST(a_space_that_would_be_refused_is_never_written)
{
    console_expect_part("spaces:create new-space --cidr 10.0.0.0/16", 1, "E-SPACE-OVERLAP: ");
    ck_assert_ptr_nonnull(strstr(console.err, "--cidr gives the space another block"));
    check_untouched();
}

TEST(an_error_that_is_there_already_goes_first)
{
    ck_assert(scratch_edit(&console.zones, "other-space.yaml", "\nspace: ", "\nspice: "));
    console_expect_part("spaces:create new-space --cidr 10.0.0.0/16", 1,
                        "nothing was changed; fix what is there already first");
    ck_assert_ptr_nonnull(strstr(console.err, "/other-space.yaml:"));
    check_untouched();
}

TEST(the_first_space_may_be_created_in_an_empty_folder)
{
    scratch_remove(&console.zones, "other-space.yaml");
    scratch_remove(&console.zones, "test-space.yaml");
    console_expect_part("spaces:create new-space", 0, "ZONES/new-space.yaml\n");
    console_expect_part("spaces", 0, "new-space");
    console_expect_part("spaces:create new-space", 1, "new-space.yaml exists already; ");
}

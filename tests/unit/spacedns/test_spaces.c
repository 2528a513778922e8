// wrap: open clock_wall_us
#include "spacedns/spaces.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "spacedns/apps.h"
#include "spacedns/spaces_create.h"
#include "spacedns/spaces_list.h"
#include "support/scratch.h"
#include "support/suite.h"

static struct scratch zones;
static char socket_path[SCRATCH_PATH_MOST + 32];
static char *printed;
static size_t printed_length;
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
    scratch_init(&zones);
    scratch_copy(&zones, "zones/test-space.yaml");
    scratch_copy(&zones, "tests/zones_good/other-space.yaml");
    snprintf(socket_path, sizeof socket_path, "%s/none.sock", zones.path);
    reads = 0;
}

static void tear_down(void)
{
    scratch_close(&zones);
    free(printed);
    printed = NULL;
}

/* Runs a command, its words separated by blanks, on the folder; its output is in `printed`. */
static int run(session_command *command, const char *line)
{
    enum { WORDS_MOST = 16 };
    char words[256], zones_flag[] = "--zones", socket_flag[] = "--socket";
    char *arguments[WORDS_MOST + 4];
    size_t count = 0;
    struct session session = {.out = open_memstream(&printed, &printed_length)};
    struct err err;

    ck_assert_ptr_nonnull(session.out);
    session.err = session.out;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        ck_assert_uint_lt(count, WORDS_MOST);
        arguments[count++] = word;
    }
    arguments[count++] = zones_flag;
    arguments[count++] = zones.path;
    arguments[count++] = socket_flag;
    arguments[count++] = socket_path;
    ck_assert_msg(invocation_read((int)count, arguments, &session.invocation, &err), "%s",
                  err.text);
    ck_assert(session_init(&session));
    int code = command(&session);
    session_close(&session);
    fclose(session.out);
    return code;
}

static const struct {
    session_command *command;
    const char *line, *printed;
} commands[] = {
    {run_spaces, "spaces", "other-space"},
    {run_spaces_info, "spaces:info --space other-space", "other-space"},
    {run_apps, "apps --space other-space", ""},
    {run_apps_create, "apps:create new-app --space test-space", "new-app"},
    {run_spaces_create, "spaces:create new-space --cidr 10.77.0.0/16", "new-space.yaml"},
};

FIXTURE(set_up, tear_down)

TEST_OVER(a_command_reads_each_zone_file_once, commands)
{
    ck_assert_msg(run(commands[_i].command, commands[_i].line) == EXIT_DONE, "%s", printed);
    ck_assert_ptr_nonnull(strstr(printed, commands[_i].printed));
    ck_assert_uint_eq(reads, 1);
}

/* Nothing but the two zone files and the lock is in the folder. */
static void check_untouched(void)
{
    static const char *const names[] = {".new-space.yaml.new", "new-space.yaml",
                                        ".test-space.yaml.new"};
    size_t length = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[SCRATCH_PATH_MOST + 32];
        snprintf(path, sizeof path, "%s/%s", zones.path, names[i]);
        char *text = file_read(path, &length);
        ck_assert_msg(text == NULL, "%s is there", path);
    }
}

TEST(a_space_that_would_be_refused_is_never_written)
{
    ck_assert_int_eq(run(run_spaces_create, "spaces:create new-space --cidr 10.0.0.0/16"),
                     EXIT_REFUSED);
    ck_assert_msg(strstr(printed, "E-SPACE-OVERLAP: ") != NULL, "%s", printed);
    ck_assert_ptr_nonnull(strstr(printed, "--cidr gives the space another block"));
    check_untouched();
}

TEST(an_error_that_is_there_already_goes_first)
{
    ck_assert(scratch_edit(&zones, "other-space.yaml", "\nspace: ", "\nspice: "));
    ck_assert_int_eq(run(run_spaces_create, "spaces:create new-space --cidr 10.0.0.0/16"),
                     EXIT_REFUSED);
    ck_assert_msg(strstr(printed, "nothing was changed; fix what is there already first") != NULL,
                  "%s", printed);
    ck_assert_ptr_nonnull(strstr(printed, "/other-space.yaml:"));
    check_untouched();
}

TEST(the_first_space_may_be_created_in_an_empty_folder)
{
    scratch_clear(&zones);
    ck_assert_msg(run(run_spaces_create, "spaces:create new-space") == EXIT_DONE, "%s", printed);
    free(printed);
    ck_assert_int_eq(run(run_spaces, "spaces"), EXIT_DONE);
    ck_assert_ptr_nonnull(strstr(printed, "new-space"));
    free(printed);
    ck_assert_int_eq(run(run_spaces_create, "spaces:create new-space"), EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(printed, "new-space.yaml exists already; "));
}

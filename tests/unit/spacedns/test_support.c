#include "spacedns/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static void run(const char *line)
{
    static int nothing[2];

    ck_assert_int_eq(pipe(nothing), 0); /* no terminal to ask at */
    dup2(nothing[0], STDIN_FILENO);
    console_run(line);
}

static bool is_there(const char *name)
{
    struct stat status;
    char path[SCRATCH_PATH_MOST + 64];

    snprintf(path, sizeof path, "%s/%s", console.zones.path, name);
    return lstat(path, &status) == 0;
}

TEST(a_dry_run_lists_what_would_be_written_and_writes_nothing)
{
    run("support ZONES/a.tar.gz --dry-run");

    ck_assert_int_eq(console.code, 0);
    ck_assert_ptr_nonnull(strstr(console.out, "\n  settings.txt "));
    ck_assert_ptr_nonnull(strstr(console.out, "\n  kernel.txt "));
    ck_assert_ptr_nonnull(strstr(console.out, "\n  contents.txt "));
    ck_assert(!is_there("a.tar.gz"));
}

TEST(a_part_that_cannot_be_made_is_listed_with_the_reason)
{
    run("support ZONES/a.tar.gz --dry-run");

    ck_assert_ptr_nonnull(strstr(console.out, "\n  status.json                  -  left out: no "
                                              "server is at "));
}

TEST(the_others_are_written_all_the_same)
{
    run("support ZONES/a.tar.gz --yes");

    ck_assert_int_eq(console.code, 0);
    ck_assert(is_there("a.tar.gz"));
}

TEST(without_a_terminal_it_is_not_written_unasked)
{
    run("support ZONES/a.tar.gz");

    ck_assert_int_eq(console.code, 2);
    ck_assert_ptr_nonnull(strstr(console.err, "there is no terminal to ask at; add --yes"));
    ck_assert_ptr_nonnull(strstr(console.out, "\n  settings.txt ")); /* listed before */
    ck_assert(!is_there("a.tar.gz"));
}

TEST(zone_files_are_only_in_it_on_request)
{
    run("support ZONES/a.tar.gz --dry-run");
    ck_assert_ptr_null(strstr(console.out, "zones/test-space.yaml"));
    run("support ZONES/b.tar.gz --dry-run --with-zones");
    ck_assert_ptr_nonnull(strstr(console.out, "\n  zones/test-space.yaml "));
}

TEST(a_zone_file_with_a_secret_is_left_out)
{
    static const char zone[] = "space: other-space\ncidr: 10.9.0.0/16\nrouters: [10.9.0.7]\n"
                               "vpns: [{name: a, pre_shared_key: planted-4711}]\n";

    scratch_write(&console.zones, "other.yaml", zone, strlen(zone));
    run("support ZONES/a.tar.gz --dry-run --with-zones");
    ck_assert_ptr_nonnull(strstr(console.out, "left out: has a pre_shared_key"));
    ck_assert_ptr_null(strstr(console.out, "4711"));
}

TEST(the_list_as_json_names_every_part)
{
    run("support ZONES/a.tar.gz --dry-run --json");

    ck_assert_ptr_nonnull(strstr(console.out, "\"written\": false"));
    ck_assert_ptr_nonnull(strstr(console.out, "\"name\": \"resolv.conf\""));
    ck_assert_ptr_nonnull(strstr(console.out, "\"problem\": \"no server is at "));
    ck_assert(!is_there("a.tar.gz"));
}

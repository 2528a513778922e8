// forks: its tests leave something behind
#include "spacedns/check.h"

#include <string.h>
#include <unistd.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static void write_space(const char *file, const char *text)
{
    scratch_write(&console.zones, file, text, strlen(text));
}

/* The domain is an app's of test-space.yaml too, which comes first. */
static const char taken[] =
    "space: other-space\n"
    "cidr: 10.9.0.0/16\n"
    "routers: [10.9.0.37, 10.9.16.21]\n"
    "apps:\n"
    "  - name: still-lake-1\n"
    "    internal_routing: true\n"
    "    formation: {web: {dynos: [{number: 1, private_ip: 10.9.128.4}]}}\n"
    "    domains: [{hostname: api.example.com, cname: a-b-1.c-d-2.herokuspace.com}]\n"
    "...\n";

TEST(a_file_is_checked_as_the_folder_is_served_with_it)
{
    write_space("zzz.yaml", taken);
    console_run("check ZONES/zzz.yaml");
    ck_assert_int_eq(console.code, 1);
    ck_assert_msg(strstr(console.out, "ZONES/zzz.yaml:8:") == console.out, "%s", console.out);
    ck_assert_ptr_nonnull(strstr(console.out, "E-DOM-TAKEN"));
    ck_assert_ptr_nonnull(strstr(console.out, "\nZONES/zzz.yaml: 1 file: 1 error, 0 warnings"));
    ck_assert_str_eq(console.err, "");
}

TEST(only_the_findings_of_the_file_are_printed)
{
    write_space("zzz.yaml", taken);
    console_run("check ZONES//test-space.yaml");
    ck_assert_int_eq(console.code, 1);
    ck_assert_ptr_null(strstr(console.out, "zzz.yaml"));
    ck_assert_ptr_nonnull(
        strstr(console.out, "\nZONES/test-space.yaml: 1 file: 0 errors, 2 warnings, 0 notes\n"));
    ck_assert_str_eq(console.err,
                     "Error: other files of ZONES have errors, so the server takes none of them; "
                     "spacedns check ZONES prints them\n");
}

TEST(a_file_of_the_current_folder_needs_no_path)
{
    ck_assert_int_eq(chdir(console.zones.path), 0);
    console_expect_part("check test-space.yaml", 0, "./test-space.yaml: 1 file: 0 errors, 2 warn");
}

TEST(a_file_in_json_is_named_as_a_file)
{
    console_expect_part("check ZONES/test-space.yaml --json", 0, "\"file\": \"");
}

TEST(a_file_that_no_server_reads_is_refused)
{
    write_space("notes.txt", taken);
    console_expect(&(struct console_line){
        "check ZONES/notes.txt", 1, "",
        "Error: ZONES/notes.txt is not a zone file: the server reads names that end in .yaml or "
        ".yml and do not begin with a dot; rename it\n"});
}

static const struct {
    const char *name;
    bool is_noted;
} neighbours[] = {
    {"a.YAML", true}, {"b.yaml~", true}, {"c.json", true}, {".d.yaml", false}, {"notes.txt", false},
};

TEST_OVER(a_file_that_is_not_read_is_noted_if_it_may_be_meant, neighbours)
{
    write_space(neighbours[_i].name, "");
    console_run("check");
    ck_assert_int_eq(console.code, 0);
    ck_assert_int_eq(strstr(console.out, " note N-IGNORED: ") != NULL, neighbours[_i].is_noted);
    ck_assert_int_eq(strstr(console.out, neighbours[_i].name) != NULL, neighbours[_i].is_noted);
}

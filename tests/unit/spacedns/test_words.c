#include "spacedns/words.h"

#include <stdio.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static const struct console_line lists[] = {
    {"words SPACE", 0, "test-space\n", ""},
    {"words APP", 0, "frozen-oasis-70544\nsleepy-river-2739\nopen-plain-1001\n", ""},
    {"words APP -s other", 0, "", ""},
    {"words PCX", 0, "pcx-111aaa111\npcx-222bbb222\n", ""},
    {"words VPN", 0, "office\nbranch\n", ""},
    {"words IP", 0, "10.0.0.37\n10.0.16.21\n", ""},
    {"words HOSTNAME -a frozen-oasis-70544", 0,
     "api.example.com\n*.apps.example.com\nexample.net\n", ""},
    {"words HOSTNAME -a open-plain-1001", 0, "", ""},
    {"words TYPE -a frozen-oasis-70544", 0, "web\nworker\n", ""},
    {"words TYPE.N -a frozen-oasis-70544", 0, "web.1\nweb.2\nworker.1\n", ""},
    {"words app", 2, "",
     "Error: app is no kind of words; they are those of the help, as APP or SPACE\n"},
};

TEST_OVER(names_are_listed_for_a_shell, lists)
{
    console_expect(&lists[_i]);
}

static const char *const orders[] = {"$(reboot)", "`reboot`", "a;reboot", "a&b", "a|b", "two words",
                                     "~root",     "'",        "*",        "a>b", "{a}", "--force"};

TEST_OVER(what_a_shell_would_carry_out_is_no_word, orders)
{
    char line[64];

    snprintf(line, sizeof line, "name: \"%s\"", orders[_i]);
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "name: office", line));
    console_run("words VPN");
    ck_assert_int_eq(console.code, 0);
    ck_assert_str_eq(console.out, "branch\n");
}

TEST(zone_files_with_errors_have_no_names)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "cidr:", "cidr: x #"));
    console_run("words APP");
    ck_assert_int_eq(console.code, 1);
    ck_assert_str_eq(console.out, "");
}

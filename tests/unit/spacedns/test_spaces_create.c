#include "spacedns/spaces_create.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static const struct console_line lines[] = {
    {"spaces:create", 2, "",
     "Error: Missing 1 required arg: NAME; see spacedns help spaces:create\n"},
    {"spaces:create Bad", 1, "",
     "Error: a space name has 3 to 63 of a-z, 0-9 and single inner hyphens, as my-space; "
     "Bad is not one\n"},
    {"spaces:create x --cidr 10.0", 2, "",
     "Error: --cidr is a block such as 10.1.0.0/16, not 10.0\n"},
    {"spaces:create my-space --cidr 10.77.0.0/16", 0, "ZONES/my-space.yaml\n",
     "Creating space my-space... done\n"
     "To load it into a running server, use spacedns reload\n"},
    {"spaces:create test-space --cidr 10.1.0.0/16", 1, "",
     "Creating space test-space... !\n"
     "Error: ZONES/test-space.yaml exists already; move it away, or take another name\n"},
    {"spaces:create two--hyphens --cidr 10.78.0.0/16", 1, "",
     "Creating space two--hyphens... !\n"
     "Error: E-SPACE-NAME: space name `two--hyphens` has two hyphens in a row; a name has "
     "3 or more of a-z, 0-9 and single inner hyphens; nothing was changed\n"},
    {"spaces:create my-space --cidr 8.8.0.0/16", 1, "",
     "Creating space my-space... !\n"
     "Error: E-SPACE-CIDR: `cidr` is 8.8.0.0/16, which is not private; take a /16 inside "
     "10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16; nothing was changed; --cidr gives the "
     "space another block\n"},
    {"spaces:create my-space --cidr 10.77.0.0/16 --color always", 0, "ZONES/my-space.yaml\n",
     "Creating space ⬡ my-space... done\n"
     " ▸    To load it into a running server, use spacedns reload\n"},
};

TEST_OVER(a_space_is_created_or_the_cause_is_printed, lines)
{
    console_expect(&lines[_i]);
}

TEST(a_new_zone_file_has_examples_inside_its_own_block)
{
    ck_assert_int_eq(console_run("spaces:create my-space --cidr 10.77.0.0/16"), 0);
    ck_assert(console_file_has("my-space.yaml", "\nspace: my-space\ncidr: 10.77.0.0/16  # fixed"));
    ck_assert(console_file_has("my-space.yaml", "# routers: [10.77.0.37, 10.77.16.21]\n"));
    ck_assert(console_file_has("my-space.yaml", "spacedns apps:create --space my-space adds"));
    ck_assert(console_file_has("my-space.yaml", "\n...\n"));
    console_expect_part("apps:create first -s my-space", 0, "https://first.herokuapp.com/");
}

/* As a person takes the marks away. */
TEST(the_examples_in_a_new_zone_file_are_valid)
{
    ck_assert_int_eq(console_run("spaces:create my-space --cidr 10.77.0.0/16"), 0);
    while (scratch_edit(&console.zones, "my-space.yaml", "\n# routers:", "\nrouters:") ||
           scratch_edit(&console.zones, "my-space.yaml", "\n# peerings:", "\npeerings:") ||
           scratch_edit(&console.zones, "my-space.yaml", "\n# vpns:", "\nvpns:") ||
           scratch_edit(&console.zones, "my-space.yaml", "\n#   - {", "\n  - {"))
        continue;
    ck_assert_int_eq(console_run("check"), 0);
    ck_assert_msg(strstr(console.out, "2 spaces, 3 apps: 0 errors") != NULL, "%s", console.out);
}

TEST(a_created_space_is_printed_as_json)
{
    console_expect_json("spaces:create new-space --cidr 10.9.0.0/16 --json",
                        "{'space':'new-space','file':'ZONES/new-space.yaml'}");
}

#include "spacedns/spaces_routers.h"

#include <stdlib.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

#define NO_SERVER                                                                                  \
    "No server answers here; to load the change into a running one, use spacedns reload or kill "  \
    "-HUP\n"

TEST(routers_are_listed)
{
    console_expect(&(struct console_line){"spaces:routers", 0,
                                          "=== test-space Routers\n"
                                          " IP          State  AZ\n"
                                          " 10.0.0.37   up\n"
                                          " 10.0.16.21  up\n",
                                          ""});
    console_expect_json("spaces:routers -s test-space --json",
                        "[{'ip':'10.0.0.37','state':'up','az':null},"
                        "{'ip':'10.0.16.21','state':'up','az':null}]");
}

TEST(a_space_without_routers_says_so)
{
    static const char text[] = "space: empty\ncidr: 10.7.0.0/16\n...\n";

    scratch_write(&console.zones, "empty.yaml", text, sizeof text - 1);
    console_expect(
        &(struct console_line){"spaces:routers -s empty", 0, "=== empty has no routers\n", ""});
    console_expect_json("spaces:routers -s empty --json", "[]");
    console_expect(&(struct console_line){
        "spaces:routers", 2, "",
        "Error: Space name required. Write --space NAME; spacedns spaces lists the 2 of ZONES\n"});
}

static const struct console_line changes[] = {
    {"spaces:routers:set 10.0.0.37 --state draining", 0, "",
     "Setting router 10.0.0.37 of test-space to draining... done, "
     "ZONES/test-space.yaml:18\n" NO_SERVER},
    {"spaces:routers:set 10.0.0.37 --state up -s test-space --no-reload", 0, "",
     "Setting router 10.0.0.37 of test-space to up... done, it is so already\n"},
    {"spaces:routers:set 10.0.0.37", 2, "",
     "Error: Missing required flag state; write --state up, draining or down\n"},
    {"spaces:routers:set 10.0.0.37 --state drainin", 2, "",
     "Error: drainin is not a state of a router; did you mean draining? write up, draining or "
     "down\n"},
    {"spaces:routers:set 10.0.0.37 --state crashed", 2, "",
     "Error: crashed is not a state of a router; write up, draining or down\n"},
    {"spaces:routers:set 10.0.0.037 --state up", 2, "",
     "Error: 10.0.0.037 is not an IPv4 address; write it as 10.0.0.37\n"},
    {"spaces:routers:set 10.0.0.38 --state up", 1, "",
     "Setting router 10.0.0.38 of test-space to up... !\n"
     "Error: there is no router 10.0.0.38 in the file; spacedns spaces:routers --space test-space "
     "lists them\n"},
    {"spaces:routers:set 10.0.0.37 --state up -s tst-space", 1, "",
     "Error: there is no space tst-space in ZONES; did you mean test-space? spacedns spaces lists "
     "them\n"},
    {"spaces:routers:add 10.0.0.38 --az us-east-1a", 0, "",
     "Adding router 10.0.0.38 to test-space... done, ZONES/test-space.yaml:18\n" NO_SERVER},
    {"spaces:routers:add 10.0.0.37", 1, "",
     "Adding router 10.0.0.37 to test-space... !\n"
     "Error: router 10.0.0.37 is in the file already; spacedns spaces:routers --space test-space "
     "lists them\n"},
    {"spaces:routers:add 10.0.128.9", 1, "",
     "Adding router 10.0.128.9 to test-space... !\n"
     "Error: E-ROUTER-DYNO: router 10.0.128.9 lies in dyno CIDR 10.0.128.0/20; give the router an "
     "address in 10.0.0.0/20 or 10.0.16.0/20; nothing was changed\n"},
    {"spaces:routers:add 0.0.0.0", 2, "",
     "Error: 0.0.0.0 is not an IPv4 address; write it as 10.0.0.37\n"},
    {"spaces:routers:remove 10.0.0.37", 0, "",
     "Removing router 10.0.0.37 from test-space... done, ZONES/test-space.yaml:18\n" NO_SERVER},
    {"spaces:routers:remove 10.0.0.38", 1, "",
     "Removing router 10.0.0.38 from test-space... !\n"
     "Error: there is no router 10.0.0.38 in the file; spacedns spaces:routers --space test-space "
     "lists them\n"},
};

TEST_OVER(a_change_of_routers_is_reported, changes)
{
    console_expect(&changes[_i]);
}

TEST(changed_routers_are_listed)
{
    console_expect_part("spaces:routers:set 10.0.0.37 --state draining", 0, "");
    console_expect_part("spaces:routers:add 10.0.0.38 --az us-east-1a", 0, "");
    console_expect_part("spaces:routers:remove 10.0.16.21", 0, "");
    console_expect(&(struct console_line){"spaces:routers", 0,
                                          "=== test-space Routers\n"
                                          " IP         State     AZ\n"
                                          " 10.0.0.37  draining\n"
                                          " 10.0.0.38  up        us-east-1a\n",
                                          ""});
    ck_assert(console_file_has("test-space.yaml",
                               "routers: [{ip: 10.0.0.37, state: draining}, {ip: 10.0.0.38, az: "
                               "us-east-1a}]              # or {ip"));
}

/* Neither by its state nor by its removal: an internal app would lose its addresses. */
TEST(the_last_router_that_is_up_stays)
{
    static const char *const lines[] = {"spaces:routers:remove 10.0.16.21",
                                        "spaces:routers:set 10.0.16.21 --state draining",
                                        "spaces:routers:set 10.0.16.21 --state down"};

    console_expect_part("spaces:routers:set 10.0.0.37 --state down", 0, "");
    char *before = console_read("test-space.yaml");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        console_expect_part(lines[i], 1, "E-NO-ROUTER: space test-space has the internal app ");
    char *after = console_read("test-space.yaml");
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}

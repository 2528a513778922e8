#include "spacedns/ps.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static const struct console_line lists[] = {
    {"ps", 2, "", "Error: Missing required flag app; write -a APP\n"},
    {"ps -a frozen-oasis-70544", 0,
     "=== web (2)\n"
     "web.1: up 10.0.130.56\n"
     "web.2: up 10.0.151.218\n"
     "\n"
     "=== worker (1)\n"
     "worker.1: up 10.0.152.218\n",
     ""},
    {"ps -a open-plain-1001", 0,
     "=== web (1)\n"
     "web.1: up 10.0.132.9\n",
     ""},
};

TEST_OVER(dynos_are_listed, lists)
{
    console_expect(&lists[_i]);
}

static const struct {
    const char *line, *json;
} objects[] = {
    {"ps -a sleepy-river-2739 --json", "[{'name':'web.1','type':'web','number':1,'state':'crashed',"
                                       "'private_ip':'10.0.131.7'}]"},
    {"ps -a frozen-oasis-70544 --json",
     "[{'name':'web.1','type':'web','number':1,'state':'up','private_ip':'10.0.130.56'},{"
     "'name':'web.2','type':'web','number':2,'state':'up','private_ip':'10.0.151.218'},{"
     "'name':'worker.1','type':'worker','number':1,'state':'up',"
     "'private_ip':'10.0.152.218'}]"},
};

TEST_OVER(dynos_are_listed_as_json, objects)
{
    console_expect_json(objects[_i].line, objects[_i].json);
}

static const struct console_line changes[] = {
    {"ps:set web.1=down web.2=starting -a frozen-oasis-70544", 0, "",
     "Setting web.1 to down, web.2 to starting on frozen-oasis-70544... done\n"
     "No server answers here; to load the change into a running one, use spacedns reload "
     "or kill -HUP\n"},
    {"ps:set web.1=dwn -a frozen-oasis-70544", 2, "",
     "Error: dwn is not a state of a dyno; did you mean down? write up, starting, idle, "
     "crashed or down\n"},
    {"ps:set web.1=sick -a frozen-oasis-70544", 2, "",
     "Error: sick is not a state of a dyno; write up, starting, idle, crashed or down\n"},
    {"ps:set web1=up -a frozen-oasis-70544", 2, "",
     "Error: web1=up is not of the form TYPE.N=STATE; write it as web.1=up\n"},
    {"ps:set web.01=up -a frozen-oasis-70544", 2, "",
     "Error: web.01=up is not of the form TYPE.N=STATE; write it as web.1=up\n"},
    {"ps:set .1=up -a frozen-oasis-70544", 2, "",
     "Error: .1=up is not of the form TYPE.N=STATE; write it as web.1=up\n"},
    {"ps:set web.1234567890=up -a frozen-oasis-70544", 2, "",
     "Error: web.1234567890=up is not of the form TYPE.N=STATE; write it as web.1=up\n"},
    {"ps:set web.1 -a frozen-oasis-70544", 2, "",
     "Error: web.1 is not of the form TYPE.N=STATE; write it as web.1=up\n"},
    {"ps:set web.1=up web.1=down -a frozen-oasis-70544", 2, "",
     "Error: web.1 is given twice; give it once\n"},
    {"ps:set web.9=up -a frozen-oasis-70544", 1, "",
     "Setting web.9 to up on frozen-oasis-70544... !\n"
     "Error: app frozen-oasis-70544 has no dyno web.9; spacedns ps -a frozen-oasis-70544 "
     "lists its dynos\n"},
    {"ps:set web.1=up", 2, "", "Error: Missing required flag app; write -a APP\n"},
    {"ps:add web -a frozen-oasis-70544", 0, "",
     "Adding web.3 (10.0.128.4) to frozen-oasis-70544... done\n"
     "No server answers here; to load the change into a running one, use spacedns reload "
     "or kill -HUP\n"},
    {"ps:add clock -a frozen-oasis-70544 --ip 10.0.129.9", 0, "",
     "Adding clock.1 (10.0.129.9) to frozen-oasis-70544... done\n"
     "No server answers here; to load the change into a running one, use spacedns reload "
     "or kill -HUP\n"},
    {"ps:add web -a frozen-oasis-70544 --ip 10.0.0.300", 2, "",
     "Error: 10.0.0.300 is not an IPv4 address; write --ip 10.0.128.7\n"},
    {"ps:add web -a frozen-oasis-70544 --ip 0.0.0.0", 2, "",
     "Error: 0.0.0.0 is not an IPv4 address; write --ip 10.0.128.7\n"},
    {"ps:add web -a frozen-oasis-70544 --ip 10.9.0.1", 1, "",
     "Adding web.3 (10.9.0.1) to frozen-oasis-70544... !\n"
     "Error: E-DYNO-IP: dyno web.3 has private_ip 10.9.0.1 outside dyno_cidrs; give it an "
     "address in 10.0.128.0/20 or 10.0.144.0/20; nothing was changed\n"},
    {"ps:add web -a frozen-oasis-70544 --ip 10.0.130.56", 1, "",
     "Adding web.3 (10.0.130.56) to frozen-oasis-70544... !\n"
     "Error: E-DYNO-IP-DUP: private_ip 10.0.130.56 already belongs to the running dyno on "
     "line 41; two running dynos cannot share an address, correct one; nothing was "
     "changed\n"},
    {"ps:remove web.2 -a frozen-oasis-70544", 0, "",
     "Removing web.2 from frozen-oasis-70544... done\n"
     "No server answers here; to load the change into a running one, use spacedns reload "
     "or kill -HUP\n"},
    {"ps:remove web -a frozen-oasis-70544", 2, "",
     "Error: web is not of the form TYPE.N; write it as web.1\n"},
    {"ps:remove web.7 -a frozen-oasis-70544", 1, "",
     "Removing web.7 from frozen-oasis-70544... !\n"
     "Error: app frozen-oasis-70544 has no dyno web.7; spacedns ps -a frozen-oasis-70544 "
     "lists its dynos\n"},
    {"ps:remove worker.1 -a open-plain-1001", 1, "",
     "Removing worker.1 from open-plain-1001... !\n"
     "Error: app open-plain-1001 has no dyno worker.1; spacedns ps -a open-plain-1001 "
     "lists its dynos\n"},
};

TEST_OVER(a_change_of_dynos_is_reported, changes)
{
    console_expect(&changes[_i]);
}

TEST(an_app_without_dynos_is_shown_so)
{
    console_expect_part("ps:remove web.1 -a sleepy-river-2739", 0, "");
    console_expect(&(struct console_line){"ps -a sleepy-river-2739", 0,
                                          "No dynos on sleepy-river-2739\n", ""});
}

TEST(states_that_were_set_are_listed)
{
    console_expect_part("ps:set web.1=idle worker.1=crashed -a frozen-oasis-70544", 0, "");
    console_expect(&(struct console_line){"ps -a frozen-oasis-70544", 0,
                                          "=== web (2)\n"
                                          "web.1: idle 10.0.130.56\n"
                                          "web.2: up 10.0.151.218\n"
                                          "\n"
                                          "=== worker (1)\n"
                                          "worker.1: crashed 10.0.152.218\n",
                                          ""});
}

/* All or nothing: the first of two states is not kept when the second is refused. */
TEST(a_refused_state_changes_nothing)
{
    char *before = console_read("test-space.yaml");

    ck_assert_int_eq(console_run("ps:set web.1=down web.9=up -a frozen-oasis-70544"), 1);
    char *after = console_read("test-space.yaml");
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}

TEST(each_dyno_gets_the_next_number_and_the_next_free_address)
{
    static const char *const lines[] = {"Adding web.3 (10.0.128.4) to",
                                        "Adding web.4 (10.0.128.5) to"};

    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(console_run("ps:add web -a frozen-oasis-70544"), 0);
        ck_assert_msg(strstr(console.err, lines[i]) != NULL, "%s", console.err);
    }
    ck_assert_int_eq(console_run("ps:remove web.3 -a frozen-oasis-70544"), 0);
    ck_assert_int_eq(console_run("ps:add web -a frozen-oasis-70544"), 0);
    ck_assert_ptr_nonnull(strstr(console.err, "Adding web.5 (10.0.128.4) to"));
}

TEST(a_space_without_a_free_address_is_refused)
{
    static const char text[] = "space: small\ncidr: 10.7.0.0/16\ndyno_cidrs: [10.7.128.0/29]\n"
                               "apps:\n  - name: lonely\n...\n";

    scratch_write(&console.zones, "small.yaml", text, sizeof text - 1);
    for (unsigned i = 0; i < 3; i++) /* 8 less 5 that are reserved */
        ck_assert_msg(console_run("ps:add web -a lonely") == 0, "%s", console.err);
    console_expect(&(struct console_line){
        "ps:add web -a lonely", 1, "",
        "Error: space small has no free address left in its dyno_cidrs; remove a dyno, or widen "
        "them\n"});
}

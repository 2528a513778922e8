#include "spacedns/help.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static const struct console_line lines[] = {
    {"help nothing", 2, "", "Error: nothing is not a command; spacedns help lists them\n"},
    {"help staus", 2, "",
     "Error: staus is not a command; did you mean status? spacedns help lists them\n"},
    {"hlep", 2, "", "Error: hlep is not a command; did you mean help? spacedns help lists them\n"},
    {"version", 0, "spacedns " SPACEDNS_VERSION "\n", ""},
    {"policy --json --markdown", 2, "",
     "Error: --json and --markdown exclude each other; give one of them\n"},
    {"schema extra", 2, "", "Error: extra is one operand too many; write spacedns schema\n"},
    {"help version", 0,
     "Usage: spacedns version\n"
     "\n"
     "Print the version\n"
     "\n"
     "of every command\n"
     "  --zones DIR                     folder of zone files; by default SPACEDNS_ZONES "
     "of the environment, else the running server's, else the settings file's, else ./zones; if "
     "the settings name a registry, its zone files are read unless --zones is given\n"
     "  --settings FILE                 settings file of the server; by default the "
     "running server's file and flags, unless --zones is given, else "
     "/etc/spacedns/spacednsd.yaml, if it exists\n"
     "  --socket PATH                   control socket of the running server; by default "
     "SPACEDNS_SOCKET of the environment, else the settings file's, else "
     "/run/spacedns/control.sock\n"
     "  --json                          print JSON\n"
     "  --color WHEN                    colour and signs: always, never or auto; auto "
     "uses them on a terminal, unless NO_COLOR is set\n"
     "  -h, --help                      print the command's help and exit\n",
     ""},
    {"explain http://api.example.com:80/x", 2, "",
     "Error: http://api.example.com:80/x is a web address; write its host alone: spacedns "
     "explain api.example.com\n"},
    {"explain api.example.com --from 10.0.0", 2, "",
     "Error: --from: 10.0.0 is not an address; write one as 10.0.130.56\n"},
    {"explain api.example.com --type NOPE", 2, "",
     "Error: NOPE is not a record type; write one as A or TYPE65\n"},
    {"explain api.example.com --live", 2, "",
     "Error: the answer depends on the client; add --from ADDR, the client's address\n"},
    {"explain api.example.com --from 10.0.130.56", 0,
     "name=api.example.com type=A\n"
     "client=10.0.130.56 class=space space=test-space because of 10.0.0.0/16 "
     "(ZONES/test-space.yaml:14)\n"
     "host=api.example.com kind=custom domain (ZONES/test-space.yaml:34)\n"
     "app=frozen-oasis-70544 space=test-space internal_routing=true web_dynos=2 web_up=2 "
     "(ZONES/test-space.yaml:31)\n"
     "routers up: 10.0.0.37 10.0.16.21 (ZONES/test-space.yaml:18)\n"
     "verdict=NOERROR\n",
     "settings=ZONES/settings zones=ZONES\n"},
    {"explain frozen-oasis-70544 --from 10.0.130.56", 0,
     "name=frozen-oasis-70544 type=A\n"
     "client=10.0.130.56 class=space space=test-space because of 10.0.0.0/16 "
     "(ZONES/test-space.yaml:14)\n"
     "remedy=if it is an app: create it with internal routing; if not: name upstreams, "
     "and list the client's class, or a suffix of the name for it, in recursion_for\n"
     "verdict=REFUSED: Q20 not a name of this space, and no upstream to ask; name one in "
     "upstreams\n",
     "settings=ZONES/settings zones=ZONES\n"
     "frozen-oasis-70544 is an app; its names are those that spacedns domains -a "
     "frozen-oasis-70544 lists\n"},
    {"check", 0,
     "ZONES/test-space.yaml:20:82: warning W-PEER-ROUTE: peering pcx-111aaa111 has no "
     "route to router 10.0.0.37 (in 10.0.0.0/20), 10.0.16.21 (in 10.0.16.0/20), so its "
     "clients get addresses they cannot reach; run: aws ec2 create-route --route-table-id "
     "rtb-your-route-table-id --destination-cidr-block 10.0.0.0/16 "
     "--vpc-peering-connection-id pcx-111aaa111\n"
     "ZONES/test-space.yaml:45:11: warning W-NO-WEB: app sleepy-river-2739 is internal "
     "and has no web dyno that is up, so its names have no addresses; once a web dyno is "
     "up, set its `state`\n"
     "ZONES: 1 file, 1 space, 3 apps: 0 errors, 2 warnings, 0 notes\n",
     ""},
    {"check --strict", 1,
     "ZONES/test-space.yaml:20:82: warning W-PEER-ROUTE: peering pcx-111aaa111 has no "
     "route to router 10.0.0.37 (in 10.0.0.0/20), 10.0.16.21 (in 10.0.16.0/20), so its "
     "clients get addresses they cannot reach; run: aws ec2 create-route --route-table-id "
     "rtb-your-route-table-id --destination-cidr-block 10.0.0.0/16 "
     "--vpc-peering-connection-id pcx-111aaa111\n"
     "ZONES/test-space.yaml:45:11: warning W-NO-WEB: app sleepy-river-2739 is internal "
     "and has no web dyno that is up, so its names have no addresses; once a web dyno is "
     "up, set its `state`\n"
     "ZONES: 1 file, 1 space, 3 apps: 0 errors, 2 warnings, 0 notes\n",
     ""},
    {"check ZONES/none", 1, "",
     "Error: zones folder ZONES/none cannot be opened: No such file or directory; create "
     "it, or name another with --zones\n"},
    {"check --against ZONES", 0,
     "ZONES/test-space.yaml:20:82: warning W-PEER-ROUTE: peering pcx-111aaa111 has no "
     "route to router 10.0.0.37 (in 10.0.0.0/20), 10.0.16.21 (in 10.0.16.0/20), so its "
     "clients get addresses they cannot reach; run: aws ec2 create-route --route-table-id "
     "rtb-your-route-table-id --destination-cidr-block 10.0.0.0/16 "
     "--vpc-peering-connection-id pcx-111aaa111\n"
     "ZONES/test-space.yaml:45:11: warning W-NO-WEB: app sleepy-river-2739 is internal "
     "and has no web dyno that is up, so its names have no addresses; once a web dyno is "
     "up, set its `state`\n"
     "ZONES: 1 file, 1 space, 3 apps: 0 errors, 2 warnings, 0 notes\n",
     ""},
    {"check --against ZONES/none", 1, "",
     "Error: zones folder ZONES/none cannot be opened: No such file or directory; create "
     "it, or name another with --zones\n"},
    {"prove ZONES/none", 1, "",
     "Error: zones folder ZONES/none cannot be opened: No such file or directory; create "
     "it, or name another with --zones\n"},
    {"spaces:zonefile tst-space", 1, "",
     "Error: there is no space tst-space in ZONES; did you mean test-space? spacedns "
     "spaces lists them\n"},
    {"spaces:zonefile test-space --as nobody", 2, "",
     "Error: --as: nobody is not a class of clients; write space, peered, vpn or "
     "external\n"},
    {"spaces:zonefile test-space --as vpn --from 10.0.0.1", 2, "",
     "Error: write --as CLASS or --from ADDR, not both\n"},
    {"spaces:zonefile test-space --from 10.0.0", 2, "",
     "Error: --from: 10.0.0 is not an address; write one as 10.0.130.56\n"},
};

TEST_OVER(what_is_inspected_is_printed_or_the_cause, lines)
{
    console_expect(&lines[_i]);
}

TEST(help_lists_each_command_with_its_operands)
{
    ck_assert_int_eq(console_run("help"), 0);
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        char wanted[256] = "";
        struct text text = text_over(wanted, sizeof wanted - 1);
        const struct command_entry *command = &commands_table[i];
        text_add_string(&text, "\n  ");
        command_add_operands(&text, command);
        text_add_string(&text, " ");
        ck_assert_msg(strstr(console.out, wanted) != NULL, "%s", wanted);
        ck_assert_msg(strstr(console.out, command->help) != NULL, "%s", command->help);
    }
    for (unsigned i = 0; i < GROUP_COUNT; i++)
        ck_assert_msg(strstr(console.out, groups_table[i]) != NULL, "%s", groups_table[i]);
}

TEST_LOOP(help_of_a_command_lists_its_options_and_no_others, COMMAND_HELP + 1, COMMAND_COUNT)
{
    const struct command_entry *command = &commands_table[_i];
    char line[64];

    snprintf(line, sizeof line, "%s --help", command->name);
    ck_assert_int_eq(console_run(line), 0);
    char *asked = strdup(console.out);
    snprintf(line, sizeof line, "help %s", command->name);
    ck_assert_int_eq(console_run(line), 0);
    ck_assert_str_eq(console.out, asked);
    free(asked);
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_entry *option = &options_table[i];
        bool is_wanted = option->is_common || (command->options >> i & 1) != 0;
        snprintf(line, sizeof line, "%s %s ", option->name,
                 option->value == NULL ? "" : option->value);
        ck_assert_msg((strstr(console.out, line) != NULL) == is_wanted, "%s: %s", command->name,
                      line);
    }
}

TEST(the_policy_is_printed_in_three_forms)
{
    console_expect_part("policy", 0, "an app with internal routing and a running web dyno");
    console_expect_part("policy --markdown", 0, "\n| --- | --- |");
    console_expect_part("policy --json", 0, "\"case\": \"ROUTERS\"");
}

TEST(a_schema_is_printed)
{
    console_expect_part("schema", 0, "\"$schema\"");
}

TEST(a_proof_counts_what_it_tried)
{
    console_expect_part("prove", 0, "No outsider learns anything");
    console_expect_part("prove --json", 0, "\"holds\": true,\n  \"counter_example\": null,");
}

TEST(the_version_is_json_too)
{
    console_expect_json("version --json", "{'version':'" SPACEDNS_VERSION "'}");
}

TEST(warnings_are_errors_only_when_checked_strictly)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "state: crashed", "state: up"));
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "[10.0.128.0/20, 10.0.144.0/20]}",
                           "[10.0.0.0/16]}"));
    ck_assert_int_eq(console_run("check --strict"), 0);
    ck_assert_msg(strstr(console.out, "0 errors, 0 warnings, 0 notes\n") != NULL, "%s",
                  console.out);
}

TEST(help_is_printed_as_json)
{
    console_expect_part("help --json", 0, "[\n  {\n    \"name\": \"help\",\n");
    console_expect_part("help reload --json", 0, "{\n  \"name\": \"reload\",\n");
    console_expect_part("reload --help --json", 0,
                        "      \"name\": \"--dry-run\",\n      \"value\": null,\n");
}

/* Each needed option of the table: a line without it, and the error's words for it. */
static const struct {
    enum command_name command;
    enum command_option option;
    const char *line;
    const char *words;
} without[] = {
    {COMMAND_APPS_CREATE, OPTION_SPACE, "apps:create", "apps:create --space "},
    {COMMAND_APPS_DESTROY, OPTION_CONFIRM, "apps:destroy open-plain-1001", "--confirm open-"},
    {COMMAND_DOMAINS, OPTION_APP, "domains", "write -a APP"},
    {COMMAND_DOMAINS_ADD, OPTION_APP, "domains:add new.example.com", "write -a APP"},
    {COMMAND_DOMAINS_REMOVE, OPTION_APP, "domains:remove api.example.com", "write -a APP"},
    {COMMAND_PS, OPTION_APP, "ps", "write -a APP"},
    {COMMAND_PS_ADD, OPTION_APP, "ps:add web", "write -a APP"},
    {COMMAND_PS_REMOVE, OPTION_APP, "ps:remove web.1", "write -a APP"},
    {COMMAND_PS_SCALE, OPTION_APP, "ps:scale web=1", "write -a APP"},
    {COMMAND_PS_SET, OPTION_APP, "ps:set web.1=up", "write -a APP"},
    {COMMAND_SPACES_DESTROY, OPTION_CONFIRM, "spaces:destroy test-space", "--confirm test-space"},
    {COMMAND_SPACES_IMPORT, OPTION_SPACE, "spaces:import t.json", "--space NAME"},
    {COMMAND_SPACES_ROUTERS_SET, OPTION_STATE, "spaces:routers:set 10.0.0.37", "--state up"},
    {COMMAND_SPACES_PEERINGS_ADD, OPTION_CIDR, "spaces:peerings:add pcx-999aaa999", "--cidr 10."},
    {COMMAND_SPACES_PEERINGS_SET, OPTION_STATUS, "spaces:peerings:set pcx-111aaa111", "--status"},
    {COMMAND_SPACES_VPN_ADD, OPTION_CIDR, "spaces:vpn:add branch", "--cidr 10."},
    {COMMAND_SPACES_VPN_SET, OPTION_STATUS, "spaces:vpn:set office", "--status"},
};

static uint64_t tried_without(enum command_name command)
{
    uint64_t tried = 0;

    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
        if (without[i].command == command)
            tried |= UINT64_C(1) << without[i].option;
    return tried;
}

TEST_OVER(without_a_needed_option_a_command_does_nothing_and_names_it, without)
{
    ck_assert_int_ne(console_run(without[_i].line), 0);
    ck_assert_str_eq(console.out, "");
    ck_assert_msg(strstr(console.err, without[_i].words) != NULL, "%s", console.err);
}

TEST(each_needed_option_was_left_out_once)
{
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        ck_assert_msg(tried_without(i) == commands_table[i].needed, "%s", commands_table[i].name);
}

/* Brackets are for what may be left out. */
TEST(usage_has_what_a_command_needs)
{
    console_expect_part("help domains:add", 0, "Usage: spacedns domains:add HOSTNAME --app APP\n");
    console_expect_part("help apps:info", 0, "Usage: spacedns apps:info {APP | --app APP}\n");
    console_expect_part("help records:add", 0,
                        "Usage: spacedns records:add NAME [TTL] [IN] TYPE DATA\n");
    console_expect_part("help apps:create --json", 0,
                        "\"value\": \"SPACE\",\n      \"needed\": true,\n");
}

/* One option of two commands: each finds what it does there. */
TEST(force_of_a_pull_is_about_files)
{
    console_expect_part("help pull", 0, "of a pull, overwrite what was edited in the folder");
}

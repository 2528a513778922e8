#include "spacedns/spaces_import.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

/* Two targets for two domains: which belongs to which is not in a topology. */
static const char topology[] =
    "{\"version\": 1, \"apps\": [{\"id\": \"11111111-2222-3333-4444-555555555555\","
    " \"domains\": [\"a.example.com\", \"*.b.example.com\", \"one.two.herokuspace.com\","
    " \"three.two.herokuspace.com\", \"quiet-lake.herokuapp.com\"],"
    " \"formation\": [{\"id\": \"x\", \"process_type\": \"web\", \"dynos\": [{\"id\": \"y\","
    " \"number\": 1, \"private_ip\": \"10.0.128.9\","
    " \"hostname\": \"1.web.quiet-lake.app.localspace\","
    " \"host_entry\": \"10.0.128.9 1.web.quiet-lake.app.localspace\"}]}]}]}";

static void write_topology(void)
{
    scratch_write(&console.zones, "topo.json", topology, strlen(topology));
}

static const struct console_line lines[] = {
    {"spaces:import ZONES/topo.json", 2, "",
     "Error: Space name required. Write --space NAME, the space to create\n"},
    {"spaces:import ZONES/topo.json -s Bad", 1, "",
     "Error: a space name has 3 to 63 of a-z, 0-9 and single inner hyphens, as my-space; "
     "Bad is not one\n"},
    {"spaces:import ZONES/topo.json -s new-space --cidr nope", 2, "",
     "Error: --cidr is a block such as 10.1.0.0/16, not nope\n"},
    {"spaces:import ZONES/topo.json -s test-space", 1, "",
     "Importing ZONES/topo.json into test-space... !\n"
     "Error: ZONES/test-space.yaml exists already; with --force its apps become those of "
     "the topology, and the rest stays\n"},
    {"spaces:import ZONES/topo.json -s new-space --cidr 10.9.0.0/16", 1, "",
     "Importing ZONES/topo.json into new-space... !\n"
     "Error: E-DYNO-IP: dyno web.1 has private_ip 10.0.128.9 outside dyno_cidrs; give it "
     "an address in 10.9.128.0/20 or 10.9.144.0/20; nothing was changed; --cidr gives the "
     "space another block\n"},
    {"spaces:import ZONES/topo.json -s test-space --force", 0, "ZONES/test-space.yaml\n",
     "Importing ZONES/topo.json into test-space... done\n"
     "The topology does not show which DNS target belongs to which of 2 domains; compare "
     "them with heroku domains.\n"
     "To load it into a running server, use spacedns reload; spacedns plan shows what "
     "would change\n"},
    {"spaces:import ZONES/none.json -s new-space", 1, "",
     "Importing ZONES/none.json into new-space... !\n"
     "Error: ZONES/none.json cannot be opened: No such file or directory; name a file that this "
     "user may read\n"},
    {"spaces:import ZONES -s new-space", 1, "",
     "Importing ZONES into new-space... !\n"
     "Error: ZONES is not a regular file; save the topology to one\n"},
    {"spaces:import ZONES/settings -s new-space", 1, "",
     "Importing ZONES/settings into new-space... !\n"
     "Error: ZONES/settings:1:9: '[' or '{' expected near 'upstreams'; correct it, or "
     "fetch the topology again\n"},
    {"spaces:import ZONES/topo.json -s no-space --force", 1, "",
     "Error: there is no space no-space in ZONES; spacedns spaces lists them\n"},
};

TEST_OVER(a_topology_is_imported_or_the_cause_is_printed, lines)
{
    write_topology();
    console_expect(&lines[_i]);
    ck_assert(!console_file_has("new-space.yaml", ""));
}

TEST(a_new_file_has_all_of_the_topology)
{
    static const char wanted[] = "space: new-space\n"
                                 "cidr: 10.0.0.0/16  # fixed on creation\n"
                                 "# routers: []\n"
                                 "\n"
                                 "apps:\n"
                                 "  - name: quiet-lake\n"
                                 "    id: 11111111-2222-3333-4444-555555555555\n"
                                 "    domains:\n"
                                 "      - {hostname: \"*.b.example.com\", cname: "
                                 "one.two.herokuspace.com}\n"
                                 "      - {hostname: a.example.com, cname: "
                                 "three.two.herokuspace.com}\n"
                                 "    formation:\n"
                                 "      web:\n"
                                 "        dynos:\n"
                                 "          - {number: 1, private_ip: 10.0.128.9}\n"
                                 "...\n";

    write_topology();
    scratch_remove(&console.zones, "test-space.yaml");
    console_expect(&(struct console_line){
        "spaces:import ZONES/topo.json -s new-space", 0, "ZONES/new-space.yaml\n",
        "Importing ZONES/topo.json into new-space... done\n"
        "The topology does not show which DNS target belongs to which of 2 domains; compare them "
        "with heroku domains.\n"});
    char *text = console_read("new-space.yaml");
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(strstr(text, "space: new-space"), wanted);
    ck_assert_ptr_nonnull(
        strstr(text, "# the apps that have it, for that is fixed on creation.\n"));
    free(text);
}

/* By force the apps are those of the topology, and all else stays as it was written. */
TEST(apps_of_a_space_are_replaced_and_the_rest_stays)
{
    write_topology();
    ck_assert_int_eq(console_run("spaces:import ZONES/topo.json -s test-space --force"), 0);
    ck_assert(console_file_has("test-space.yaml", "  - name: quiet-lake\n"));
    ck_assert(!console_file_has("test-space.yaml", "open-plain-1001\n"));
    ck_assert(console_file_has("test-space.yaml", "trusted_ips: [192.0.2.0/26]\n"));
    ck_assert(console_file_has("test-space.yaml", "# or {ip: 10.0.0.37, state: draining"));
    console_expect_part("spaces:topology", 0, "=== quiet-lake (web)\n");
}

/* What a topology lacks is kept of an app that was there. */
TEST(an_app_keeps_what_a_topology_lacks)
{
    char *json;

    ck_assert_int_eq(console_run("spaces:topology --json"), 0);
    json = strdup(console.out);
    scratch_write(&console.zones, "topo.json", json, strlen(json));
    free(json);
    ck_assert_int_eq(console_run("spaces:import ZONES/topo.json -s test-space --force"), 0);
    ck_assert_ptr_null(strstr(console.err, "does not show"));
    console_expect_part("apps:info frozen-oasis-70544", 0, "Internal Routing: true\n");
    console_expect_part("domains -a frozen-oasis-70544", 0,
                        "api.example.com     CNAME            random-haiku-5196.");
    ck_assert(console_file_has("test-space.yaml", "ports: {http: 8080}"));
}

TEST(a_file_in_braces_is_not_spliced)
{
    static const char text[] = "{space: flow, cidr: 10.7.0.0/16}\n...\n";

    write_topology();
    scratch_write(&console.zones, "flow.yaml", text, sizeof text - 1);
    console_expect_part(
        "spaces:import ZONES/topo.json -s flow --force", 1,
        "the zone file is written in braces; nothing was changed; write it in lines");
    char *after = console_read("flow.yaml");
    ck_assert_str_eq(after, text);
    free(after);
}

TEST(an_imported_space_is_printed_as_json)
{
    write_topology();
    console_expect_json("spaces:import ZONES/topo.json -s test-space --force --json",
                        "{'space':'test-space','file':'ZONES/test-space.yaml'}");
    scratch_remove(&console.zones, "test-space.yaml");
    console_expect_json("spaces:import ZONES/topo.json -s new-space --json",
                        "{'space':'new-space','file':'ZONES/new-space.yaml'}");
}

/* ---- standard input ---- */

static void give(const char *text)
{
    char path[SCRATCH_PATH_MOST + 16];

    scratch_write(&console.zones, "input", text, strlen(text));
    snprintf(path, sizeof path, "%s/input", console.zones.path);
    ck_assert_ptr_nonnull(freopen(path, "r", stdin));
}

TEST(a_dash_is_standard_input)
{
    give(topology);
    console_expect_part("spaces:import - -s test-space --force", 0, "ZONES/test-space.yaml\n");
    ck_assert(console_file_has("test-space.yaml", "quiet-lake"));
}

TEST(standard_input_is_named_in_errors)
{
    give("nonsense");
    console_expect_part("spaces:import - -s new-space", 1,
                        "Importing standard input into new-space... !\n"
                        "Error: standard input:1:");
}

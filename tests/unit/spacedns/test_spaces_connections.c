#include "spacedns/spaces_connections.h"

#include <stdlib.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

#define NO_SERVER                                                                                  \
    "No server answers here; to load the change into a running one, use spacedns reload or kill "  \
    "-HUP\n"

static const struct console_line changes[] = {
    {"spaces:peerings:set pcx-222bbb222 --status active -s test-space", 0, "",
     "Setting peering pcx-222bbb222 of test-space to active... done, "
     "ZONES/test-space.yaml:21\n" NO_SERVER},
    {"spaces:peerings:set pcx-111aaa111 --status active --no-reload", 0, "",
     "Setting peering pcx-111aaa111 of test-space to active... done, it is so already\n"},
    {"spaces:peerings:set pcx-333 --status active", 1, "",
     "Setting peering pcx-333 of test-space to active... !\n"
     "Error: there is no pcx-333 in `peerings` of the file; spacedns spaces:peerings --space "
     "test-space lists them\n"},
    {"spaces:peerings:set pcx-111aaa111", 2, "",
     "Error: Missing required flag status; write --status initiating-request, pending-acceptance, "
     "provisioning, active, failed, expired, rejected or deleted\n"},
    {"spaces:peerings:set pcx-111aaa111 --status actve", 2, "",
     "Error: actve is not a status of a peering; did you mean active? write initiating-request, "
     "pending-acceptance, provisioning, active, failed, expired, rejected or deleted\n"},
    {"spaces:vpn:set branch --status active", 0, "",
     "Setting VPN connection branch of test-space to active... done, "
     "ZONES/test-space.yaml:28\n" NO_SERVER},
    {"spaces:vpn:set office --status deprovisioning --no-reload", 0, "",
     "Setting VPN connection office of test-space to deprovisioning... done, "
     "ZONES/test-space.yaml:24\n"},
    {"spaces:vpn:set branch --status up", 2, "",
     "Error: up is not a status of a VPN connection; write pending, provisioning, active, "
     "deprovisioning or failed\n"},
    {"spaces:vpn:set brnch --status active", 1, "",
     "Setting VPN connection brnch of test-space to active... !\n"
     "Error: there is no brnch in `vpns` of the file; spacedns spaces:vpn:connections --space "
     "test-space lists them\n"},
    /* additions let nobody in unless the status says so */
    {"spaces:peerings:add pcx-333 --cidr 10.40.0.0/16,10.41.7.0/24 -s test-space --no-reload", 0,
     "",
     "Adding peering pcx-333 to test-space, pending-acceptance... done, ZONES/test-space.yaml:22\n"
     "It lets nobody in until spacedns spaces:peerings:set pcx-333 --status active --space "
     "test-space\n"},
    {"spaces:peerings:add pcx-333 --cidr 10.40.0.0/16 --status active", 0, "",
     "Adding peering pcx-333 to test-space, active... done, "
     "ZONES/test-space.yaml:22\n" NO_SERVER},
    {"spaces:peerings:add pcx-111aaa111 --cidr 10.40.0.0/16", 1, "",
     "Adding peering pcx-111aaa111 to test-space, pending-acceptance... !\n"
     "Error: pcx-111aaa111 is in `peerings` of the file already; spacedns spaces:peerings --space "
     "test-space lists them\n"},
    {"spaces:peerings:add pcx-333", 2, "",
     "Error: Missing required flag cidr; a peering lets in the clients of its blocks: write --cidr "
     "10.20.0.0/16, several with commas between\n"},
    {"spaces:peerings:add pcx-333 --cidr 10.40.0.0/16,10.41.7", 2, "",
     "Error: --cidr: 10.41.7 is not a block; write one as 10.20.0.0/16, several with commas "
     "between\n"},
    {"spaces:peerings:add pcx-333 --cidr 10.40.0.0/16,", 2, "",
     "Error: --cidr:  is not a block; write one as 10.20.0.0/16, several with commas between\n"},
    {"spaces:peerings:add pcx-333 --cidr 10.40.0.0/16 --status on", 2, "",
     "Error: on is not a status of a peering; write initiating-request, pending-acceptance, "
     "provisioning, active, failed, expired, rejected or deleted\n"},
    {"spaces:vpn:add lab --public-ip 35.161.69.31 --cidr 192.168.9.0/24 --status active "
     "--no-reload",
     0, "", "Adding VPN connection lab to test-space, active... done, ZONES/test-space.yaml:29\n"},
    {"spaces:vpn:add lab --cidr 192.168.9.0/24 --public-ip x", 2, "",
     "Error: --public-ip: x is not an IPv4 address; write one as 35.161.69.30\n"},
    {"spaces:vpn:add lab --cidr 192.168.9.0/24 --no-reload", 0, "",
     "Adding VPN connection lab to test-space, pending... done, ZONES/test-space.yaml:29\n"
     "It lets nobody in until spacedns spaces:vpn:set lab --status active --space test-space\n"},
    {"spaces:peerings:remove pcx-222bbb222", 0, "",
     "Removing peering pcx-222bbb222 from test-space... done, "
     "ZONES/test-space.yaml:21\n" NO_SERVER},
    {"spaces:peerings:remove pcx-333", 1, "",
     "Removing peering pcx-333 from test-space... !\n"
     "Error: there is no pcx-333 in `peerings` of the file; spacedns spaces:peerings --space "
     "test-space lists them\n"},
    {"spaces:vpn:remove branch --no-reload", 0, "",
     "Removing VPN connection branch from test-space... done, ZONES/test-space.yaml:28\n"},
    {"spaces:vpn:remove brnch", 1, "",
     "Removing VPN connection brnch from test-space... !\n"
     "Error: there is no brnch in `vpns` of the file; spacedns spaces:vpn:connections --space "
     "test-space lists them\n"},
};

TEST_OVER(a_change_of_connections_is_reported, changes)
{
    console_expect(&changes[_i]);
}

TEST(a_status_that_was_set_is_listed)
{
    ck_assert_int_eq(console_run("spaces:peerings:set pcx-111aaa111 --status failed"), 0);
    console_expect_part("spaces:peerings", 0,
                        " pcx-111aaa111  customer-managed  10.20.0.0/16  failed\n");
    ck_assert_int_eq(console_run("spaces:vpn:set branch --status active"), 0);
    console_expect_part("spaces:vpn:connections", 0, " branch  active ");
}

TEST(a_refused_status_changes_nothing)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "cidr_blocks: [10.30.0.0/16]",
                           "cidr_blocks: []"));
    char *before = console_read("test-space.yaml");
    console_expect_part("spaces:peerings:set pcx-222bbb222 --status active", 1,
                        "an active peering needs the blocks of the peered VPC");
    char *after = console_read("test-space.yaml");
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}

/* What the rules refuse is not written. */
static const char *const refused[][2] = {
    {"spaces:peerings:add pcx_333 --cidr 10.40.0.0/16 --status active", "E-PCX"},
    {"spaces:peerings:add pcx-333 --cidr 10.0.0.0/16 --status active", "E-PEER-OVERLAP"},
    {"spaces:peerings:add pcx-333 --cidr 10.40.0.1/16", "host bits"},
    {"spaces:vpn:add lab --cidr 0.0.0.0/0 --status active", "E-VPN-ANY"},
    {"spaces:vpn:add lab --cidr 192.168.9.0/24 --public-ip 10.0.3.4", "E-VPN-IP"},
};

TEST_OVER(a_connection_that_the_rules_refuse_is_not_added, refused)
{
    char *before = console_read("test-space.yaml");

    console_expect_part(refused[_i][0], 1, refused[_i][1]);
    char *after = console_read("test-space.yaml");
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}

TEST(an_added_connection_lets_its_clients_in_and_a_removed_one_does_not)
{
    console_expect_part("spaces:peerings:add pcx-333 --cidr 10.40.0.0/16 --status active", 0, "");
    console_expect_part("whoami --from 10.40.1.1", 0, "class=peered space=test-space connection=");
    console_expect_part("spaces:peerings:remove pcx-333", 0, "");
    console_expect_part("whoami --from 10.40.1.1", 0, "class=external");
    console_expect_part("spaces:vpn:add lab --cidr 192.168.9.0/24 --status active", 0, "");
    console_expect_part("whoami --from 192.168.9.7", 0, "class=vpn");
    console_expect_part("spaces:vpn:remove lab", 0, "");
    console_expect_part("whoami --from 192.168.9.7", 0, "class=external");
    console_expect_json("spaces:vpn:remove branch --json",
                        "{'space':'test-space','app':null,'file':'ZONES/test-space.yaml'}");
}

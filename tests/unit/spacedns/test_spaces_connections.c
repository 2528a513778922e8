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

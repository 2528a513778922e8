#include "spacedns/spaces_network.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static const struct console_line views[] = {
    {"spaces", 0,
     " Name        Region  State      Generation  CIDR         Apps\n"
     " test-space          allocated  cedar       10.0.0.0/16  3\n",
     ""},
    {"spaces:info", 0,
     "=== test-space\n"
     "CIDR:       10.0.0.0/16\n"
     "Data CIDR:  172.23.0.0/20\n"
     "State:      allocated\n"
     "Shield:     off\n"
     "Generation: cedar\n",
     ""},
    {"spaces:info -s tst-space", 1, "",
     "Error: there is no space tst-space in ZONES; did you mean test-space? spacedns "
     "spaces lists them\n"},
    {"spaces:ps", 0,
     "=== frozen-oasis-70544 web (2)\n"
     "web.1: up 10.0.130.56\n"
     "web.2: up 10.0.151.218\n"
     "=== frozen-oasis-70544 worker (1)\n"
     "worker.1: up 10.0.152.218\n"
     "=== sleepy-river-2739 web (1)\n"
     "web.1: crashed 10.0.131.7\n"
     "=== open-plain-1001 web (1)\n"
     "web.1: up 10.0.132.9\n",
     ""},
    {"spaces:topology", 0,
     "=== frozen-oasis-70544 (web, worker)\n"
     "Domains: *.apps.example.com\n"
     "         apex-haiku-2201.also-random-3847.herokuspace.com\n"
     "         api.example.com\n"
     "         example.net\n"
     "         frozen-oasis-70544.herokuapp.com\n"
     "         random-haiku-5196.also-random-3847.herokuspace.com\n"
     "         wild-haiku-1188.also-random-3847.herokuspace.com\n"
     "Dynos:   web.1 - 10.0.130.56 - 1.web.frozen-oasis-70544.app.localspace\n"
     "         web.2 - 10.0.151.218 - 2.web.frozen-oasis-70544.app.localspace\n"
     "         worker.1 - 10.0.152.218 - 1.worker.frozen-oasis-70544.app.localspace\n"
     "\n"
     "=== sleepy-river-2739 (web)\n"
     "Domains: drowsy-haiku-7.also-random-3847.herokuspace.com\n"
     "         sleepy-river-2739.herokuapp.com\n"
     "         sleepy.example.com\n"
     "\n"
     "=== open-plain-1001 (web)\n"
     "Domains: open-plain-1001-1234567890ab.herokuapp.com\n"
     "Dynos:   web.1 - 10.0.132.9 - 1.web.open-plain-1001.app.localspace\n",
     ""},
    {"spaces:peerings", 0,
     "=== test-space Peerings\n"
     " PCX ID         Type              CIDR Blocks   Status              VPC ID  AWS "
     "Region  AWS Account ID  Expires\n"
     " pcx-111aaa111  customer-managed  10.20.0.0/16  active\n"
     " pcx-222bbb222  customer-managed  10.30.0.0/16  pending-acceptance\n",
     ""},
    {"spaces:vpn:connections", 0,
     "=== test-space VPN Connections\n"
     " Name    Status  Tunnels  Routable CIDRs  Public IP\n"
     " office  active  UP/DOWN  172.16.0.0/16   35.161.69.30\n"
     " branch  failed           192.168.7.0/24\n",
     ""},
    {"spaces:trusted-ips", 0,
     "=== Trusted IP Ranges\n"
     "192.0.2.0/26\n"
     "Trusted IP rules are applied to this space.\n",
     ""},
    {"spaces:peerings:routes pcx-111aaa111", 0,
     "aws ec2 describe-route-tables --filters Name=vpc-id,Values=vpc-your-vpc-id --query "
     "\"RouteTables[].RouteTableId\" --output text\n"
     "aws ec2 create-route --route-table-id rtb-your-route-table-id "
     "--destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id pcx-111aaa111\n",
     "pcx-111aaa111 has no route to router 10.0.0.37 (in 10.0.0.0/20), 10.0.16.21 (in "
     "10.0.16.0/20), so its clients get addresses they cannot reach. In the peered VPC, "
     "run:\n"},
    {"spaces:peerings:routes pcx-222bbb222", 0,
     "aws ec2 describe-route-tables --filters Name=vpc-id,Values=vpc-your-vpc-id --query "
     "\"RouteTables[].RouteTableId\" --output text\n"
     "aws ec2 create-route --route-table-id rtb-your-route-table-id "
     "--destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id pcx-222bbb222\n",
     "pcx-222bbb222 does not list the routes of its VPC. Unless it has a route to "
     "10.0.0.0/16, run this in the peered VPC, and list what it has as `routes`:\n"},
    {"spaces:peerings:routes pcx-111aaa112", 1, "",
     "Error: there is no peering pcx-111aaa112 in ZONES; did you mean pcx-111aaa111? "
     "spacedns spaces:peerings lists them\n"},
    {"spaces:peerings:routes pcx-111aaa111 -s none", 1, "",
     "Error: there is no space none in ZONES; spacedns spaces lists them\n"},
};

TEST_OVER(a_space_is_shown, views)
{
    console_expect(&views[_i]);
}

TEST(availability_zones_are_shown_and_kept)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "dyno_cidrs: [10.0.128.0/20, ",
                           "affinity: prefer # near\n"
                           "dyno_cidrs: [{cidr: 10.0.128.0/20, az: us-east-1a}, "));
    console_expect_part("spaces:info", 0,
                        "\nDyno CIDR:  10.0.128.0/20 in us-east-1a\nAffinity:   prefer\nState:");
    console_expect_part("whoami --from 10.0.130.56", 0,
                        " space=test-space az=us-east-1a app=frozen-oasis-70544 dyno=web.1 ");
    console_expect_part("whoami --from 10.0.130.56 --json", 0, "\"az\": \"us-east-1a\"");
    console_expect_part("explain api.example.com --from 10.0.130.56", 0,
                        "\naffinity=prefer az=us-east-1a: no router of the client's zone is up, so "
                        "all in turn\n");
    console_expect_part("explain web.frozen-oasis-70544.app.localspace --from 10.0.130.56", 0,
                        "\naffinity=prefer az=us-east-1a: the dynos of the client's zone first\n");
    console_expect_part("explain api.example.com --from 10.0.144.9", 0,
                        "\naffinity=prefer: the client is in no dyno CIDR with an az, so all in "
                        "turn\n");
    console_expect_part("ps:add web -a frozen-oasis-70544", 0, "");
    console_expect_part("spaces:routers:set 10.0.0.37 --state draining", 0, "");
    ck_assert(console_file_has("test-space.yaml",
                               "affinity: prefer # near\n"
                               "dyno_cidrs: [{cidr: 10.0.128.0/20, az: us-east-1a}, "
                               "10.0.144.0/20]"));
}

static const struct {
    const char *line, *json;
} objects[] = {
    {"spaces --json",
     "[{'id':null,'name':'test-space','region':null,'state':'allocated','shield':false,"
     "'generation':'cedar','cidr':'10.0.0.0/16','data_cidr':'172.23.0.0/"
     "20','affinity':'none','apps':3}]"},
    {"spaces:info --json",
     "{'id':null,'name':'test-space','region':null,'state':'allocated','shield':false,"
     "'generation':'cedar','cidr':'10.0.0.0/16','data_cidr':'172.23.0.0/"
     "20','affinity':'none','apps':3}"},
    {"spaces:ps --json",
     "[{'app_id':null,'app_name':'frozen-oasis-70544','dynos':[{'name':'web.1',"
     "'type':'web','state':'up','private_ip':'10.0.130.56'},{'name':'web.2','type':'web',"
     "'state':'up','private_ip':'10.0.151.218'},{'name':'worker.1','type':'worker',"
     "'state':'up','private_ip':'10.0.152.218'}]},{'app_id':null,"
     "'app_name':'sleepy-river-2739','dynos':[{'name':'web.1','type':'web',"
     "'state':'crashed','private_ip':'10.0.131.7'}]},{'app_id':null,"
     "'app_name':'open-plain-1001','dynos':[{'name':'web.1','type':'web','state':'up',"
     "'private_ip':'10.0.132.9'}]}]"},
    {"spaces:peerings --json",
     "[{'type':'customer-managed','pcx_id':'pcx-111aaa111','cidr_blocks':['10.20.0.0/16'],"
     "'status':'active','aws_vpc_id':null,'aws_region':null,'aws_account_id':null,"
     "'expires':null},{'type':'customer-managed','pcx_id':'pcx-222bbb222',"
     "'cidr_blocks':['10.30.0.0/16'],'status':'pending-acceptance','aws_vpc_id':null,"
     "'aws_region':null,'aws_account_id':null,'expires':null}]"},
    {"spaces:vpn:connections --json",
     "[{'id':null,'name':'office','public_ip':'35.161.69.30',"
     "'routable_cidrs':['172.16.0.0/16'],'space_cidr_block':'10.0.0.0/16',"
     "'status':'active','tunnels':[{'ip':'52.44.146.196','status':'UP'},{"
     "'ip':'52.44.146.197','status':'DOWN'}]},{'id':null,'name':'branch','public_ip':null,"
     "'routable_cidrs':['192.168.7.0/24'],'space_cidr_block':'10.0.0.0/16',"
     "'status':'failed','tunnels':[]}]"},
    {"spaces:trusted-ips --json",
     "{'space':{'id':null,'name':'test-space'},'rules':[{'action':'allow',"
     "'source':'192.0.2.0/26'}]}"},
    {"spaces:peerings:routes pcx-111aaa111 --json",
     "{'pcx_id':'pcx-111aaa111','space':'test-space','routes_are':'missing',"
     "'routes':['10.0.128.0/20','10.0.144.0/20'],'missed_routers':['10.0.0.37',"
     "'10.0.16.21'],'needless_routes':[],"
     "'commands':['aws ec2 describe-route-tables --filters Name=vpc-id,Values=vpc-your-vpc-id "
     "--query \\'RouteTables[].RouteTableId\\' --output text',"
     "'aws ec2 create-route --route-table-id rtb-your-route-table-id "
     "--destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id pcx-111aaa111']}"
     ""},
};

TEST_OVER(a_space_is_shown_as_json, objects)
{
    console_expect_json(objects[_i].line, objects[_i].json);
}

/* What a peered VPC routes, what is missing or needless, and the command that mends it. */
static const struct {
    const char *routes, *routes_are, *err, *out;
} peerings[] = {
    {"[10.0.0.0/16]", "complete", "pcx-111aaa111 has routes to the whole of 10.0.0.0/16.\n", ""},
    {"[10.0.0.0/17, 10.0.128.0/17]", "complete",
     "pcx-111aaa111 has routes to the whole of 10.0.0.0/16, in pieces.\n", ""},
    {"[10.0.0.0/16, 10.0.128.0/20]", "complete",
     "The routes inside it are not needed, and these commands remove them.\n",
     "aws ec2 describe-route-tables --filters Name=vpc-id,Values=vpc-your-vpc-id --query "
     "\"RouteTables[].RouteTableId\" --output text\n"
     "aws ec2 delete-route --route-table-id rtb-your-route-table-id --destination-cidr-block "
     "10.0.128.0/20\n"},
    {"[10.0.0.0/18]", "partial",
     "pcx-111aaa111 has routes to every router, but not to the whole of 10.0.0.0/16.",
     "--destination-cidr-block 10.0.0.0/16"},
    {"[]", "missing", "pcx-111aaa111 has no route to router 10.0.0.37",
     "--destination-cidr-block 10.0.0.0/16"},
};

TEST_OVER(routes_of_a_peering_are_judged, peerings)
{
    char wanted[64];

    snprintf(wanted, sizeof wanted, "routes: %s", peerings[_i].routes);
    ck_assert(scratch_edit(&console.zones, "test-space.yaml",
                           "routes: [10.0.128.0/20, 10.0.144.0/20]", wanted));
    console_expect_part("spaces:peerings:routes pcx-111aaa111", 0, peerings[_i].out);
    ck_assert_msg(strstr(console.err, peerings[_i].err) != NULL, "%s", console.err);
    snprintf(wanted, sizeof wanted, "\"routes_are\": \"%s\"", peerings[_i].routes_are);
    console_expect_part("spaces:peerings:routes pcx-111aaa111 --json", 0, wanted);
}

TEST(what_a_space_lacks_is_shown_so)
{
    static const char text[] = "space: empty\ncidr: 10.7.0.0/16\n...\n";
    static const struct {
        const char *line, *out;
    } lines[] = {
        {"spaces:ps -s empty", "No dynos on empty\n"},
        {"spaces:peerings -s empty", "=== empty has no peerings\n"},
        {"spaces:vpn:connections -s empty", "=== empty has no VPN connections\n"},
        {"spaces:trusted-ips -s empty",
         "=== empty has no trusted IP ranges. All inbound web requests to dynos are "
         "blocked.\n"},
    };

    scratch_write(&console.zones, "empty.yaml", text, sizeof text - 1);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        console_expect_part(lines[i].line, 0, lines[i].out);
}

TEST(one_of_several_spaces_must_be_named)
{
    static const char text[] = "space: empty\ncidr: 10.7.0.0/16\n...\n";

    scratch_write(&console.zones, "empty.yaml", text, sizeof text - 1);
    console_expect(&(struct console_line){"spaces:info --color always", 2, "",
                                          " ▸    \033[31mError:\033[0m Space name required. Write "
                                          "--space NAME; spacedns spaces lists the 2 of "
                                          "ZONES\n"});
}

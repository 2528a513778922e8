#include "spacedns/snippet.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static const struct console_line lines[] = {
    {"snippet dnsmask", 2, "", "Error: there is no snippet for dnsmask; did you mean dnsmasq?\n"},
    {"snippet nothing", 2, "",
     "Error: there is no snippet for nothing; write spacedns snippet "
     "dnsmasq|unbound|bind|systemd-resolved|route53|resolv.conf\n"},
    {"snippet dnsmasq -s test-spaces", 1, "",
     "Error: there is no space test-spaces in ZONES; did you mean test-space? spacedns spaces "
     "lists them\n"},
    {"snippet dnsmasq -s zzz", 1, "",
     "Error: there is no space zzz in ZONES; spacedns spaces lists them\n"},
    {"snippet dnsmasq", 1, "",
     "Error: the server has no address that other hosts can reach: the space has no "
     "`listen`, and the settings list none; name it with --to ADDR\n"},
    {"snippet dnsmasq --to 0.0.0.0", 2, "",
     "Error: --to 0.0.0.0 is not the address of a server; write 10.0.0.2, or "
     "10.0.0.2:5300\n"},
    {"snippet dnsmasq --to nowhere", 2, "",
     "Error: --to nowhere is not the address of a server; write 10.0.0.2, or "
     "10.0.0.2:5300\n"},
    {"snippet resolv.conf --to 10.0.0.2:5300", 1, "",
     "Error: resolv.conf cannot name a port, and the server listens at 10.0.0.2 port "
     "5300; let it listen at port 53, or give another address with --to\n"},
    {"snippet resolv.conf --to 10.0.0.2", 0,
     "# spacedns resolves everything for dynos of space test-space.\n"
     "# Save as /etc/resolv.conf. For clients in a peered VPC or behind a VPN, only if "
     "the server's\n"
     "# setting recursion_for gives their class all names; a second, foreign nameserver would "
     "not\n# know our names.\n"
     "nameserver 10.0.0.2\n"
     "options edns0 ndots:1 timeout:2 attempts:3\n",
     "settings=ZONES/settings zones=ZONES\n"},
    {"snippet resolv.conf --to 10.0.0.2 --by suffix", 2, "",
     "Error: resolv.conf sends every name to the server; leave out --by\n"},
    {"snippet bind --to 10.0.0.2 --by suffixes", 2, "",
     "Error: --by is name or suffix, not suffixes\n"},
    {"snippet bind --to 10.0.0.2 --as space", 2, "",
     "Error: --as: a resolver is forwarded to from a peered VPC or a VPN site; write peered or "
     "vpn, not space\n"},
    {"snippet bind --to 10.0.0.2 --by suffix", 1, "",
     "Error: the server has no upstreams, so it answers no whole suffix; name some in the setting "
     "upstreams, or write --by name\n"},
    {"snippet unbound --to 10.0.0.2 --zones ZONES/none", 1, "",
     "Error: zones folder ZONES/none cannot be opened: No such file or directory; create "
     "it, or name another with --zones\n"},
};

TEST_OVER(a_snippet_is_printed_or_the_cause, lines)
{
    console_expect(&lines[_i]);
}

/* Names that clients of other resolvers ask for: of internal apps only, and no dyno's. */
TEST(a_snippet_has_the_names_of_internal_apps)
{
    console_expect_json(
        "snippet dnsmasq --to 10.0.0.2 --json",
        "{'space':'test-space','by':'name','servers':[{'ip':'10.0.0.2','port':53}],'names':["
        "'apex-haiku-2201.also-random-3847.herokuspace.com','api.example.com',"
        "'apps.example.com','drowsy-haiku-7.also-random-3847.herokuspace.com',"
        "'frozen-oasis-70544.herokuapp.com','localspace',"
        "'random-haiku-5196.also-random-3847.herokuspace.com',"
        "'sleepy-river-2739.herokuapp.com','sleepy.example.com',"
        "'wild-haiku-1188.also-random-3847.herokuspace.com'],"
        "'apexes':['example.net']}");
}

/* Where clients find the server: --to, else the space's `listen`, else the settings. */
static const struct {
    const char *settings, *listen, *flag, *servers;
} places[] = {
    {"", "", " --to 10.9.9.9:5300", "[{\"ip\": \"10.9.9.9\", \"port\": 5300}]"},
    {"", "", " --to fd00::9", "[{\"ip\": \"fd00::9\", \"port\": 53}]"},
    {"listen: [10.0.0.2]\n", "[10.0.0.2]", " --to 10.9.9.9",
     "[{\"ip\": \"10.9.9.9\", \"port\": 53}]"},
    {"", "[10.0.0.2, 10.0.0.3]", "",
     "[{\"ip\": \"10.0.0.2\", \"port\": 53}, {\"ip\": \"10.0.0.3\", \"port\": 53}]"},
    {"listen: [10.0.0.2:5300]\n", "[10.0.0.2]", "", "[{\"ip\": \"10.0.0.2\", \"port\": 5300}]"},
    {"listen: [\"0.0.0.0:5301\"]\n", "[10.0.0.2]", "", "[{\"ip\": \"10.0.0.2\", \"port\": 5301}]"},
    {"listen: [127.0.0.1, 10.0.0.7]\n", "", "", "[{\"ip\": \"10.0.0.7\", \"port\": 53}]"},
};

TEST_OVER(a_snippet_names_the_server_that_clients_reach, places)
{
    char settings[128], listen[128], line[128], wanted[160];

    snprintf(settings, sizeof settings, "upstreams: none\n%s", places[_i].settings);
    scratch_write(&console.zones, "settings", settings, strlen(settings));
    snprintf(listen, sizeof listen, "space: test-space\nlisten: %s\n", places[_i].listen);
    if (places[_i].listen[0] != '\0')
        ck_assert(scratch_edit(&console.zones, "test-space.yaml", "space: test-space\n", listen));
    snprintf(line, sizeof line, "snippet dnsmasq --json%s", places[_i].flag);
    snprintf(wanted, sizeof wanted, "\"servers\": %s,\n", places[_i].servers);
    console_expect_part(line, 0, wanted);
}

#define PLATFORM "herokuapp.com, herokuspace.com, herokudns.com"
#define PLATFORM_RULES "\"herokuapp.com\", \"herokudns.com\", \"herokuspace.com\""

/*
 * The setting, the arguments, and the names with rules by suffix; NULL: by name. The space has a
 * peering and a VPN, so the default is for both.
 */
static const struct {
    const char *recursion_for, *arguments, *names;
} rules[] = {
    {"[space]", "", NULL},
    {"{peered: [" PLATFORM ", example.com, example.net]}", "", NULL},
    {"{peered: [" PLATFORM ", example.com, example.net]}", " --as vpn", NULL},
    {"{peered: [" PLATFORM ", example.com, example.net]}", " --as peered",
     "\"example.com\", \"example.net\", " PLATFORM_RULES ", \"localspace\""},
    {"{peered: [" PLATFORM ", example.com, example.net]}", " --as peered --by name", NULL},
    {"{peered: [" PLATFORM ", example.com, example.net], vpn: all}", "",
     "\"example.com\", \"example.net\", " PLATFORM_RULES ", \"localspace\""},
    /* a suffix of one class lies below one of the other */
    {"{peered: [com, net], vpn: [" PLATFORM ", example.com, net]}", "",
     "\"example.com\", " PLATFORM_RULES ", \"localspace\", \"net\""},
    /* all: the platform's suffixes, and the domains above custom domains */
    {"[peered, vpn]", "", "\"example.com\", \"example.net\", " PLATFORM_RULES ", \"localspace\""},
    /* a name below no suffix: by name, unless suffixes are wished for */
    {"{peered: [" PLATFORM ", example.com]}", " --as peered", NULL},
    {"{peered: [herokuapp.com, herokuspace.com, apps.example.com]}", " --as peered --by suffix",
     "\"api.example.com\", \"apps.example.com\", \"herokuapp.com\", \"herokuspace.com\", "
     "\"localspace\", \"sleepy.example.com\""},
};

TEST_OVER(whole_suffixes_have_one_rule_where_all_names_are_below_some, rules)
{
    char settings[256], line[128], wanted[256];

    snprintf(settings, sizeof settings, "upstreams: [10.9.9.9]\nrecursion_for: %s\n",
             rules[_i].recursion_for);
    scratch_write(&console.zones, "settings", settings, strlen(settings));
    snprintf(line, sizeof line, "snippet dnsmasq --to 10.0.0.2 --json%s", rules[_i].arguments);
    if (rules[_i].names == NULL) {
        console_expect_part(line, 0, "\"by\": \"name\"");
        console_expect_part(line, 0, "\"frozen-oasis-70544.herokuapp.com\", ");
        return;
    }
    console_expect_part(line, 0, "\"by\": \"suffix\"");
    snprintf(wanted, sizeof wanted, "\"names\": [%s],\n", rules[_i].names);
    console_expect_part(line, 0, wanted);
}

/* What to set so that suffixes are enough; what other classes may ask for stays. */
static const struct {
    const char *recursion_for, *arguments, *setting;
} advice[] = {
    {"[space]", " --as peered",
     "recursion_for: {space: all, peered: [" PLATFORM ", example.com, example.net]}"},
    {"{space: [a.b, c.d]}", " --as vpn",
     "recursion_for: {space: [a.b, c.d], vpn: [" PLATFORM ", example.com, example.net]}"},
    {"{peered: [api.example.com, x.y]}", " --as peered",
     "recursion_for: {peered: [x.y, " PLATFORM ", example.com, example.net]}"},
};

TEST_OVER(a_snippet_by_name_tells_the_setting_for_suffixes, advice)
{
    char settings[256], line[128];

    snprintf(settings, sizeof settings, "upstreams: [10.9.9.9]\nrecursion_for: %s\n",
             advice[_i].recursion_for);
    scratch_write(&console.zones, "settings", settings, strlen(settings));
    snprintf(line, sizeof line, "snippet dnsmasq --to 10.0.0.2%s", advice[_i].arguments);
    console_expect_part(line, 0, advice[_i].setting);
}

/* Below co.uk and the like others register names, so that is no suffix of a space's own. */
TEST(the_suffix_of_a_domain_is_no_registry)
{
    static const char settings[] = "upstreams: [10.9.9.9]\nrecursion_for: [peered, vpn]\n";

    scratch_write(&console.zones, "settings", settings, sizeof settings - 1);
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "hostname: api.example.com",
                           "hostname: shop.co.uk"));
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "hostname: sleepy.example.com",
                           "hostname: a.b.deep.example.org"));
    console_expect_part("snippet dnsmasq --to 10.0.0.2 --json", 0,
                        "\"names\": [\"b.deep.example.org\", \"example.com\", "
                        "\"example.net\", " PLATFORM_RULES ", \"localspace\", \"shop.co.uk\"]");
}

TEST(one_of_several_spaces_must_be_named)
{
    static const char text[] = "space: empty\ncidr: 10.7.0.0/16\n...\n";

    scratch_write(&console.zones, "empty.yaml", text, sizeof text - 1);
    console_expect_part("snippet dnsmasq --to 10.0.0.2", 2,
                        "which space? ZONES has several; name one with --space SPACE");
    console_expect_part("snippet dnsmasq --to 10.0.0.2 -s empty", 0, "space empty, asked");
}

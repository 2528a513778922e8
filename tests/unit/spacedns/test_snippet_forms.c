#include "spacedns/snippet_forms.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static const struct snippet_server servers[] = {
    {.ip = "10.0.0.2", .port = 53},
    {.ip = "fd00::2", .port = 5300, .is_ipv6 = true},
};
static const char *const names[] = {"api.example.com", "localspace"};
static const char *const apexes[] = {"example.net"};

/* What each form prints for two servers, two names and an apex. */
static const struct {
    const char *name, *text;
} forms[] = {
    {"dnsmasq",
     "# Names of space test-space, asked of spacedns.\n"
     "# Save as /etc/dnsmasq.d/spacedns.conf; then systemctl restart dnsmasq.\n"
     "# Make it again when apps or domains are added: nothing else is forwarded.\n"
     "# A rule holds for all names below its own, too, such as _acme-challenge.NAME:\n"
     "# the server refuses them (Q20), unless it is set to answer whole suffixes to\n"
     "# clients of class peered. Then --by suffix makes one rule for each:\n"
     "#     recursion_for: {peered: [example.com]}\n"
     "# localspace is for _whoami.localspace and the like: localspace_to does not let clients of\n"
     "# class peered ask for names of processes and dynos.\n"
     "# The answers hold private addresses: rebind-domain-ok lets them through stop-dns-rebind.\n"
     "# They are not signed: dnsmasq does not validate names that have servers of their own,\n"
     "# unless you gave these a trust-anchor.\n"
     "\n"
     "server=/api.example.com/10.0.0.2#53\n"
     "server=/api.example.com/fd00::2#5300\n"
     "rebind-domain-ok=/api.example.com/\n"
     "server=/localspace/10.0.0.2#53\n"
     "server=/localspace/fd00::2#5300\n"
     "rebind-domain-ok=/localspace/\n"
     "\n"
     "# These names have records elsewhere too (MX, www and so on), which would be\n"
     "# asked here as well, and refused. Take the marks away only when the setting\n"
     "# recursion_for lets clients of class peered ask for them.\n"
     "#server=/example.net/10.0.0.2#53\n"
     "#server=/example.net/fd00::2#5300\n"
     "#rebind-domain-ok=/example.net/\n"},
    {"unbound",
     "# Names of space test-space, asked of spacedns.\n"
     "# Save as /etc/unbound/unbound.conf.d/spacedns.conf; then unbound-checkconf && systemctl "
     "reload unbound.\n"
     "# Make it again when apps or domains are added: nothing else is forwarded.\n"
     "# A rule holds for all names below its own, too, such as _acme-challenge.NAME:\n"
     "# the server refuses them (Q20), unless it is set to answer whole suffixes to\n"
     "# clients of class peered. Then --by suffix makes one rule for each:\n"
     "#     recursion_for: {peered: [example.com]}\n"
     "# localspace is for _whoami.localspace and the like: localspace_to does not let clients of\n"
     "# class peered ask for names of processes and dynos.\n"
     "# The answers hold private addresses: private-domain lets them through private-address.\n"
     "# They are not signed, and zones above them such as herokuapp.com are: domain-insecure "
     "keeps\n"
     "# them from SERVFAIL.\n"
     "\n"
     "server:\n"
     "    private-domain: \"api.example.com\"\n"
     "    domain-insecure: \"api.example.com\"\n"
     "    private-domain: \"localspace\"\n"
     "    domain-insecure: \"localspace\"\n"
     "forward-zone:\n"
     "    name: \"api.example.com\"\n"
     "    forward-addr: 10.0.0.2@53\n"
     "    forward-addr: fd00::2@5300\n"
     "forward-zone:\n"
     "    name: \"localspace\"\n"
     "    forward-addr: 10.0.0.2@53\n"
     "    forward-addr: fd00::2@5300\n"
     "\n"
     "# These names have records elsewhere too (MX, www and so on), which would be\n"
     "# asked here as well, and refused. Take the marks away only when the setting\n"
     "# recursion_for lets clients of class peered ask for them.\n"
     "#server:\n"
     "#    private-domain: \"example.net\"\n"
     "#    domain-insecure: \"example.net\"\n"
     "#forward-zone:\n"
     "#    name: \"example.net\"\n"
     "#    forward-addr: 10.0.0.2@53\n"
     "#    forward-addr: fd00::2@5300\n"},
    {"bind",
     "// Names of space test-space, asked of spacedns.\n"
     "// Save as /etc/bind/spacedns.conf; then include it in named.conf.local, and rndc reconfig.\n"
     "// Make it again when apps or domains are added: nothing else is forwarded.\n"
     "// A rule holds for all names below its own, too, such as _acme-challenge.NAME:\n"
     "// the server refuses them (Q20), unless it is set to answer whole suffixes to\n"
     "// clients of class peered. Then --by suffix makes one rule for each:\n"
     "//     recursion_for: {peered: [example.com]}\n"
     "// localspace is for _whoami.localspace and the like: localspace_to does not let clients of\n"
     "// class peered ask for names of processes and dynos.\n"
     "//      include \"/etc/bind/spacedns.conf\";\n"
     "// The answers are not signed, and zones above them such as herokuapp.com are. This goes\n"
     "// into `options` of named.conf.options:\n"
     "//      validate-except {\n"
     "//          \"api.example.com\"; \"localspace\";\n"
     "//      };\n"
     "// They hold private addresses. Only if you have deny-answer-addresses, add after its "
     "block:\n"
     "// except-from with these same names.\n"
     "\n"
     "zone \"api.example.com\" { type forward; forward only; forwarders { 10.0.0.2 port 53; "
     "fd00::2 port 5300; }; };\n"
     "zone \"localspace\" { type forward; forward only; forwarders { 10.0.0.2 port 53; fd00::2 "
     "port 5300; }; };\n"
     "\n"
     "// These names have records elsewhere too (MX, www and so on), which would be\n"
     "// asked here as well, and refused. Take the marks away only when the setting\n"
     "// recursion_for lets clients of class peered ask for them.\n"
     "//zone \"example.net\" { type forward; forward only; forwarders { 10.0.0.2 port 53; fd00::2 "
     "port 5300; }; };\n"},
    {"systemd-resolved",
     "#!/bin/sh\n"
     "# Names of space test-space, asked of spacedns.\n"
     "# Save as spacedns-resolved.sh; then run it with sh as root whenever the link has come up.\n"
     "# Make it again when apps or domains are added: nothing else is forwarded.\n"
     "# A rule holds for all names below its own, too, such as _acme-challenge.NAME:\n"
     "# the server refuses them (Q20), unless it is set to answer whole suffixes to\n"
     "# clients of class peered. Then --by suffix makes one rule for each:\n"
     "#     recursion_for: {peered: [example.com]}\n"
     "# localspace is for _whoami.localspace and the like: localspace_to does not let clients of\n"
     "# class peered ask for names of processes and dynos.\n"
     "# The link is the one by which this host reaches the server, and has no DNS servers but\n"
     "# these: that of a VPN, say. Servers for the whole host (DNS= in resolved.conf) would be\n"
     "# asked for all other names, too. Where a host has one link for everything, give its\n"
     "# present servers to the whole host, and none to the link (UseDNS=no in its .network).\n"
     "# From systemd 258, this does without a link: save it as\n"
     "# /etc/systemd/dns-delegate.d/spacedns.dns-delegate, and list the domains, without ~, in\n"
     "# /etc/dnssec-trust-anchors.d/spacedns.negative if DNSSEC is on:\n"
     "#     [Delegate]\n"
     "#     DNS=10.0.0.2:53 [fd00::2]:5300\n"
     "#     Domains=~api.example.com ~localspace\n"
     "# The answers are not signed, and herokuapp.com is: the link has no DNSSEC.\n"
     "set -eu\n"
     "link=${link:-tun0}\n"
     "\n"
     "resolvectl dns \"$link\" '10.0.0.2:53' '[fd00::2]:5300'\n"
     "resolvectl dnssec \"$link\" no\n"
     "resolvectl default-route \"$link\" no\n"
     "resolvectl domain \"$link\" '~api.example.com' '~localspace'\n"
     "\n"
     "# These names have records elsewhere too (MX, www and so on), which would be\n"
     "# asked here as well, and refused. Take the marks away only when the setting\n"
     "# recursion_for lets clients of class peered ask for them.\n"
     "#resolvectl domain \"$link\" '~api.example.com' '~localspace' '~example.net'\n"},
    {"route53",
     "#!/bin/sh\n"
     "# Names of space test-space, asked of spacedns.\n"
     "# Save as spacedns-route53.sh; then change the two ids and run it with sh.\n"
     "# Make it again when apps or domains are added: nothing else is forwarded.\n"
     "# A rule holds for all names below its own, too, such as _acme-challenge.NAME:\n"
     "# the server refuses them (Q20), unless it is set to answer whole suffixes to\n"
     "# clients of class peered. Then --by suffix makes one rule for each:\n"
     "#     recursion_for: {peered: [example.com]}\n"
     "# localspace is for _whoami.localspace and the like: localspace_to does not let clients of\n"
     "# class peered ask for names of processes and dynos.\n"
     "# It may run again at any time: rules that exist get these targets, others are created.\n"
     "# Rules of names that are gone are left alone.\n"
     "# The endpoint is an outbound endpoint of Route 53 Resolver in a VPC that is peered with\n"
     "# the space; its security group lets UDP and TCP out to the server.\n"
     "# The answers are not signed: if names give SERVFAIL where the VPC validates DNSSEC, run\n"
     "#     aws route53resolver update-resolver-dnssec-config --validation DISABLE --resource-id "
     "\"$vpc\"\n"
     "set -eu\n"
     "endpoint=${endpoint:-rslvr-out-your-endpoint-id}\n"
     "vpc=${vpc:-vpc-your-vpc-id}\n"
     "rules=$(aws route53resolver list-resolver-rules --output text --query \\\n"
     "    \"ResolverRules[?ResolverEndpointId=='$endpoint'].[DomainName, Id]\")\n"
     "associated=$(aws route53resolver list-resolver-rule-associations --output text \\\n"
     "    --query \"ResolverRuleAssociations[?VPCId=='$vpc'].[ResolverRuleId]\")\n"
     "\n"
     "# forward NAME TARGET...: a rule for the name and all below it, in force in the VPC\n"
     "forward() {\n"
     "    name=$1\n"
     "    shift\n"
     "    rule=$(echo \"$rules\" |\n"
     "        awk -v name=\"$name\" '$1 == name || $1 == name \".\" { print $2; exit }')\n"
     "    if [ -n \"$rule\" ]; then\n"
     "        aws route53resolver update-resolver-rule --resolver-rule-id \"$rule\" \\\n"
     "            --config \"TargetIps=[$(printf '{%s},' \"$@\" | sed 's/,$//')]\"\n"
     "    else\n"
     "        rule=$(aws route53resolver create-resolver-rule --rule-type FORWARD \\\n"
     "            --creator-request-id \"spacedns $name $(date +%s)\" --domain-name \"$name\" \\\n"
     "            --resolver-endpoint-id \"$endpoint\" --target-ips \"$@\" \\\n"
     "            --query ResolverRule.Id --output text)\n"
     "    fi\n"
     "    echo \"$associated\" | grep -qxF \"$rule\" ||\n"
     "        aws route53resolver associate-resolver-rule --resolver-rule-id \"$rule\" --vpc-id "
     "\"$vpc\"\n"
     "}\n"
     "\n"
     "forward api.example.com \"Ip=10.0.0.2,Port=53\" \"Ipv6=fd00::2,Port=5300\"\n"
     "forward localspace \"Ip=10.0.0.2,Port=53\" \"Ipv6=fd00::2,Port=5300\"\n"
     "\n"
     "# These names have records elsewhere too (MX, www and so on), which would be\n"
     "# asked here as well, and refused. Take the marks away only when the setting\n"
     "# recursion_for lets clients of class peered ask for them.\n"
     "#forward example.net \"Ip=10.0.0.2,Port=53\" \"Ipv6=fd00::2,Port=5300\"\n"},
    {"resolv.conf",
     "# spacedns resolves everything for dynos of space test-space.\n"
     "# Save as /etc/resolv.conf. For clients in a peered VPC or behind a VPN, only if the "
     "server's\n"
     "# setting recursion_for gives their class all names; a second, foreign nameserver would not\n"
     "# know our names.\n"
     "nameserver 10.0.0.2\n"
     "nameserver fd00::2\n"
     "options edns0 ndots:1 timeout:2 attempts:3\n"},
};

static char *text;
static size_t length;

static void set_up(void)
{
    text = NULL;
}

static void tear_down(void)
{
    free(text);
}

static void print(const struct snippet_kind *kind, const struct snippet *snippet)
{
    FILE *out = open_memstream(&text, &length);

    ck_assert_ptr_nonnull(out);
    kind->print(snippet, out);
    fclose(out);
}

static const struct snippet usual = {.space = "test-space",
                                     .servers = servers,
                                     .server_count = 2,
                                     .names = names,
                                     .name_count = 2,
                                     .apexes = apexes,
                                     .apex_count = 1,
                                     .classes = "peered",
                                     .setting = "recursion_for: {peered: [example.com]}",
                                     .discovery = "localspace"};

FIXTURE(set_up, tear_down)

TEST_OVER(a_form_is_printed_as_its_resolver_reads_it, forms)
{
    ck_assert_uint_eq(snippet_kind_count, sizeof forms / sizeof forms[0]);
    ck_assert_str_eq(snippet_kinds[_i].name, forms[_i].name);
    print(&snippet_kinds[_i], &usual);
    ck_assert_str_eq(text, forms[_i].text);
}

TEST_OVER(without_an_apex_there_is_no_advice_about_one, forms)
{
    struct snippet snippet = usual;

    snippet.apex_count = 0;
    print(&snippet_kinds[_i], &snippet);
    ck_assert_ptr_null(strstr(text, "MX, www"));
    ck_assert_ptr_null(strstr(text, "example.net"));
}

/* The head of a snippet by suffix; and of one by name, where the server answers whole suffixes. */
TEST_LOOP(a_form_by_suffix_tells_what_its_rules_rest_on, 0, 5)
{
    struct snippet snippet = usual;

    snippet.by_suffix = true;
    snippet.setting = NULL;
    snippet.apex_count = 0;
    print(&snippet_kinds[_i], &snippet);
    ck_assert_ptr_nonnull(strstr(text, " Suffixes of the names of space test-space, asked of "));
    ck_assert_ptr_nonnull(strstr(text, " lets clients of class peered ask for every name\n"));
    ck_assert_ptr_null(strstr(text, "Make it again"));
    ck_assert_ptr_null(strstr(text, "lie below none of the suffixes"));
    ck_assert((strstr(text, " Both hold for public names of the suffixes") != NULL) == (_i < 3));
}

TEST_LOOP(a_form_with_names_below_no_suffix_tells_the_setting, 0, 5)
{
    struct snippet snippet = usual;

    snippet.by_suffix = true;
    snippet.alone = 2;
    print(&snippet_kinds[_i], &snippet);
    ck_assert_ptr_nonnull(strstr(text, " 2 names lie below none of the suffixes: make this again"));
    ck_assert_ptr_nonnull(strstr(text, "     recursion_for: {peered: [example.com]}\n"));
}

TEST_LOOP(a_form_by_name_is_silent_about_what_is_allowed, 0, 5)
{
    struct snippet snippet = usual;

    snippet.setting = snippet.discovery = NULL;
    print(&snippet_kinds[_i], &snippet);
    ck_assert_ptr_nonnull(strstr(text, " Make it again when apps or domains are added"));
    ck_assert_ptr_null(strstr(text, "_acme-challenge"));
    ck_assert_ptr_null(strstr(text, "_whoami"));
}

/* unbound asks no address of its own host unless it is let to. */
TEST(unbound_is_let_to_ask_a_server_on_its_own_host)
{
    static const struct {
        struct snippet_server server;
        bool is_local;
    } cases[] = {
        {{.ip = "127.0.0.53", .port = 53}, true},
        {{.ip = "::1", .port = 53, .is_ipv6 = true}, true},
        {{.ip = "10.127.0.1", .port = 53}, false},
        {{.ip = "fd00::1", .port = 53, .is_ipv6 = true}, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct snippet snippet = usual;
        snippet.servers = &cases[i].server;
        snippet.server_count = 1;
        print(&snippet_kinds[1], &snippet);
        ck_assert_msg((strstr(text, "\n    do-not-query-localhost: no\n") != NULL) ==
                          cases[i].is_local,
                      "%s: %s", cases[i].server.ip, text);
        free(text);
        text = NULL;
    }
}

TEST(resolv_conf_has_three_servers_at_most)
{
    static const struct snippet_server four[] = {
        {.ip = "10.0.0.1"}, {.ip = "10.0.0.2"}, {.ip = "10.0.0.3"}, {.ip = "10.0.0.4"}};
    struct snippet snippet = usual;

    snippet.servers = four;
    snippet.server_count = 4;
    ck_assert(snippet_kinds[5].needs_port_53);
    print(&snippet_kinds[5], &snippet);
    ck_assert_ptr_nonnull(strstr(text, "nameserver 10.0.0.3\n"));
    ck_assert_ptr_null(strstr(text, "10.0.0.4"));
}

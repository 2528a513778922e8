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
     "# The answers hold private addresses: rebind-domain-ok lets them through "
     "stop-dns-rebind.\n"
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
     "# asked here as well. Take the marks away only where the server resolves them\n"
     "# for you: its setting recursion_for names your class (peered, vpn).\n"
     "#server=/example.net/10.0.0.2#53\n"
     "#server=/example.net/fd00::2#5300\n"
     "#rebind-domain-ok=/example.net/\n"},
    {"unbound",
     "# Names of space test-space, asked of spacedns.\n"
     "# Save as /etc/unbound/unbound.conf.d/spacedns.conf; then unbound-checkconf && "
     "systemctl reload unbound.\n"
     "# Make it again when apps or domains are added: nothing else is forwarded.\n"
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
     "# asked here as well. Take the marks away only where the server resolves them\n"
     "# for you: its setting recursion_for names your class (peered, vpn).\n"
     "#server:\n"
     "#    private-domain: \"example.net\"\n"
     "#    domain-insecure: \"example.net\"\n"
     "#forward-zone:\n"
     "#    name: \"example.net\"\n"
     "#    forward-addr: 10.0.0.2@53\n"
     "#    forward-addr: fd00::2@5300\n"},
    {"bind",
     "// Names of space test-space, asked of spacedns.\n"
     "// Save as /etc/bind/spacedns.conf; then include it in named.conf.local, and rndc "
     "reconfig.\n"
     "// Make it again when apps or domains are added: nothing else is forwarded.\n"
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
     "zone \"localspace\" { type forward; forward only; forwarders { 10.0.0.2 port 53; "
     "fd00::2 port 5300; }; };\n"
     "\n"
     "// These names have records elsewhere too (MX, www and so on), which would be\n"
     "// asked here as well. Take the marks away only where the server resolves them\n"
     "// for you: its setting recursion_for names your class (peered, vpn).\n"
     "//zone \"example.net\" { type forward; forward only; forwarders { 10.0.0.2 port 53; "
     "fd00::2 port 5300; }; };\n"},
    {"systemd-resolved",
     "# Names of space test-space, asked of spacedns.\n"
     "# Save as /etc/systemd/resolved.conf.d/spacedns.conf; then systemctl restart "
     "systemd-resolved.\n"
     "# Make it again when apps or domains are added: nothing else is forwarded.\n"
     "# The answers are not signed, and herokuapp.com is: DNSSEC=no. There is no protection\n"
     "# from rebinding to pass. Where the space is reached by a link of its own (a VPN), "
     "rather\n"
     "# give these to the link, here called tun0, and save no file:\n"
     "#     resolvectl dns tun0 10.0.0.2:53 [fd00::2]:5300\n"
     "#     resolvectl dnssec tun0 no\n"
     "#     resolvectl default-route tun0 no\n"
     "#     resolvectl domain tun0 '~api.example.com' '~localspace'\n"
     "\n"
     "[Resolve]\n"
     "DNS=10.0.0.2:53 [fd00::2]:5300\n"
     "DNSSEC=no\n"
     "Domains=~api.example.com\n"
     "Domains=~localspace\n"
     "\n"
     "# These names have records elsewhere too (MX, www and so on), which would be\n"
     "# asked here as well. Take the marks away only where the server resolves them\n"
     "# for you: its setting recursion_for names your class (peered, vpn).\n"
     "#Domains=~example.net\n"},
    {"route53",
     "#!/bin/sh\n"
     "# Names of space test-space, asked of spacedns.\n"
     "# Save as spacedns-route53.sh; then change the two ids and run it with sh.\n"
     "# Make it again when apps or domains are added: nothing else is forwarded.\n"
     "# The endpoint is an outbound endpoint of Route 53 Resolver in a VPC that is peered with\n"
     "# the space; its security group lets UDP and TCP out to the server.\n"
     "# The answers are not signed: if names give SERVFAIL where the VPC validates DNSSEC, run\n"
     "#     aws route53resolver update-resolver-dnssec-config --validation DISABLE "
     "--resource-id \"$vpc\"\n"
     "set -eu\n"
     "endpoint=${endpoint:-rslvr-out-your-endpoint-id}\n"
     "vpc=${vpc:-vpc-your-vpc-id}\n"
     "\n"
     "# forward NAME TARGET...: a rule for the name and all below it, in force in the VPC\n"
     "forward() {\n"
     "    name=$1\n"
     "    shift\n"
     "    rule=$(aws route53resolver create-resolver-rule --rule-type FORWARD \\\n"
     "        --creator-request-id \"spacedns $name $(date +%s)\" --domain-name \"$name\" \\\n"
     "        --resolver-endpoint-id \"$endpoint\" --target-ips \"$@\" \\\n"
     "        --query ResolverRule.Id --output text)\n"
     "    aws route53resolver associate-resolver-rule --resolver-rule-id \"$rule\" --vpc-id "
     "\"$vpc\"\n"
     "}\n"
     "\n"
     "forward api.example.com \"Ip=10.0.0.2,Port=53\" \"Ipv6=fd00::2,Port=5300\"\n"
     "forward localspace \"Ip=10.0.0.2,Port=53\" \"Ipv6=fd00::2,Port=5300\"\n"
     "\n"
     "# These names have records elsewhere too (MX, www and so on), which would be\n"
     "# asked here as well. Take the marks away only where the server resolves them\n"
     "# for you: its setting recursion_for names your class (peered, vpn).\n"
     "#forward example.net \"Ip=10.0.0.2,Port=53\" \"Ipv6=fd00::2,Port=5300\"\n"},
    {"resolv.conf",
     "# spacedns resolves everything for dynos of space test-space.\n"
     "# Save as /etc/resolv.conf. For clients in a peered VPC or behind a VPN, only if the "
     "server's\n"
     "# setting recursion_for names them; a second, foreign nameserver would not know our "
     "names.\n"
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
                                     .apex_count = 1};

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

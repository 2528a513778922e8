#include "spacedns/snippet_forms.h"

enum { RESOLV_CONF_SERVERS = 3 };

/* The head of every form; `where` is the file, `then` the command that loads it. */
static void print_head(const struct snippet *snippet, FILE *out, const char *mark,
                       const char *where, const char *then)
{
    fprintf(out, "%s Names of space %s, asked of spacedns.\n", mark, snippet->space);
    fprintf(out, "%s Save as %s; then %s.\n", mark, where, then);
    fprintf(out, "%s Make it again when apps or domains are added: nothing else is forwarded.\n",
            mark);
}

/* Forwarding a name forwards all below it, and a zone's apex has records of other servers. */
static void print_apex_advice(const struct snippet *snippet, FILE *out, const char *mark)
{
    if (snippet->apex_count == 0)
        return;
    fprintf(out,
            "\n%s These names have records elsewhere too (MX, www and so on), which would be\n",
            mark);
    fprintf(out, "%s asked here as well. Take the marks away only where the server resolves them\n",
            mark);
    fprintf(out, "%s for you: its setting recursion_for names your class (peered, vpn).\n", mark);
}

/* Prints the rule that sends a name to the space's servers, behind `mark` where it is a comment. */
typedef void print_name(const struct snippet *snippet, FILE *out, const char *mark,
                        const char *name);

static void print_names(const struct snippet *snippet, FILE *out, const char *mark,
                        print_name *print)
{
    for (size_t i = 0; i < snippet->name_count; i++)
        print(snippet, out, "", snippet->names[i]);
    print_apex_advice(snippet, out, mark);
    for (size_t i = 0; i < snippet->apex_count; i++)
        print(snippet, out, mark, snippet->apexes[i]);
}

static void print_dnsmasq_name(const struct snippet *snippet, FILE *out, const char *mark,
                               const char *name)
{
    for (size_t i = 0; i < snippet->server_count; i++)
        fprintf(out, "%sserver=/%s/%s#%u\n", mark, name, snippet->servers[i].ip,
                snippet->servers[i].port);
    fprintf(out, "%srebind-domain-ok=/%s/\n", mark, name);
}

static void print_dnsmasq(const struct snippet *snippet, FILE *out)
{
    print_head(snippet, out, "#", "/etc/dnsmasq.d/spacedns.conf", "systemctl restart dnsmasq");
    fputs("# The answers hold private addresses: rebind-domain-ok lets them through "
          "stop-dns-rebind.\n"
          "# They are not signed: dnsmasq does not validate names that have servers of their own,\n"
          "# unless you gave these a trust-anchor.\n\n",
          out);
    print_names(snippet, out, "#", print_dnsmasq_name);
}

static void print_unbound_name(FILE *out, const char *mark, const char *name)
{
    fprintf(out, "%s    private-domain: \"%s\"\n", mark, name);
    fprintf(out, "%s    domain-insecure: \"%s\"\n", mark, name);
}

static void print_unbound_zone(const struct snippet *snippet, FILE *out, const char *mark,
                               const char *name)
{
    fprintf(out, "%sforward-zone:\n%s    name: \"%s\"\n", mark, mark, name);
    for (size_t i = 0; i < snippet->server_count; i++)
        fprintf(out, "%s    forward-addr: %s@%u\n", mark, snippet->servers[i].ip,
                snippet->servers[i].port);
}

static bool has_loopback_server(const struct snippet *snippet)
{
    for (size_t i = 0; i < snippet->server_count; i++) {
        const struct snippet_server *server = &snippet->servers[i];
        if (server->is_ipv6 ? server->ip[0] == ':' && server->ip[1] == ':' && server->ip[2] == '1'
                            : server->ip[0] == '1' && server->ip[1] == '2' && server->ip[2] == '7')
            return true;
    }
    return false;
}

static void print_unbound(const struct snippet *snippet, FILE *out)
{
    print_head(snippet, out, "#", "/etc/unbound/unbound.conf.d/spacedns.conf",
               "unbound-checkconf && systemctl reload unbound");
    fputs(
        "# The answers hold private addresses: private-domain lets them through private-address.\n"
        "# They are not signed, and zones above them such as herokuapp.com are: domain-insecure "
        "keeps\n"
        "# them from SERVFAIL.\n\n"
        "server:\n",
        out);
    if (has_loopback_server(snippet))
        fputs("    do-not-query-localhost: no\n", out);
    for (size_t i = 0; i < snippet->name_count; i++)
        print_unbound_name(out, "", snippet->names[i]);
    for (size_t i = 0; i < snippet->name_count; i++)
        print_unbound_zone(snippet, out, "", snippet->names[i]);
    print_apex_advice(snippet, out, "#");
    if (snippet->apex_count > 0)
        fputs("#server:\n", out);
    for (size_t i = 0; i < snippet->apex_count; i++)
        print_unbound_name(out, "#", snippet->apexes[i]);
    for (size_t i = 0; i < snippet->apex_count; i++)
        print_unbound_zone(snippet, out, "#", snippet->apexes[i]);
}

static void print_bind_zone(const struct snippet *snippet, FILE *out, const char *mark,
                            const char *name)
{
    fprintf(out, "%szone \"%s\" { type forward; forward only; forwarders {", mark, name);
    for (size_t i = 0; i < snippet->server_count; i++)
        fprintf(out, " %s port %u;", snippet->servers[i].ip, snippet->servers[i].port);
    fputs(" }; };\n", out);
}

/* A statement of `options`, which may stand only once in named's files, so it is a comment. */
static void print_bind_names(const struct snippet *snippet, FILE *out, const char *statement)
{
    fprintf(out, "//      %s {", statement);
    for (size_t i = 0; i < snippet->name_count; i++)
        fprintf(out, "%s\"%s\";", i % 2 == 0 ? "\n//          " : " ", snippet->names[i]);
    fputs("\n//      };\n", out);
}

static void print_bind(const struct snippet *snippet, FILE *out)
{
    print_head(snippet, out, "//", "/etc/bind/spacedns.conf",
               "include it in named.conf.local, and rndc reconfig");
    fputs(
        "//      include \"/etc/bind/spacedns.conf\";\n"
        "// The answers are not signed, and zones above them such as herokuapp.com are. This goes\n"
        "// into `options` of named.conf.options:\n",
        out);
    print_bind_names(snippet, out, "validate-except");
    fputs("// They hold private addresses. Only if you have deny-answer-addresses, add after its "
          "block:\n// except-from with these same names.\n\n",
          out);
    print_names(snippet, out, "//", print_bind_zone);
}

static void print_resolved_domain(const struct snippet *snippet __attribute__((unused)), FILE *out,
                                  const char *mark, const char *name)
{
    fprintf(out, "%sDomains=~%s\n", mark, name);
}

/* As `resolvectl dns` and DNS= take it. */
static void print_resolved_servers(const struct snippet *snippet, FILE *out)
{
    for (size_t i = 0; i < snippet->server_count; i++) {
        const struct snippet_server *server = &snippet->servers[i];
        fprintf(out, "%s%s%s%s", i == 0 ? "" : " ", server->is_ipv6 ? "[" : "", server->ip,
                server->is_ipv6 ? "]" : "");
        fprintf(out, ":%u", server->port);
    }
}

static void print_resolved(const struct snippet *snippet, FILE *out)
{
    print_head(snippet, out, "#", "/etc/systemd/resolved.conf.d/spacedns.conf",
               "systemctl restart systemd-resolved");
    fputs("# The answers are not signed, and herokuapp.com is: DNSSEC=no. There is no protection\n"
          "# from rebinding to pass. Where the space is reached by a link of its own (a VPN), "
          "rather\n"
          "# give these to the link, here called tun0, and save no file:\n"
          "#     resolvectl dns tun0 ",
          out);
    print_resolved_servers(snippet, out);
    fputs("\n#     resolvectl dnssec tun0 no\n#     resolvectl default-route tun0 no\n"
          "#     resolvectl domain tun0",
          out);
    for (size_t i = 0; i < snippet->name_count; i++)
        fprintf(out, " '~%s'", snippet->names[i]);
    fputs("\n\n[Resolve]\nDNS=", out);
    print_resolved_servers(snippet, out);
    fputs("\nDNSSEC=no\n", out);
    print_names(snippet, out, "#", print_resolved_domain);
}

static void print_route53_rule(const struct snippet *snippet, FILE *out, const char *mark,
                               const char *name)
{
    fprintf(out, "%sforward %s", mark, name);
    for (size_t i = 0; i < snippet->server_count; i++)
        fprintf(out, " \"%s=%s,Port=%u\"", snippet->servers[i].is_ipv6 ? "Ipv6" : "Ip",
                snippet->servers[i].ip, snippet->servers[i].port);
    fputc('\n', out);
}

static void print_route53(const struct snippet *snippet, FILE *out)
{
    fputs("#!/bin/sh\n", out);
    print_head(snippet, out, "#", "spacedns-route53.sh", "change the two ids and run it with sh");
    fputs(
        "# The endpoint is an outbound endpoint of Route 53 Resolver in a VPC that is peered with\n"
        "# the space; its security group lets UDP and TCP out to the server.\n"
        "# The answers are not signed: if names give SERVFAIL where the VPC validates DNSSEC, run\n"
        "#     aws route53resolver update-resolver-dnssec-config --validation DISABLE "
        "--resource-id \"$vpc\"\n"
        "set -eu\n"
        "endpoint=${endpoint:-rslvr-out-your-endpoint-id}\n"
        "vpc=${vpc:-vpc-your-vpc-id}\n\n"
        "# forward NAME TARGET...: a rule for the name and all below it, in force in the VPC\n"
        "forward() {\n"
        "    name=$1\n"
        "    shift\n"
        "    rule=$(aws route53resolver create-resolver-rule --rule-type FORWARD \\\n"
        "        --creator-request-id \"spacedns $name $(date +%s)\" --domain-name \"$name\" \\\n"
        "        --resolver-endpoint-id \"$endpoint\" --target-ips \"$@\" \\\n"
        "        --query ResolverRule.Id --output text)\n"
        "    aws route53resolver associate-resolver-rule --resolver-rule-id \"$rule\" "
        "--vpc-id \"$vpc\"\n"
        "}\n\n",
        out);
    print_names(snippet, out, "#", print_route53_rule);
}

static void print_resolv_conf(const struct snippet *snippet, FILE *out)
{
    fprintf(out, "# spacedns resolves everything for dynos of space %s.\n", snippet->space);
    fputs("# Save as /etc/resolv.conf. For clients in a peered VPC or behind a VPN, only if the "
          "server's\n# setting recursion_for names them; a second, foreign nameserver would not "
          "know our names.\n",
          out);
    for (size_t i = 0; i < snippet->server_count && i < RESOLV_CONF_SERVERS; i++)
        fprintf(out, "nameserver %s\n", snippet->servers[i].ip);
    fputs("options edns0 ndots:1 timeout:2 attempts:3\n", out);
}

const struct snippet_kind snippet_kinds[] = {
    {"dnsmasq", print_dnsmasq, false}, {"unbound", print_unbound, false},
    {"bind", print_bind, false},       {"systemd-resolved", print_resolved, false},
    {"route53", print_route53, false}, {"resolv.conf", print_resolv_conf, true},
};
const size_t snippet_kind_count = sizeof snippet_kinds / sizeof snippet_kinds[0];

#include "spacedns/snippet_forms.h"

enum { RESOLV_CONF_SERVERS = 3 };

static void print_about_suffixes(const struct snippet *snippet, FILE *out, const char *mark)
{
    fprintf(out,
            "%s Apps and domains may come and go below these suffixes without a change here:\n",
            mark);
    fprintf(out,
            "%s the server's setting recursion_for lets clients of class %s ask for every name\n",
            mark, snippet->classes);
    fprintf(out, "%s below them, and public names get the world's answer through it.\n", mark);
    if (snippet->alone == 0)
        return;
    fprintf(out,
            "%s %zu names lie below none of the suffixes: make this again when such names are\n",
            mark, snippet->alone);
    fprintf(out, "%s added, or set there:\n%s     %s\n", mark, mark, snippet->setting);
}

static void print_about_names(const struct snippet *snippet, FILE *out, const char *mark)
{
    fprintf(out, "%s Make it again when apps or domains are added: nothing else is forwarded.\n",
            mark);
    if (snippet->setting == NULL)
        return;
    fprintf(out,
            "%s A rule holds for all names below its own, too, such as _acme-challenge.NAME:\n",
            mark);
    fprintf(out, "%s the server refuses them (Q20), unless it is set to answer whole suffixes to\n",
            mark);
    fprintf(out, "%s clients of class %s. Then --by suffix makes one rule for each:\n", mark,
            snippet->classes);
    fprintf(out, "%s     %s\n", mark, snippet->setting);
}

/* The head of every form; `where` is the file, `then` the command that loads it. */
static void print_head(const struct snippet *snippet, FILE *out, const char *mark,
                       const char *where, const char *then)
{
    fprintf(out, "%s %s of space %s, asked of spacedns.\n", mark,
            snippet->by_suffix ? "Suffixes of the names" : "Names", snippet->space);
    fprintf(out, "%s Save as %s; then %s.\n", mark, where, then);
    if (snippet->by_suffix)
        print_about_suffixes(snippet, out, mark);
    else
        print_about_names(snippet, out, mark);
    if (snippet->discovery != NULL)
        fprintf(out,
                "%s %s is for _whoami.%s and the like: localspace_to does not let clients of\n"
                "%s class %s ask for names of processes and dynos.\n",
                mark, snippet->discovery, snippet->discovery, mark, snippet->classes);
}

/* Forwarding a name forwards all below it, and a zone's apex has records of other servers. */
static void print_apex_advice(const struct snippet *snippet, FILE *out, const char *mark)
{
    if (snippet->apex_count == 0)
        return;
    fprintf(out,
            "\n%s These names have records elsewhere too (MX, www and so on), which would be\n",
            mark);
    fprintf(out, "%s asked here as well, and refused. Take the marks away only when the setting\n",
            mark);
    fprintf(out, "%s recursion_for lets clients of class %s ask for them.\n", mark,
            snippet->classes);
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

/* What the exceptions for private and unsigned answers mean for public names of a suffix. */
static void print_public_advice(const struct snippet *snippet, FILE *out, const char *mark)
{
    if (!snippet->by_suffix)
        return;
    fprintf(out,
            "%s Both hold for public names of the suffixes, too: what the server hands on for\n",
            mark);
    fprintf(out,
            "%s them is neither validated nor searched for private addresses here (the server\n",
            mark);
    fprintf(out, "%s itself withholds those of its spaces).\n", mark);
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
          "# unless you gave these a trust-anchor.\n",
          out);
    print_public_advice(snippet, out, "#");
    fputc('\n', out);
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
        "# them from SERVFAIL.\n",
        out);
    print_public_advice(snippet, out, "#");
    fputs("\nserver:\n", out);
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
          "block:\n// except-from with these same names.\n",
          out);
    print_public_advice(snippet, out, "//");
    fputc('\n', out);
    print_names(snippet, out, "//", print_bind_zone);
}

/* As `resolvectl dns` and DNS= take it. */
static void print_resolved_servers(const struct snippet *snippet, FILE *out, const char *quote)
{
    for (size_t i = 0; i < snippet->server_count; i++) {
        const struct snippet_server *server = &snippet->servers[i];
        fprintf(out, "%s%s%s%s%s", i == 0 ? "" : " ", quote, server->is_ipv6 ? "[" : "", server->ip,
                server->is_ipv6 ? "]" : "");
        fprintf(out, ":%u%s", server->port, quote);
    }
}

static void print_resolved_domains(const char *const *names, size_t count, FILE *out,
                                   const char *quote)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s~%s%s", i == 0 ? "" : " ", quote, names[i], quote);
}

static void print_resolved_advice(const struct snippet *snippet, FILE *out)
{
    fputs(
        "# The link is the one by which this host reaches the server, and has no DNS servers but\n"
        "# these: that of a VPN, say. Servers for the whole host (DNS= in resolved.conf) would be\n"
        "# asked for all other names, too. Where a host has one link for everything, give its\n"
        "# present servers to the whole host, and none to the link (UseDNS=no in its .network).\n"
        "# From systemd 258, this does without a link: save it as\n"
        "# /etc/systemd/dns-delegate.d/spacedns.dns-delegate, and list the domains, without ~, in\n"
        "# /etc/dnssec-trust-anchors.d/spacedns.negative if DNSSEC is on:\n"
        "#     [Delegate]\n#     DNS=",
        out);
    print_resolved_servers(snippet, out, "");
    fputs("\n#     Domains=", out);
    print_resolved_domains(snippet->names, snippet->name_count, out, "");
    fputs("\n# The answers are not signed, and herokuapp.com is: the link has no DNSSEC.\n", out);
}

static void print_resolved(const struct snippet *snippet, FILE *out)
{
    fputs("#!/bin/sh\n", out);
    print_head(snippet, out, "#", "spacedns-resolved.sh",
               "run it with sh as root whenever the link has come up");
    print_resolved_advice(snippet, out);
    fputs("set -eu\n"
          "link=${link:-tun0}\n\n"
          "resolvectl dns \"$link\" ",
          out);
    print_resolved_servers(snippet, out, "'");
    fputs("\nresolvectl dnssec \"$link\" no\n"
          "resolvectl default-route \"$link\" no\n"
          "resolvectl domain \"$link\" ",
          out);
    print_resolved_domains(snippet->names, snippet->name_count, out, "'");
    fputc('\n', out);
    print_apex_advice(snippet, out, "#");
    if (snippet->apex_count == 0)
        return;
    fputs("#resolvectl domain \"$link\" ", out);
    print_resolved_domains(snippet->names, snippet->name_count, out, "'");
    fputc(' ', out);
    print_resolved_domains(snippet->apexes, snippet->apex_count, out, "'");
    fputc('\n', out);
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
        "# It may run again at any time: rules that exist get these targets, others are created.\n"
        "# Rules of names that are gone are left alone.\n"
        "# The endpoint is an outbound endpoint of Route 53 Resolver in a VPC that is peered with\n"
        "# the space; its security group lets UDP and TCP out to the server.\n"
        "# The answers are not signed: if names give SERVFAIL where the VPC validates DNSSEC, run\n"
        "#     aws route53resolver update-resolver-dnssec-config --validation DISABLE "
        "--resource-id \"$vpc\"\n"
        "set -eu\n"
        "endpoint=${endpoint:-rslvr-out-your-endpoint-id}\n"
        "vpc=${vpc:-vpc-your-vpc-id}\n"
        "rules=$(aws route53resolver list-resolver-rules --output text --query \\\n"
        "    \"ResolverRules[?ResolverEndpointId=='$endpoint'].[DomainName, Id]\")\n"
        "associated=$(aws route53resolver list-resolver-rule-associations --output text \\\n"
        "    --query \"ResolverRuleAssociations[?VPCId=='$vpc'].[ResolverRuleId]\")\n\n"
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
        "            --creator-request-id \"spacedns $name $(date +%s)\" --domain-name \"$name\" "
        "\\\n"
        "            --resolver-endpoint-id \"$endpoint\" --target-ips \"$@\" \\\n"
        "            --query ResolverRule.Id --output text)\n"
        "    fi\n"
        "    echo \"$associated\" | grep -qxF \"$rule\" ||\n"
        "        aws route53resolver associate-resolver-rule --resolver-rule-id \"$rule\" "
        "--vpc-id \"$vpc\"\n"
        "}\n\n",
        out);
    print_names(snippet, out, "#", print_route53_rule);
}

static void print_resolv_conf(const struct snippet *snippet, FILE *out)
{
    fprintf(out, "# spacedns resolves everything for dynos of space %s.\n", snippet->space);
    fputs("# Save as /etc/resolv.conf. For clients in a peered VPC or behind a VPN, only if the "
          "server's\n# setting recursion_for gives their class all names; a second, foreign "
          "nameserver would not\n# know our names.\n",
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

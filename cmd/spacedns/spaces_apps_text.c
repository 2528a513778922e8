#include "spacedns/spaces_apps_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Texts that YAML would read as another type are quoted. */
static bool needs_quotes(const char *text)
{
    static const char *const words[] = {"null", "true", "false"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return isalnum((unsigned char)text[0]) == 0;
}

static void write_text(const char *text, FILE *out)
{
    fprintf(out, needs_quotes(text) ? "\"%s\"" : "%s", text);
}

static void write_word(const char *key, const char *text, FILE *out)
{
    if (text == NULL)
        return;
    fputs(key, out);
    write_text(text, out);
    fputc('\n', out);
}

static void write_domain(const struct domain *domain, FILE *out)
{
    fprintf(out, "      - {hostname: %s%s%s", domain->is_wildcard ? "\"*." : "",
            domain->hostname.text, domain->is_wildcard ? "\"" : "");
    if (domain->cname.text != NULL)
        fprintf(out, ", cname: %s", domain->cname.text);
    if (domain->is_alias)
        fputs(", record: alias", out);
    if (domain->is_flat)
        fputs(", flatten: true", out);
    if (domain->is_pending)
        fputs(", status: pending", out);
    fputs("}\n", out);
}

static void write_dyno(const struct dyno *dyno, FILE *out)
{
    char address[CIDR_TEXT_MAX];

    ipv4_write(dyno->ip, address);
    fprintf(out, "          - {number: %u, private_ip: %s}\n", dyno->number, address);
}

static void write_ports(const struct formation *formation, FILE *out)
{
    for (size_t i = 0; i < formation->port_count; i++) {
        const struct port *port = &formation->ports[i];
        fputs(i == 0 ? "        ports: {" : ", ", out);
        write_text(port->name.text, out);
        fprintf(out, port->udp ? ": {port: %u, protocol: udp}" : ": %u", port->number);
    }
    if (formation->port_count > 0)
        fputs("}\n", out);
}

static void write_formation(const struct formation *formation, FILE *out)
{
    bool is_empty = formation->dyno_count == 0 && formation->port_count == 0;

    fputs("      ", out);
    write_text(formation->type.text, out);
    fputs(is_empty ? ": {}\n" : ":\n", out);
    write_ports(formation, out);
    if (formation->dyno_count > 0)
        fputs("        dynos:\n", out);
    for (size_t i = 0; i < formation->dyno_count; i++)
        write_dyno(&formation->dynos[i], out);
}

static void write_app(const struct app *app, FILE *out)
{
    write_word("  - name: ", app->name.text, out);
    write_word("    id: ", app->id.text, out);
    write_word("    default_domain: ", app->default_domain.text, out);
    if (app->internal_routing)
        fputs("    internal_routing: true\n", out);
    if (app->acm)
        fputs("    acm: true\n", out);
    if (app->maintenance)
        fputs("    maintenance: true\n", out);
    if (!app->dns_discovery)
        fputs("    dns_discovery: false\n", out);
    if (app->domain_count > 0)
        fputs("    domains:\n", out);
    for (size_t i = 0; i < app->domain_count; i++)
        write_domain(&app->domains[i], out);
    if (app->formation_count > 0)
        fputs("    formation:\n", out);
    for (size_t i = 0; i < app->formation_count; i++)
        write_formation(&app->formations[i], out);
}

void apps_write(const struct app *apps, size_t count, FILE *out)
{
    fputs(count > 0 ? "apps:\n" : "apps: []\n", out);
    for (size_t i = 0; i < count; i++)
        write_app(&apps[i], out);
}

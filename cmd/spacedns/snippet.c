#include "spacedns/snippet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "config/exposure.h"
#include "decide/client.h"
#include "spacedns/snippet_forms.h"
#include "spacedns/snippet_rules.h"
#include "spacedns/spaces.h"

enum { SERVERS_MOST = 64, KINDS_MOST = 16 };

/* The input of a snippet. */
struct snippet_input {
    struct snippet_rules rules;
    struct snippet_server servers[SERVERS_MOST];
    size_t server_count;
};

static const struct snippet_kind *find_kind(struct session *session)
{
    const char *wanted = invocation_operand(&session->invocation, 0), *words[KINDS_MOST];

    for (size_t i = 0; i < snippet_kind_count; i++) {
        words[i] = snippet_kinds[i].name;
        if (strcmp(words[i], wanted) == 0)
            return &snippet_kinds[i];
    }
    const char *suggestion = suggest_among(wanted, words, snippet_kind_count);
    session_fail(session, EXIT_USAGE, "there is no snippet for %s; %s%s%s", wanted,
                 suggestion == NULL ? "write spacedns snippet " : "did you mean ",
                 suggestion == NULL ? commands_table[COMMAND_SNIPPET].operands : suggestion,
                 suggestion == NULL ? "" : "?");
    return NULL;
}

/* Returns NULL with the error printed. */
static const struct segment *find_only_space(struct session *session)
{
    const struct snapshot *snapshot = session->snapshot;
    size_t count = snapshot_count_spaces(snapshot), number = 0;

    if (count != 1) {
        session_fail(session, EXIT_USAGE,
                     "which space? %s has several; name one with --space SPACE",
                     session_zones(session));
        return NULL;
    }
    while (snapshot->segments[number] == NULL)
        number++;
    return snapshot->segments[number];
}

/* Reads --by. Returns false with the error printed. */
static bool read_by(struct session *session, const struct snippet_kind *kind, enum snippet_by *by)
{
    static const char *const words[] = {"name", "suffix"};
    const char *wanted = session->invocation.options[OPTION_BY];

    *by = SNIPPET_BY_DEFAULT;
    if (wanted == NULL)
        return true;
    if (kind->needs_port_53) {
        session_fail(session, EXIT_USAGE, "%s sends every name to the server; leave out --by",
                     kind->name);
        return false;
    }
    if (strcmp(wanted, words[0]) == 0)
        *by = SNIPPET_BY_NAME;
    else if (strcmp(wanted, words[1]) == 0)
        *by = SNIPPET_BY_SUFFIX;
    else
        session_fail(session, EXIT_USAGE, "--by is name or suffix, not %s", wanted);
    return *by != SNIPPET_BY_DEFAULT;
}

/* Reads --as into a mask of classes; 0: not given. Returns false with the error printed. */
static bool read_classes(struct session *session, unsigned *classes)
{
    const char *as = session->invocation.options[OPTION_AS];

    *classes = 0;
    if (as == NULL)
        return true;
    if (strcmp(as, class_text(CLIENT_PEERED)) == 0)
        *classes = 1U << CLIENT_PEERED;
    else if (strcmp(as, class_text(CLIENT_VPN)) == 0)
        *classes = 1U << CLIENT_VPN;
    else
        session_fail(session, EXIT_USAGE,
                     "--as: a resolver is forwarded to from a peered VPC or a VPN site; write "
                     "peered or vpn, not %s",
                     as);
    return *classes != 0;
}

/* The space of --space, or the only one. Returns NULL with the error printed. */
static const struct segment *find_space(struct session *session)
{
    const char *wanted = session->invocation.options[OPTION_SPACE];

    return wanted == NULL ? find_only_space(session) : space_must_find(session, wanted);
}

static void add_server(struct snippet_input *input, const struct endpoint *endpoint)
{
    struct snippet_server *server = &input->servers[input->server_count];

    if (input->server_count == SERVERS_MOST)
        return;
    inet_ntop(endpoint->any.sa_family, endpoint_host(endpoint), server->ip, sizeof server->ip);
    server->port = endpoint_port(endpoint);
    server->is_ipv6 = endpoint->any.sa_family == AF_INET6;
    input->server_count++;
}

/* The port at which the server listens on an address: its own, or that of a wildcard. Resolvers
 * query over UDP first, so an address without it is of no use to them. */
static uint16_t port_of(const struct settings *settings, uint32_t address)
{
    for (size_t i = 0; i < settings->listen.count; i++) {
        const struct endpoint *endpoint = &settings->listen.items[i].endpoint;
        if (listen_address_has(&settings->listen.items[i], LISTEN_UDP) &&
            endpoint->any.sa_family == AF_INET &&
            (endpoint_is_wildcard(endpoint) || ntohl(endpoint->v4.sin_addr.s_addr) == address))
            return endpoint_port(endpoint);
    }
    return DNS_PORT;
}

static void add_space_servers(struct snippet_input *input, const struct settings *settings,
                              const struct segment *segment)
{
    for (size_t i = 0; i < segment->listen_count; i++) {
        struct endpoint endpoint = {.v4 = {.sin_family = AF_INET}};
        endpoint.v4.sin_addr.s_addr = htonl(segment->listen[i]);
        endpoint.v4.sin_port = htons(port_of(settings, segment->listen[i]));
        add_server(input, &endpoint);
    }
}

static bool is_for_others(const struct listen_address *listen)
{
    const struct endpoint *endpoint = &listen->endpoint;

    return !endpoint_is_loopback(endpoint) && !endpoint_is_wildcard(endpoint) &&
           listen_address_has(listen, LISTEN_UDP);
}

/* The server's addresses: --to, else the space's own, else those of the settings. */
static int gather_servers(struct session *session, struct snippet_input *input,
                          const struct segment *segment)
{
    const char *to = session->invocation.options[OPTION_TO];
    const struct settings *settings = &session->settings;
    struct endpoint endpoint;

    if (to != NULL && (!endpoint_read(to, DNS_PORT, &endpoint) || endpoint_is_wildcard(&endpoint)))
        return session_fail(
            session, EXIT_USAGE,
            "--to %s is not the address of a server; write 10.0.0.2, or 10.0.0.2:5300", to);
    if (to != NULL)
        add_server(input, &endpoint);
    else
        add_space_servers(input, settings, segment);
    for (size_t i = 0; input->server_count == 0 && i < settings->listen.count; i++)
        if (is_for_others(&settings->listen.items[i]))
            add_server(input, &settings->listen.items[i].endpoint);
    if (input->server_count > 0)
        return EXIT_DONE;
    return session_fail(session, EXIT_REFUSED,
                        "the server has no address that other hosts can reach: the space has no "
                        "`listen`, and the settings list none; name it with --to ADDR");
}

static void print_json_names(FILE *out, const char *key, const struct name_list *names)
{
    fprintf(out, "  \"%s\": [", key);
    for (size_t i = 0; i < names->count; i++)
        fprintf(out, "%s\"%s\"", i == 0 ? "" : ", ", names->items[i]);
    fputc(']', out);
}

/* For resolvers without a form. Names and addresses need no escapes. */
static void print_snippet_json(FILE *out, const char *space, const struct snippet_input *input)
{
    fprintf(out, "{\n  \"space\": \"%s\",\n  \"by\": \"%s\",\n  \"servers\": [", space,
            input->rules.by_suffix ? "suffix" : "name");
    for (size_t i = 0; i < input->server_count; i++)
        fprintf(out, "%s{\"ip\": \"%s\", \"port\": %u}", i == 0 ? "" : ", ", input->servers[i].ip,
                input->servers[i].port);
    fputs("],\n", out);
    print_json_names(out, "names", &input->rules.rules);
    fputs(",\n", out);
    print_json_names(out, "apexes", &input->rules.apexes);
    fputs("\n}\n", out);
}

static int print_snippet(struct session *session, struct snippet_input *input,
                         const struct snippet_kind *kind, const struct segment *segment)
{
    const struct snippet_rules *rules = &input->rules;

    const struct snippet snippet = {
        .space = segment->name,
        .servers = input->servers,
        .server_count = input->server_count,
        .names = rules->rules.items,
        .name_count = rules->rules.count,
        .apexes = rules->apexes.items,
        .apex_count = rules->apexes.count,
        .by_suffix = rules->by_suffix,
        .alone = rules->alone,
        .classes = rules->class_names,
        .setting = rules->setting,
        .discovery = rules->lacks_discovery ? session->policy.suffixes.discovery : NULL};
    for (size_t i = 0; kind->needs_port_53 && i < snippet.server_count; i++)
        if (snippet.servers[i].port != DNS_PORT)
            return session_fail(
                session, EXIT_REFUSED,
                "%s cannot name a port, and the server listens at %s port %u; let it "
                "listen at port 53, or give another address with --to",
                kind->name, snippet.servers[i].ip, snippet.servers[i].port);
    if (session->is_json)
        print_snippet_json(session->out, segment->name, input);
    else
        kind->print(&snippet, session->out);
    if (rules->skipped > 0)
        fprintf(session->err, "Warning: %zu names with unusual characters are left out.\n",
                rules->skipped);
    return EXIT_DONE;
}

/* Returns the exit code, with the error printed. */
static int find_rules(struct session *session, struct snippet_input *input, enum snippet_by by)
{
    struct snippet_rules *rules = &input->rules;

    snippet_find_rules(rules, by);
    if (rules->lacks_memory)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    if (by != SNIPPET_BY_SUFFIX || rules->by_suffix)
        return EXIT_DONE;
    if (session->policy.routes.count == 0)
        return session_fail(session, EXIT_REFUSED,
                            "the server has no upstreams, so it answers no whole suffix; name some "
                            "in the setting upstreams, or write --by name");
    return session_fail(session, EXIT_REFUSED,
                        "clients of class %s may not ask the server for whole suffixes; set there "
                        "%s, or write --by name",
                        rules->class_names, rules->setting);
}

static int print_for(struct session *session, const struct snippet_kind *kind, enum snippet_by by,
                     const struct snippet_rules *wanted)
{
    struct snippet_input input = {.rules = *wanted};

    input.rules.arena = arena_new();
    if (input.rules.arena == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    int code = find_rules(session, &input, by);
    if (code == EXIT_DONE)
        code = gather_servers(session, &input, wanted->segment);
    if (code == EXIT_DONE)
        code = print_snippet(session, &input, kind, wanted->segment);
    if (code == EXIT_DONE)
        session_print_sources(session);
    arena_free(input.rules.arena);
    return code;
}

int run_snippet(struct session *session)
{
    const struct snippet_kind *kind = find_kind(session);
    struct snippet_rules wanted = {.policy = &session->policy};
    enum snippet_by by;

    if (kind == NULL || !read_by(session, kind, &by) || !read_classes(session, &wanted.classes))
        return EXIT_USAGE;
    if (!session_must_load(session))
        return EXIT_REFUSED;
    wanted.segment = find_space(session);
    if (wanted.segment == NULL)
        return invocation_has(&session->invocation, OPTION_SPACE) ? EXIT_REFUSED : EXIT_USAGE;
    return print_for(session, kind, by, &wanted);
}

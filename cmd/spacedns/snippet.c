#include "spacedns/snippet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "config/exposure.h"
#include "spacedns/snippet_forms.h"
#include "spacedns/spaces.h"

enum { SERVERS_MOST = 64, NAME_TEXT_MAX = 1024, KINDS_MOST = 16 };

struct name_list {
    const char **items;
    size_t count;
    size_t capacity;
};

/* The input of a snippet. */
struct snippet_input {
    struct arena *arena;
    struct name_list names;
    struct name_list apexes;
    size_t skipped; /* names left out */
    bool lacks_memory;
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

/* The space of --space, or the only one. Returns NULL with the error printed. */
static const struct segment *find_space(struct session *session)
{
    const char *wanted = session->invocation.options[OPTION_SPACE];

    return wanted == NULL ? find_only_space(session) : space_must_find(session, wanted);
}

/* Names go into other programs' files; one that would need quoting there is left out. */
static bool is_plain(const char *name)
{
    return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static void add_name(struct snippet_input *input, struct name_list *names, const char *name)
{
    if (!is_plain(name)) {
        input->skipped++;
        return;
    }
    const char **items =
        arena_grow(input->arena, names->items, names->count, &names->capacity, sizeof *items);
    const char *copy = arena_text(input->arena, name, strlen(name));
    input->lacks_memory |= items == NULL || copy == NULL;
    if (input->lacks_memory)
        return;
    names->items = items;
    names->items[names->count++] = copy;
}

static void add_host(struct snippet_input *input, const struct segment *segment,
                     const struct host *host)
{
    char buffer[NAME_TEXT_MAX];
    struct text text = text_over(buffer, sizeof buffer - 1);
    bool is_app =
        host->kind == HOST_DEFAULT || host->kind == HOST_DOMAIN || host->kind == HOST_TARGET;

    if (host->kind == HOST_PENDING ||
        (is_app && (segment->apps[host->owner].flags & APP_INTERNAL) == 0))
        return;
    name_add(&text, segment->texts + host->octets);
    *text.next = '\0';
    bool is_apex = host->kind == HOST_DOMAIN && (host->flags & HOST_APEX) != 0;
    bool is_wildcard = (host->flags & HOST_WILDCARD) != 0;
    add_name(input, is_apex ? &input->apexes : &input->names,
             is_wildcard ? buffer + strlen("*.") : buffer);
}

static void gather_names(struct snippet_input *input, const struct session *session,
                         const struct segment *segment)
{
    const struct suffixes *suffixes = &session->policy.suffixes;
    char name[NAME_TEXT_MAX];

    add_name(input, &input->names, suffixes->discovery);
    for (size_t i = 0; i < segment->app_count; i++) {
        const struct app_entry *app = &segment->apps[i];
        unsigned wanted = APP_INTERNAL | APP_PLAIN_DOMAIN;
        snprintf(name, sizeof name, "%.*s.%s", app->name_length,
                 (const char *)segment->texts + app->name, suffixes->apps);
        if ((app->flags & wanted) == wanted)
            add_name(input, &input->names, name);
    }
    for (size_t i = 0; i < segment->host_count; i++)
        add_host(input, segment, &segment->hosts[i]);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, and removes duplicates: a wildcard's parent may be a domain too. */
static void sort_names(struct name_list *names)
{
    size_t kept = 0;

    if (names->count > 0)
        qsort(names->items, names->count, sizeof names->items[0], compare_names);
    for (size_t i = 0; i < names->count; i++)
        if (kept == 0 || strcmp(names->items[kept - 1], names->items[i]) != 0)
            names->items[kept++] = names->items[i];
    names->count = kept;
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
static void print_json(FILE *out, const char *space, const struct snippet_input *input)
{
    fprintf(out, "{\n  \"space\": \"%s\",\n  \"servers\": [", space);
    for (size_t i = 0; i < input->server_count; i++)
        fprintf(out, "%s{\"ip\": \"%s\", \"port\": %u}", i == 0 ? "" : ", ", input->servers[i].ip,
                input->servers[i].port);
    fputs("],\n", out);
    print_json_names(out, "names", &input->names);
    fputs(",\n", out);
    print_json_names(out, "apexes", &input->apexes);
    fputs("\n}\n", out);
}

static int print_snippet(struct session *session, struct snippet_input *input,
                         const struct snippet_kind *kind, const struct segment *segment)
{
    if (input->lacks_memory)
        return session_fail(session, EXIT_REFUSED, "out of memory");
    sort_names(&input->names);
    sort_names(&input->apexes);
    const struct snippet snippet = {.space = segment->name,
                                    .servers = input->servers,
                                    .server_count = input->server_count,
                                    .names = input->names.items,
                                    .name_count = input->names.count,
                                    .apexes = input->apexes.items,
                                    .apex_count = input->apexes.count};
    for (size_t i = 0; kind->needs_port_53 && i < snippet.server_count; i++)
        if (snippet.servers[i].port != DNS_PORT)
            return session_fail(
                session, EXIT_REFUSED,
                "%s cannot name a port, and the server listens at %s port %u; let it "
                "listen at port 53, or give another address with --to",
                kind->name, snippet.servers[i].ip, snippet.servers[i].port);
    if (session->is_json)
        print_json(session->out, segment->name, input);
    else
        kind->print(&snippet, session->out);
    if (input->skipped > 0)
        fprintf(session->err, "Warning: %zu names with unusual characters are left out.\n",
                input->skipped);
    return EXIT_DONE;
}

int run_snippet(struct session *session)
{
    const struct snippet_kind *kind = find_kind(session);

    if (kind == NULL)
        return EXIT_USAGE;
    if (!session_must_load(session))
        return EXIT_REFUSED;
    const struct segment *segment = find_space(session);
    if (segment == NULL)
        return invocation_has(&session->invocation, OPTION_SPACE) ? EXIT_REFUSED : EXIT_USAGE;
    struct snippet_input input = {.arena = arena_new()};
    if (input.arena == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory");
    gather_names(&input, session, segment);
    int code = gather_servers(session, &input, segment);
    if (code == EXIT_DONE)
        code = print_snippet(session, &input, kind, segment);
    if (code == EXIT_DONE)
        session_print_sources(session);
    arena_free(input.arena);
    return code;
}

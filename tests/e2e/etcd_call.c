/*
 * Calls of cmd/spacedns/etcd_client.h from a script:
 *
 *     etcd_call [--ca FILE] [--certificate FILE --key FILE] [--user NAME --password WORD]
 *               ENDPOINT,ENDPOINT... CALL...
 *
 * A call is get:KEY, list:KEY:END, put:KEY:VALUE, delete:KEY, both:KEY:KEY (a transaction that puts
 * two), fill:KEY:OCTETS, compact:REVISION, status, members, rights (makes users and roles, and
 * turns access control on: root/root, and reader, who may read below /c/ alone), or wait, which
 * reads a line from standard input. Each prints a line; an error goes to standard error and ends
 * with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spacedns/etcd_client.h"

enum { ENDPOINTS_MOST = 8 };

static struct etcd_client *client;
static struct arena *arena;

static bool report(const struct err *err)
{
    fprintf(stderr, "%s\n", err->text);
    return false;
}

static bool request(enum etcd_method method, struct octets octets, struct octets *response)
{
    struct err err;

    return etcd_client_call(client, method, octets, response, &err) || report(&err);
}

static bool change(const char *what, enum etcd_method method, struct octets octets)
{
    struct etcd_header header;
    struct octets response;
    struct err err;

    if (!request(method, octets, &response))
        return false;
    if (!etcd_decode_header(arena, response.start, response.length, &header, &err))
        return report(&err);
    printf("%s\n", what);
    return true;
}

static bool get(const char *key, const char *end)
{
    const struct etcd_range range = {.key = octets_of(key), .end = octets_of(end)};
    struct etcd_range_response response;
    struct octets octets;
    struct err err;

    if (!request(ETCD_RANGE, etcd_encode_range(arena, &range), &octets))
        return false;
    if (!etcd_decode_range(arena, octets.start, octets.length, &response, &err))
        return report(&err);
    printf("%zu:", response.count);
    for (size_t i = 0; i < response.count; i++)
        printf(" %.*s=%.*s", (int)response.pairs[i].key.length, response.pairs[i].key.start,
               (int)response.pairs[i].value.length, response.pairs[i].value.start);
    printf("\n");
    return true;
}

static bool put(const char *key, struct octets value)
{
    const struct etcd_put changed = {.key = octets_of(key), .value = value};

    return change("put", ETCD_PUT, etcd_encode_put(arena, &changed));
}

static bool fill(const char *key, size_t length)
{
    uint8_t *value = arena_take(arena, length);

    return value != NULL && put(key, (struct octets){.start = value, .length = length});
}

static bool put_both(const char *first, const char *second)
{
    const struct etcd_operation operations[] = {
        {.kind = ETCD_DO_PUT, .put = {.key = octets_of(first), .value = octets_of("1")}},
        {.kind = ETCD_DO_PUT, .put = {.key = octets_of(second), .value = octets_of("2")}},
    };
    const struct etcd_txn txn = {.success = operations, .success_count = 2};

    return change("both", ETCD_TXN, etcd_encode_txn(arena, &txn));
}

static bool show_status(void)
{
    struct etcd_status_response response;
    struct octets octets;
    struct err err;

    if (!request(ETCD_STATUS, etcd_encode_nothing(), &octets))
        return false;
    if (!etcd_decode_status(arena, octets.start, octets.length, &response, &err))
        return report(&err);
    printf("etcd %s leader %s database %s at %s\n", response.version,
           response.leader != 0 ? "yes" : "no", response.database_octets > 0 ? "yes" : "no",
           etcd_client_endpoint(client));
    return true;
}

static bool show_members(void)
{
    struct etcd_members_response response;
    struct octets octets;
    struct err err;

    if (!request(ETCD_MEMBERS, etcd_encode_nothing(), &octets))
        return false;
    if (!etcd_decode_members(arena, octets.start, octets.length, &response, &err))
        return report(&err);
    for (size_t i = 0; i < response.count; i++)
        printf("%s %s\n", response.members[i].name, response.members[i].client_urls[0]);
    return true;
}

/* `reader` has a password, and is the common name of a certificate, too. */
static bool make_rights(void)
{
    return change("user", ETCD_USER_ADD, etcd_encode_user_add(arena, "root", "root")) &&
           change("role", ETCD_ROLE_ADD, etcd_encode_role_add(arena, "root")) &&
           change("grant", ETCD_USER_GRANT_ROLE,
                  etcd_encode_user_grant_role(arena, "root", "root")) &&
           change("user", ETCD_USER_ADD, etcd_encode_user_add(arena, "reader", "secret")) &&
           change("role", ETCD_ROLE_ADD, etcd_encode_role_add(arena, "reads")) &&
           change("right", ETCD_ROLE_GRANT,
                  etcd_encode_role_grant(arena, "reads", ETCD_READ, octets_of("/c/"),
                                         octets_of("/c0"))) &&
           change("grant", ETCD_USER_GRANT_ROLE,
                  etcd_encode_user_grant_role(arena, "reader", "reads")) &&
           change("user", ETCD_USER_ADD, etcd_encode_user_add(arena, "nobody", NULL)) &&
           change("enabled", ETCD_AUTH_ENABLE, etcd_encode_nothing());
}

static bool await_line(void)
{
    char line[16];

    printf("waits\n");
    return fgets(line, sizeof line, stdin) != NULL;
}

static bool make_call(char *call)
{
    const char *verb = strtok(call, ":"), *first = strtok(NULL, ":"), *second = strtok(NULL, ":");

    if (strcmp(verb, "get") == 0)
        return get(first, "");
    if (strcmp(verb, "list") == 0)
        return get(first, second);
    if (strcmp(verb, "put") == 0)
        return put(first, octets_of(second));
    if (strcmp(verb, "fill") == 0)
        return fill(first, strtoul(second, NULL, 10));
    if (strcmp(verb, "both") == 0)
        return put_both(first, second);
    if (strcmp(verb, "delete") == 0)
        return change("deleted", ETCD_DELETE,
                      etcd_encode_delete(arena, &(struct etcd_delete){.key = octets_of(first)}));
    if (strcmp(verb, "compact") == 0)
        return change("compacted", ETCD_COMPACT,
                      etcd_encode_compact(arena, strtol(first, NULL, 10), true));
    if (strcmp(verb, "status") == 0)
        return show_status();
    if (strcmp(verb, "members") == 0)
        return show_members();
    if (strcmp(verb, "rights") == 0)
        return make_rights();
    return strcmp(verb, "wait") == 0 && await_line();
}

static size_t split(char *list, const char *endpoints[ENDPOINTS_MOST])
{
    size_t count = 0;

    for (char *one = strtok(list, ","); one != NULL && count < ENDPOINTS_MOST;
         one = strtok(NULL, ","))
        endpoints[count++] = one;
    return count;
}

static int read_options(int count, char **arguments, struct etcd_client_options *options)
{
    int i = 1;

    for (; i + 1 < count && strncmp(arguments[i], "--", 2) == 0; i += 2) {
        const char *value = arguments[i + 1];
        if (strcmp(arguments[i], "--ca") == 0)
            options->ca = value;
        else if (strcmp(arguments[i], "--certificate") == 0)
            options->certificate = value;
        else if (strcmp(arguments[i], "--key") == 0)
            options->key = value;
        else if (strcmp(arguments[i], "--user") == 0)
            options->user = value;
        else if (strcmp(arguments[i], "--password") == 0)
            options->password = value;
    }
    return i;
}

int main(int count, char **arguments)
{
    const char *endpoints[ENDPOINTS_MOST];
    struct etcd_client_options options = {.endpoints = endpoints};
    struct err err;
    bool is_well = true;
    int i = read_options(count, arguments, &options);

    if (i >= count)
        return 2;
    options.endpoint_count = split(arguments[i++], endpoints);
    setvbuf(stdout, NULL, _IOLBF, 0);
    arena = arena_new();
    client = etcd_client_open(&options, &err);
    if (client == NULL)
        is_well = report(&err);
    while (is_well && i < count)
        is_well = make_call(arguments[i++]);
    etcd_client_close(client);
    arena_free(arena);
    return is_well ? 0 : 1;
}

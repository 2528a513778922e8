#include "config/upstream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/domain.h"

enum { TEXT_MOST = 400, SCHEME_OCTETS = 3 };

/* The parts of an upstream's text. */
struct upstream_parts {
    char text[TEXT_MOST + 1]; /* the other members point into it */
    bool is_tls;
    const char *host;
    const char *port; /* NULL: the default port */
    const char *name; /* after #; NULL: none */
};

/* Cuts off and returns the text after the last `mark`; NULL if there is none. */
static char *cut_at(char *text, char mark)
{
    char *at = strrchr(text, mark);

    if (at == NULL)
        return NULL;
    *at = '\0';
    return at + 1;
}

static bool cut_scheme(struct upstream_parts *parts, char **rest, struct err *err)
{
    char *scheme = strstr(parts->text, "://");

    *rest = parts->text;
    if (scheme == NULL)
        return true;
    *scheme = '\0';
    *rest = scheme + SCHEME_OCTETS;
    parts->is_tls = strcmp(parts->text, "tls") == 0;
    return parts->is_tls ||
           err_set(err, ERR_SYNTAX,
                   "unknown scheme `%.20s://`; give tls://ADDRESS for DNS over TLS, or an address "
                   "alone for UDP and TCP",
                   parts->text);
}

/* Splits [host]:port, host:port and host@port; an IPv6 address needs brackets for a colon port. */
static void cut_port(struct upstream_parts *parts, char *rest)
{
    char *bracket = rest[0] == '[' ? strchr(rest, ']') : NULL;
    char *first = strchr(rest, ':');
    bool has_one_colon = first != NULL && strchr(first + 1, ':') == NULL;

    parts->port = cut_at(rest, '@');
    if (bracket != NULL) {
        if (parts->port == NULL && bracket[1] == ':')
            parts->port = bracket + 2;
        else if (bracket[1] != '\0')
            return; /* the octets after the bracket make the text invalid as an address */
        *bracket = '\0';
        rest++;
    } else if (parts->port == NULL && has_one_colon) {
        parts->port = cut_at(rest, ':');
    }
    parts->host = rest;
}

static bool cut_into_parts(const char *text, struct upstream_parts *parts, struct err *err)
{
    char *rest;

    *parts = (struct upstream_parts){.host = parts->text};
    if (strlen(text) > TEXT_MOST)
        return err_set(err, ERR_SYNTAX, "longer than %d octets; give an address like 10.0.0.2",
                       (int)TEXT_MOST);
    snprintf(parts->text, sizeof parts->text, "%s", text);
    if (!cut_scheme(parts, &rest, err))
        return false;
    parts->host = rest;
    parts->name = cut_at(rest, '#');
    cut_port(parts, rest);
    return true;
}

static bool read_port(const struct upstream_parts *parts, const char *text,
                      struct endpoint *endpoint, struct err *err)
{
    uint32_t number = parts->is_tls ? UPSTREAM_PORT_TLS : UPSTREAM_PORT;

    if (parts->port != NULL) {
        size_t digits = strspn(parts->port, "0123456789");
        bool is_number = digits > 0 && digits <= 5 && parts->port[digits] == '\0';
        number = is_number ? (uint32_t)strtoul(parts->port, NULL, 10) : 0;
    }
    if (number == 0 || number > UINT16_MAX)
        return err_set(err, ERR_SYNTAX,
                       "`%.80s` has the bad port `%.20s`; give a number from 1 to 65535", text,
                       parts->port);
    endpoint_set_port(endpoint, (uint16_t)number);
    return true;
}

/* True if the text is probably a host name: it has a letter, and no colon (IPv6). */
static bool resembles_name(const char *host)
{
    char folded[DOMAIN_MOST];
    size_t length = domain_fold(DOMAIN_ZONE, host, folded, sizeof folded);

    for (size_t i = 0; i < length; i++)
        if (folded[i] >= 'a' && folded[i] <= 'z')
            return true;
    return false;
}

/* An IPv4-mapped address such as ::ffff:10.0.0.2 becomes the IPv4 address. */
static bool read_host(const char *host, struct endpoint *endpoint)
{
    *endpoint = (struct endpoint){.v6 = {0}};
    if (ipv6_read(host, &endpoint->v6)) {
        endpoint_unmap(endpoint);
        return true;
    }
    endpoint->v4.sin_family = AF_INET;
    return inet_pton(AF_INET, host, &endpoint->v4.sin_addr) == 1;
}

/* A link-local address needs the interface of its link after %. */
static bool check_interface(const char *host, const struct endpoint *endpoint, struct err *err)
{
    const char *interface = strchr(host, '%');

    if (endpoint->any.sa_family != AF_INET6 || endpoint->v6.sin6_scope_id != 0 ||
        !IN6_IS_ADDR_LINKLOCAL(&endpoint->v6.sin6_addr))
        return true;
    if (interface == NULL)
        return err_set(err, ERR_RULE,
                       "`%.60s` is a link-local address, which only its own link knows; name the "
                       "interface, like %.60s%%eth0",
                       host, host);
    return err_set(err, ERR_RULE,
                   "`%.80s`: this host has no interface `%.20s`; `ip link` lists those it has",
                   host, interface + 1);
}

/* Returns why the address cannot be a server's; NULL if it can. */
static const char *unfit_kind(const struct endpoint *endpoint)
{
    if (endpoint->any.sa_family == AF_INET6) {
        const struct in6_addr *v6 = &endpoint->v6.sin6_addr;
        return IN6_IS_ADDR_UNSPECIFIED(v6) ? "the unspecified address"
               : IN6_IS_ADDR_MULTICAST(v6) ? "a multicast address"
                                           : NULL;
    }
    uint32_t address = ntohl(endpoint->v4.sin_addr.s_addr);
    return address >> 24 == 0      ? "the unspecified address"
           : address == UINT32_MAX ? "the broadcast address"
           : address >> 28 == 0xe  ? "a multicast address"
                                   : NULL;
}

static bool read_address(const struct upstream_parts *parts, const char *text,
                         struct endpoint *endpoint, struct err *err)
{
    if (!read_host(parts->host, endpoint)) {
        if (resembles_name(parts->host))
            return err_set(err, ERR_SYNTAX,
                           "`%.80s` is a name; give the server's address, like 10.0.0.2",
                           parts->host);
        return err_set(
            err, ERR_SYNTAX,
            "`%.80s` is not the address of a server; give one like 10.0.0.2, 10.0.0.2@5353, "
            "[fd00::2]:53 or tls://9.9.9.9#dns.quad9.net",
            text);
    }
    const char *kind = unfit_kind(endpoint);
    if (kind != NULL)
        return err_set(err, ERR_RULE, "`%.80s` is %s; give the address of one server", text, kind);
    return check_interface(parts->host, endpoint, err) && read_port(parts, text, endpoint, err);
}

/* True if the last label is a number, as in an address. */
static bool ends_in_number(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *label = dot == NULL ? name : dot + 1;

    return label[strspn(label, "0123456789")] == '\0';
}

static bool read_tls_name(struct arena *arena, const struct upstream_parts *parts,
                          const char **name, struct err *err)
{
    char folded[DOMAIN_MOST + 1];

    *name = NULL;
    if (parts->name == NULL)
        return true;
    if (!parts->is_tls)
        return err_set(err, ERR_RULE,
                       "a name after # is for DNS over TLS; write tls://%.60s#%.60s, or leave the "
                       "name out",
                       parts->host, parts->name);
    size_t length = domain_fold(DOMAIN_HOST, parts->name, folded, DOMAIN_MOST);
    folded[length] = '\0';
    if (length == 0 || ends_in_number(folded))
        return err_set(
            err, ERR_SYNTAX,
            "`%.80s` is not a name for a server's certificate; give one like dns.quad9.net, "
            "or leave it and # out when the certificate has the address",
            parts->name);
    *name = arena_text(arena, folded, length);
    return *name != NULL || err_set(err, ERR_MEMORY, "out of memory");
}

/* The form for messages: defaults are left out. */
static const char *write_text(struct arena *arena, const struct upstream *upstream)
{
    const struct endpoint *endpoint = &upstream->endpoint;
    unsigned port = endpoint_port(endpoint);
    char host[ENDPOINT_TEXT_MAX], text[ENDPOINT_TEXT_MAX + 16];

    endpoint_write_host(endpoint, host);
    int length = snprintf(text, sizeof text, "%s%s", upstream->is_tls ? "tls://" : "", host);
    if (port != (upstream->is_tls ? UPSTREAM_PORT_TLS : UPSTREAM_PORT))
        length += snprintf(text + length, sizeof text - (size_t)length, "@%u", port);
    return arena_text(arena, text, (size_t)length);
}

bool upstream_read(struct arena *arena, const char *text, struct upstream *upstream,
                   struct err *err)
{
    struct upstream_parts parts;
    struct upstream read = {.tls_name = NULL};

    if (!cut_into_parts(text, &parts, err) || !read_address(&parts, text, &read.endpoint, err) ||
        !read_tls_name(arena, &parts, &read.tls_name, err))
        return false;
    read.is_tls = parts.is_tls;
    read.text = write_text(arena, &read);
    if (read.text == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    *upstream = read;
    return true;
}

static bool is_same_server(const struct upstream *upstream, const struct upstream *other)
{
    char one[ENDPOINT_TEXT_MAX], another[ENDPOINT_TEXT_MAX];

    endpoint_write(&upstream->endpoint, one);
    endpoint_write(&other->endpoint, another);
    return upstream->is_tls == other->is_tls && strcmp(one, another) == 0;
}

bool upstream_equals(const struct upstream *upstream, const struct upstream *other)
{
    bool has_names = upstream->tls_name != NULL && other->tls_name != NULL;

    if (!is_same_server(upstream, other))
        return false;
    return has_names ? strcmp(upstream->tls_name, other->tls_name) == 0
                     : upstream->tls_name == other->tls_name;
}

bool upstreams_add(struct arena *arena, struct upstreams *list, const struct upstream *upstream,
                   struct err *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_same_server(&list->items[i], upstream))
            return err_set(err, ERR_RULE, "`%s` is given twice; keep one of them", upstream->text);
    if (list->count == UPSTREAMS_MOST)
        return err_set(err, ERR_LIMIT, "more than %d entries; remove some", (int)UPSTREAMS_MOST);
    struct upstream *items =
        arena_grow(arena, list->items, list->count, &list->capacity, sizeof *items);
    if (items == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    list->items = items;
    list->items[list->count++] = *upstream;
    return true;
}

static bool has_same_servers(const struct upstreams *list, const struct upstreams *other)
{
    bool is_same = list->count == other->count;

    for (size_t i = 0; is_same && i < list->count; i++)
        is_same = upstream_equals(&list->items[i], &other->items[i]);
    return is_same;
}

bool upstream_zones_equal(const struct upstream_zones *zones, const struct upstream_zones *others)
{
    bool is_same = zones->count == others->count;

    for (size_t i = 0; is_same && i < zones->count; i++)
        is_same = strcmp(zones->items[i].zone, others->items[i].zone) == 0 &&
                  has_same_servers(&zones->items[i].upstreams, &others->items[i].upstreams);
    return is_same;
}

/* NULL stays NULL. Returns false if memory runs out. */
static bool copy_text(struct arena *arena, const char **text)
{
    if (*text == NULL)
        return true;
    *text = arena_text(arena, *text, strlen(*text));
    return *text != NULL;
}

bool upstreams_copy(struct arena *arena, const struct upstreams *from, struct upstreams *to)
{
    struct upstream *items = arena_take(arena, from->count * sizeof *items);

    for (size_t i = 0; items != NULL && i < from->count; i++) {
        items[i] = from->items[i];
        items[i].origin = (struct setting_origin){.file = NULL};
        if (!copy_text(arena, &items[i].text) || !copy_text(arena, &items[i].tls_name))
            return false;
    }
    if (items == NULL)
        return false;
    *to = (struct upstreams){
        .items = items, .count = from->count, .capacity = from->count, .is_none = from->is_none};
    return true;
}

bool upstream_zones_copy(struct arena *arena, const struct upstream_zones *from,
                         struct upstream_zones *to)
{
    struct upstream_zone *items = arena_take(arena, from->count * sizeof *items);

    for (size_t i = 0; items != NULL && i < from->count; i++) {
        items[i] = from->items[i];
        items[i].origin = (struct setting_origin){.file = NULL};
        if (!copy_text(arena, &items[i].zone) ||
            !upstreams_copy(arena, &items[i].upstreams, &items[i].upstreams))
            return false;
    }
    *to = (struct upstream_zones){.items = items, .count = from->count, .capacity = from->count};
    return items != NULL;
}

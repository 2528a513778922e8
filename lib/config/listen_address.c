#include "config/listen_address.h"

#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

enum { SCHEME_MARK_OCTETS = 3, SCHEME_TEXT_MAX = 24 };

static const char *const schemes[LISTEN_SCHEMES] = {[LISTEN_UDP] = "udp", [LISTEN_TCP] = "tcp"};

static bool refuse_scheme(const char *scheme, struct err *err)
{
    const char *suggestion = suggest_among(scheme, schemes, LISTEN_SCHEMES);
    char hint[SCHEME_TEXT_MAX + 32] = "give", known[LISTEN_SCHEMES * SCHEME_TEXT_MAX] = "";
    size_t length = 0;

    if (suggestion != NULL)
        snprintf(hint, sizeof hint, "did you mean %s://? Allowed:", suggestion);
    for (size_t i = 0; i < LISTEN_SCHEMES; i++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s://, ", schemes[i]);
    return err_set(err, ERR_SYNTAX,
                   "unknown scheme `%.20s://`; %s %sor an address alone for UDP and TCP", scheme,
                   hint, known);
}

/* Reads the scheme, if there is one, and moves *text behind it. */
static bool read_scheme(const char **text, unsigned *bits, struct err *err)
{
    const char *mark = strstr(*text, "://");
    char scheme[SCHEME_TEXT_MAX];

    *bits = LISTEN_WITHOUT_SCHEME;
    if (mark == NULL)
        return true;
    snprintf(scheme, sizeof scheme, "%.*s", (int)(mark - *text), *text);
    *text = mark + SCHEME_MARK_OCTETS;
    for (size_t i = 0; i < LISTEN_SCHEMES; i++)
        if (strcmp(scheme, schemes[i]) == 0) {
            *bits = 1U << i;
            return true;
        }
    return refuse_scheme(scheme, err);
}

bool listen_address_read(const char *text, struct listen_address *address, struct err *err)
{
    const char *host = text;
    struct endpoint endpoint;
    unsigned bits;

    if (!read_scheme(&host, &bits, err))
        return false;
    if (!endpoint_read(host, DNS_PORT, &endpoint))
        return err_set(err, ERR_SYNTAX,
                       "`%.80s` is not an address to listen on; give one like 10.0.0.2, "
                       "127.0.0.1:5300 or [::1]:53, with a port from 1 to 65535",
                       text);
    endpoint_unmap(&endpoint); /* each address gets one kind of socket */
    address->endpoint = endpoint;
    address->schemes = bits;
    return true;
}

/* The scheme of an address that has one; NULL: it is served over UDP and TCP. */
static const char *scheme_of(const struct listen_address *address)
{
    for (size_t i = 0; i < LISTEN_SCHEMES; i++)
        if (address->schemes == 1U << i)
            return schemes[i];
    return NULL;
}

void listen_address_write(const struct listen_address *address, char *out)
{
    const char *scheme = scheme_of(address);
    char endpoint[ENDPOINT_TEXT_MAX];

    endpoint_write(&address->endpoint, endpoint);
    snprintf(out, LISTEN_TEXT_MAX, "%s%s%s", scheme == NULL ? "" : scheme,
             scheme == NULL ? "" : "://", endpoint);
}

/* A wildcard's socket has every address of its family. */
static bool is_within(const struct endpoint *endpoint, const struct endpoint *other)
{
    return other->any.sa_family == endpoint->any.sa_family &&
           endpoint_port(other) == endpoint_port(endpoint) &&
           (endpoint_is_wildcard(other) || endpoint_is_wildcard(endpoint));
}

static bool refuse_twice(const struct listen_address *address, const struct listen_address *other,
                         struct err *err)
{
    char text[LISTEN_TEXT_MAX], listed[LISTEN_TEXT_MAX];

    listen_address_write(address, text);
    listen_address_write(other, listed);
    if (address->schemes == other->schemes)
        return err_set(err, ERR_RULE, "`%.80s` is given twice; keep one of them", text);
    return err_set(err, ERR_RULE,
                   "`%.80s` and `%.80s` overlap, for an address alone is served over UDP and TCP; "
                   "keep one of them",
                   listed, text);
}

static bool refuse_within(const struct listen_address *address, const struct listen_address *other,
                          struct err *err)
{
    bool is_wild = endpoint_is_wildcard(&address->endpoint);
    char one[LISTEN_TEXT_MAX], there[LISTEN_TEXT_MAX];

    listen_address_write(is_wild ? address : other, one);
    listen_address_write(is_wild ? other : address, there);
    return err_set(err, ERR_RULE,
                   "%s is every %s address of this host, %s too; keep %s, or leave it out and list "
                   "the addresses one by one",
                   one, address->endpoint.any.sa_family == AF_INET ? "IPv4" : "IPv6", there, one);
}

bool listen_addresses_can_add(const struct listen_addresses *list,
                              const struct listen_address *address, struct err *err)
{
    const struct listen_address *wide = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const struct listen_address *other = &list->items[i];
        if ((other->schemes & address->schemes) == 0)
            continue;
        if (endpoint_equals(&other->endpoint, &address->endpoint))
            return refuse_twice(address, other, err);
        if (wide == NULL && is_within(&address->endpoint, &other->endpoint))
            wide = other;
    }
    return wide == NULL || refuse_within(address, wide, err);
}

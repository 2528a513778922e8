#include "config/exposure.h"

#include <arpa/inet.h>
#include <string.h>

/* Returns the first interface with a public address of the family, or NULL. */
static const struct ifaddrs *find_public(const struct ifaddrs *interface, sa_family_t family,
                                         struct endpoint *public)
{
    for (; interface != NULL; interface = interface->ifa_next) {
        if (interface->ifa_addr == NULL || interface->ifa_addr->sa_family != family)
            continue;
        *public = (struct endpoint){.v6 = {0}};
        memcpy(public, interface->ifa_addr,
               family == AF_INET ? sizeof public->v4 : sizeof public->v6);
        if (!endpoint_is_private(public))
            return interface;
    }
    return NULL;
}

static void check_wildcard(const struct listen_address *listen, const struct ifaddrs *interfaces,
                           struct report *report)
{
    char wildcard[ENDPOINT_TEXT_MAX], host[ENDPOINT_TEXT_MAX];
    struct endpoint public;
    const struct ifaddrs *interface =
        find_public(interfaces, listen->endpoint.any.sa_family, &public);

    if (interface == NULL)
        return;
    endpoint_write(&listen->endpoint, wildcard);
    endpoint_write_host(&public, host);
    setting_origin_report(
        report, FINDING_LISTEN_PUBLIC, &listen->origin,
        "%s covers the public address %s of interface %s; name the private addresses to listen on, "
        "or set allow_public_listen: true (--allow-public-listen)",
        wildcard, host, interface->ifa_name);
}

static void check_one(const struct listen_address *listen, const struct ifaddrs *interfaces,
                      struct report *report)
{
    char address[ENDPOINT_TEXT_MAX];

    if (endpoint_is_wildcard(&listen->endpoint)) {
        check_wildcard(listen, interfaces, report);
        return;
    }
    if (endpoint_is_private(&listen->endpoint))
        return;
    endpoint_write(&listen->endpoint, address);
    setting_origin_report(
        report, FINDING_LISTEN_PUBLIC, &listen->origin,
        "%s is outside loopback and the private blocks (RFC 1918); listen on a private address, or "
        "set allow_public_listen: true (--allow-public-listen)",
        address);
}

void exposure_check_against(const struct settings *settings, const struct ifaddrs *interfaces,
                            struct report *report)
{
    if (settings->allow_public_listen)
        return;
    for (size_t i = 0; i < settings->listen.count; i++)
        check_one(&settings->listen.items[i], interfaces, report);
    for (size_t i = 0; i < settings->http_listen.count; i++) {
        const struct http_address *http = &settings->http_listen.items[i];
        const struct listen_address listen = {.endpoint = http->endpoint, .origin = http->origin};
        if (http->path == NULL)
            check_one(&listen, interfaces, report);
    }
}

void exposure_check(const struct settings *settings, struct report *report)
{
    struct ifaddrs *interfaces = NULL;

    if (getifaddrs(&interfaces) != 0)
        interfaces = NULL;
    exposure_check_against(settings, interfaces, report);
    freeifaddrs(interfaces);
}

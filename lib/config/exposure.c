#include "config/exposure.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MOST = 400 };

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

/* The callback for refused addresses. */
struct exposure_callback {
    exposure_on_public *on_public;
    void *context;
};

static bool check_wildcard(const struct listen_address *listen, const struct ifaddrs *interfaces,
                           const struct exposure_callback *callback)
{
    char wildcard[ENDPOINT_TEXT_MAX], host[ENDPOINT_TEXT_MAX], sentence[SENTENCE_MOST];
    struct endpoint public;
    const struct ifaddrs *interface =
        find_public(interfaces, listen->endpoint.any.sa_family, &public);

    if (interface == NULL)
        return true;
    endpoint_write(&listen->endpoint, wildcard);
    endpoint_write_host(&public, host);
    snprintf(sentence, sizeof sentence,
             "%s covers the public address %s of interface %s; name the private addresses to "
             "listen on, or set allow_public_listen: true (--allow-public-listen)",
             wildcard, host, interface->ifa_name);
    callback->on_public(callback->context, listen->location, sentence);
    return false;
}

static bool check_one(const struct listen_address *listen, const struct ifaddrs *interfaces,
                      const struct exposure_callback *callback)
{
    char address[ENDPOINT_TEXT_MAX], sentence[SENTENCE_MOST];

    if (endpoint_is_wildcard(&listen->endpoint))
        return check_wildcard(listen, interfaces, callback);
    if (endpoint_is_private(&listen->endpoint))
        return true;
    endpoint_write(&listen->endpoint, address);
    snprintf(sentence, sizeof sentence,
             "%s is outside loopback and the private blocks (RFC 1918); listen on a private "
             "address, or set allow_public_listen: true (--allow-public-listen)",
             address);
    callback->on_public(callback->context, listen->location, sentence);
    return false;
}

bool exposure_check_against(const struct settings *settings, const struct ifaddrs *interfaces,
                            exposure_on_public *on_public, void *context)
{
    const struct exposure_callback callback = {on_public, context};
    bool passed = true;

    for (size_t i = 0; i < settings->listen.count && !settings->allow_public_listen; i++)
        passed = check_one(&settings->listen.items[i], interfaces, &callback) && passed;
    return passed;
}

bool exposure_check(const struct settings *settings, exposure_on_public *on_public, void *context)
{
    struct ifaddrs *interfaces = NULL;

    if (getifaddrs(&interfaces) != 0)
        interfaces = NULL;
    bool passed = exposure_check_against(settings, interfaces, on_public, context);
    freeifaddrs(interfaces);
    return passed;
}

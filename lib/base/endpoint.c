#include "base/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

/* Interfaces come and go: an unknown name is not an error. */
static uint32_t read_interface(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || text[digits] != '\0')
        return if_nametoindex(text);
    return digits < 10 ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

bool ipv6_read(const char *text, struct sockaddr_in6 *address)
{
    char host[INET6_ADDRSTRLEN];
    const char *interface = strchr(text, '%');
    size_t length = interface == NULL ? strlen(text) : (size_t)(interface - text);
    struct sockaddr_in6 read = {.sin6_family = AF_INET6};

    if (length >= sizeof host || (interface != NULL && strlen(interface) > INTERFACE_TEXT_MAX))
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (inet_pton(AF_INET6, host, &read.sin6_addr) != 1)
        return false;
    if (interface != NULL) {
        if (!IN6_IS_ADDR_LINKLOCAL(&read.sin6_addr) || interface[1] == '\0')
            return false;
        read.sin6_scope_id = read_interface(interface + 1);
    }
    *address = read;
    return true;
}

bool endpoint_read(const char *text, uint16_t port, struct endpoint *endpoint)
{
    char host[INET6_ADDRSTRLEN + INTERFACE_TEXT_MAX];
    bool bracketed = text[0] == '[';
    const char *host_end = bracketed ? strchr(text, ']') : strchr(text, ':');
    /* Two colons without brackets: an IPv6 address without port. */
    if (!bracketed && (host_end == NULL || strchr(host_end + 1, ':') != NULL))
        host_end = text + strlen(text);
    const char *host_start = bracketed ? text + 1 : text;
    if (host_end == NULL || (size_t)(host_end - host_start) >= sizeof host)
        return false;
    memcpy(host, host_start, (size_t)(host_end - host_start));
    host[host_end - host_start] = '\0';

    const char *rest = bracketed ? host_end + 1 : host_end;
    unsigned long number = port;
    if (*rest != '\0') {
        char *digits_end;
        if (*rest != ':' || rest[1] < '0' || rest[1] > '9')
            return false;
        number = strtoul(rest + 1, &digits_end, 10);
        if (*digits_end != '\0' || number == 0 || number > 65535)
            return false;
    }
    struct endpoint read = {.v6 = {0}};
    if (inet_pton(AF_INET, host, &read.v4.sin_addr) == 1) {
        read.v4.sin_family = AF_INET;
    } else if (!ipv6_read(host, &read.v6)) {
        return false;
    }
    endpoint_set_port(&read, (uint16_t)number);
    *endpoint = read;
    return true;
}

void endpoint_write_host(const struct endpoint *endpoint, char *out)
{
    char interface[IF_NAMESIZE];

    if (endpoint->any.sa_family != AF_INET6) {
        inet_ntop(AF_INET, &endpoint->v4.sin_addr, out, ENDPOINT_TEXT_MAX);
        return;
    }
    uint32_t scope = endpoint->v6.sin6_scope_id;
    inet_ntop(AF_INET6, &endpoint->v6.sin6_addr, out, ENDPOINT_TEXT_MAX);
    size_t length = strlen(out);
    if (scope != 0 && if_indextoname(scope, interface) != NULL)
        snprintf(out + length, ENDPOINT_TEXT_MAX - length, "%%%s", interface);
    else if (scope != 0)
        snprintf(out + length, ENDPOINT_TEXT_MAX - length, "%%%u", scope);
}

void endpoint_write(const struct endpoint *endpoint, char *out)
{
    char host[ENDPOINT_TEXT_MAX];

    endpoint_write_host(endpoint, host);
    snprintf(out, ENDPOINT_TEXT_MAX,
             endpoint->any.sa_family == AF_INET6 ? "[%.62s]:%u" : "%.62s:%u", host,
             endpoint_port(endpoint));
}

const void *endpoint_host(const struct endpoint *endpoint)
{
    return endpoint->any.sa_family == AF_INET6 ? (const void *)&endpoint->v6.sin6_addr
                                               : (const void *)&endpoint->v4.sin_addr;
}

bool endpoint_has_same_host(const struct endpoint *endpoint, const struct endpoint *other)
{
    if (endpoint->any.sa_family != other->any.sa_family)
        return false;
    if (endpoint->any.sa_family == AF_INET)
        return endpoint->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&endpoint->v6.sin6_addr, &other->v6.sin6_addr) &&
           endpoint->v6.sin6_scope_id == other->v6.sin6_scope_id;
}

bool endpoint_is_wildcard(const struct endpoint *endpoint)
{
    if (endpoint->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&endpoint->v6.sin6_addr);
    return endpoint->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

bool endpoint_is_loopback(const struct endpoint *endpoint)
{
    if (endpoint->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&endpoint->v6.sin6_addr);
    return ntohl(endpoint->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool is_private_v6(const struct in6_addr *address)
{
    return (address->s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(address);
}

bool endpoint_is_private(const struct endpoint *endpoint)
{
    if (endpoint_is_loopback(endpoint))
        return true;
    if (endpoint->any.sa_family == AF_INET6)
        return is_private_v6(&endpoint->v6.sin6_addr);
    return ipv4_is_private(ntohl(endpoint->v4.sin_addr.s_addr));
}

void endpoint_unmap(struct endpoint *endpoint)
{
    const struct in6_addr *address = &endpoint->v6.sin6_addr;

    if (endpoint->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(address))
        return;
    struct endpoint plain = {.v6 = {0}};
    plain.v4.sin_family = AF_INET;
    plain.v4.sin_port = endpoint->v6.sin6_port;
    memcpy(&plain.v4.sin_addr, address->s6_addr + 12, sizeof plain.v4.sin_addr);
    *endpoint = plain;
}

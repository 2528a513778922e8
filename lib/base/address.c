#include "base/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a decimal number of at most three digits without leading zeros. Returns NULL without one.
 */
static const char *read_number(const char *text, unsigned most, unsigned *number)
{
    const char *digit = text;
    unsigned value = 0;

    while (*digit >= '0' && *digit <= '9' && digit - text < 3)
        value = value * 10 + (unsigned)(*digit++ - '0');
    if (digit == text || value > most || (*text == '0' && digit - text > 1))
        return NULL;
    *number = value;
    return digit;
}

static const char *read_quad(const char *text, uint32_t *address)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        unsigned number;
        if (i > 0 && *text++ != '.')
            return NULL;
        text = read_number(text, 255, &number);
        if (text == NULL)
            return NULL;
        value = value << 8 | number;
    }
    *address = value;
    return text;
}

bool ipv4_read(const char *text, uint32_t *address)
{
    uint32_t value;
    const char *rest = read_quad(text, &value);

    if (rest == NULL || *rest != '\0')
        return false;
    *address = value;
    return true;
}

bool cidr_read(const char *text, struct cidr *cidr)
{
    uint32_t address;
    unsigned bits;
    const char *rest = read_quad(text, &address);

    if (rest == NULL || *rest != '/')
        return false;
    rest = read_number(rest + 1, 32, &bits);
    if (rest == NULL || *rest != '\0')
        return false;
    *cidr = (struct cidr){.address = address, .bits = (uint8_t)bits};
    return true;
}

void ipv4_write(uint32_t address, char *out)
{
    snprintf(out, CIDR_TEXT_MAX, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
             address >> 8 & 255, address & 255);
}

void cidr_write(struct cidr cidr, char *out)
{
    ipv4_write(cidr.address, out);
    size_t length = strlen(out);
    snprintf(out + length, CIDR_TEXT_MAX - length, "/%u", (unsigned)cidr.bits);
}

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
        read.v4.sin_port = htons((uint16_t)number);
    } else if (ipv6_read(host, &read.v6)) {
        read.v6.sin6_port = htons((uint16_t)number);
    } else {
        return false;
    }
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
    if (endpoint->any.sa_family == AF_INET6)
        snprintf(out, ENDPOINT_TEXT_MAX, "[%.62s]:%u", host, ntohs(endpoint->v6.sin6_port));
    else
        snprintf(out, ENDPOINT_TEXT_MAX, "%.62s:%u", host, ntohs(endpoint->v4.sin_port));
}

static const struct cidr private_blocks[] = {
    {.address = 0x0a000000, .bits = 8},  /* 10.0.0.0/8 */
    {.address = 0xac100000, .bits = 12}, /* 172.16.0.0/12 */
    {.address = 0xc0a80000, .bits = 16}, /* 192.168.0.0/16 */
};

bool cidr_is_private(struct cidr cidr)
{
    for (size_t i = 0; i < sizeof private_blocks / sizeof private_blocks[0]; i++)
        if (cidr_is_inside(cidr, private_blocks[i]))
            return true;
    return false;
}

bool ipv4_is_private(uint32_t address)
{
    return cidr_is_private((struct cidr){.address = address, .bits = 32});
}

bool nat64_prefix_read(const char *text, struct nat64_prefix *prefix)
{
    static const char *const lengths[] = {"32", "40", "48", "56", "64", "96"};
    struct nat64_prefix read = {.bits = 0};
    const char *slash = strchr(text, '/');
    char address[INET6_ADDRSTRLEN];

    if (slash == NULL || (size_t)(slash - text) >= sizeof address)
        return false;
    snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
    if (inet_pton(AF_INET6, address, read.octets) != 1)
        return false;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        if (strcmp(slash + 1, lengths[i]) == 0)
            read.bits = (uint8_t)atoi(lengths[i]);
    if (read.bits == 0)
        return false;
    for (size_t i = read.bits / 8U; i < sizeof read.octets; i++)
        if (read.octets[i] != 0)
            return false;
    *prefix = read;
    return true;
}

void nat64_prefix_write(const struct nat64_prefix *prefix, char *out)
{
    char address[INET6_ADDRSTRLEN];

    inet_ntop(AF_INET6, prefix->octets, address, sizeof address);
    snprintf(out, ENDPOINT_TEXT_MAX, "%s/%u", address, (unsigned)prefix->bits);
}

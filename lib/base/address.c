#include "base/address.h"

#include <arpa/inet.h>
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
    snprintf(out, NAT64_TEXT_MAX, "%s/%u", address, (unsigned)prefix->bits);
}

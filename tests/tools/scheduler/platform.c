#include "scheduler/platform.h"

#include "base/address.h"

/*
 * Dynos have the first dyno block of the space, 4,096 addresses: 16 for each app, 8 for each of its
 * two dynos. Probes have the second block.
 */
enum {
    SPACE_BITS = 16,
    DYNO_BLOCK = 128 << 8,
    PROBE_BLOCK = 144 << 8,
    FIRST = 16, /* below are addresses that a subnet reserves */
    ADDRESSES_OF_APP = 16,
    ADDRESSES_OF_DYNO = 8,
    LISTEN_OCTET = 250,
    TURNS_STARTING = 16, /* every so many turns a dyno starts instead of being up */
};

const char platform_probe_name[] = "worker.bench-0-probe.app.localspace";

/* The first space has its network for itself. */
static unsigned second_octet(unsigned space)
{
    return space == 0 ? 0 : 1 + (space - 1) % (PLATFORM_NETWORKS - 1);
}

static uint32_t network_of(unsigned space)
{
    return 10U << 24 | second_octet(space) << SPACE_BITS;
}

static uint32_t address_of(unsigned space, unsigned app, unsigned dyno, unsigned turn)
{
    return network_of(space) + DYNO_BLOCK + FIRST + app * ADDRESSES_OF_APP +
           dyno * ADDRESSES_OF_DYNO + turn % ADDRESSES_OF_DYNO;
}

/* web.1 and web.2 as they are before any change. */
static void write_dynos(unsigned space, unsigned app, FILE *out)
{
    char one[CIDR_TEXT_MAX], two[CIDR_TEXT_MAX];

    ipv4_write(address_of(space, app, 0, 0), one);
    ipv4_write(address_of(space, app, 1, 0), two);
    fprintf(out,
            ", formation: {web: {dynos: [{number: 1, private_ip: %s}, "
            "{number: 2, private_ip: %s}]}}",
            one, two);
}

void platform_write_zone(const struct platform *platform, unsigned space, FILE *out)
{
    unsigned second = second_octet(space);

    fprintf(out,
            "space: bench-%u\n"
            "cidr: 10.%u.0.0/16\n"
            "routers: [10.%u.0.37, 10.%u.16.21]\n",
            space, second, second, second);
    if (platform->spaces > PLATFORM_NETWORKS && space > 0)
        fprintf(out, "listen: [127.200.%u.%u]\n", space / LISTEN_OCTET, 1 + space % LISTEN_OCTET);
    fputs("apps:\n", out);
    for (unsigned app = 0; app < platform->apps; app++) {
        fprintf(out, "  - {name: bench-%u-app-%u, internal_routing: true", space, app);
        if (platform->has_dynos)
            write_dynos(space, app, out);
        fputs("}\n", out);
    }
    fprintf(out, "  - {name: bench-%u-probe}\n...\n", space);
}

void platform_key(const struct platform *platform, unsigned space, unsigned app,
                  char key[PLATFORM_TEXT_MOST])
{
    snprintf(key, PLATFORM_TEXT_MOST, "%sd/bench-%u/bench-%u-app-%u/web", platform->prefix, space,
             space, app);
}

size_t platform_value(unsigned space, unsigned app, unsigned turn, char value[PLATFORM_TEXT_MOST])
{
    char one[CIDR_TEXT_MAX], two[CIDR_TEXT_MAX];
    bool is_starting = turn % TURNS_STARTING == TURNS_STARTING - 1;

    ipv4_write(address_of(space, app, 0, turn / 2), one);
    ipv4_write(address_of(space, app, 1, (turn + 1) / 2), two);
    return (size_t)snprintf(value, PLATFORM_TEXT_MOST, "1 up %s\n2 %s %s\n", one,
                            is_starting ? "starting" : "up", two);
}

void platform_probe_key(const struct platform *platform, char key[PLATFORM_TEXT_MOST])
{
    snprintf(key, PLATFORM_TEXT_MOST, "%sd/bench-0/bench-0-probe/worker", platform->prefix);
}

uint32_t platform_probe_address(unsigned turn)
{
    return network_of(0) + PROBE_BLOCK + FIRST + turn % PLATFORM_PROBES;
}

size_t platform_probe_value(unsigned turn, char value[PLATFORM_TEXT_MOST])
{
    char address[CIDR_TEXT_MAX];

    ipv4_write(platform_probe_address(turn), address);
    return (size_t)snprintf(value, PLATFORM_TEXT_MOST, "1 up %s\n", address);
}

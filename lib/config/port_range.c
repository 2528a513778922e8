#include "config/port_range.h"

#include <stdlib.h>

#include "base/file.h"

enum { FILE_OCTETS_MOST = 64, PORT_LAST = 65535, TENTHS = 10 };

uint32_t port_range_read(const char *path)
{
    size_t length;
    struct err err;
    char *text = file_read_text(path, FILE_OCTETS_MOST, &length, &err), *end;

    if (text == NULL)
        return 0;
    unsigned long first = strtoul(text, &end, 10), last = strtoul(end, NULL, 10);
    free(text);
    return first == 0 || last > PORT_LAST || first > last ? 0 : (uint32_t)(last - first + 1);
}

bool port_range_is_narrow(const struct settings *settings)
{
    return settings->upstream_port_count > 0 &&
           port_range_tenths(settings->upstream_port_count) < PORT_RANGE_TENTHS_LEAST;
}

unsigned port_range_tenths(uint32_t count)
{
    /* 2^16 times 2^(i / 10), rounded up. */
    static const uint32_t steps[TENTHS] = {65536, 70240, 75282,  80685,  86476,
                                           92682, 99335, 106464, 114105, 122295};
    unsigned bits = 0, tenth = TENTHS - 1;

    if (count == 0)
        return 0;
    while (count >> bits > 1)
        bits++;
    uint64_t scaled = ((uint64_t)count << 16) >> bits; /* at least steps[0] */
    while (scaled < steps[tenth])
        tenth--;
    return bits * TENTHS + tenth;
}

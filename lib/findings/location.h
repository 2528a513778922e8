#pragma once
/**
 * Where in a zone file something was written.
 *
 * Packed into four octets, because sealed segments keep one per app, domain and dyno. Lines and
 * columns count from 1; a column past 255 is kept as 255; line 0 means "written nowhere" (a
 * default).
 */
#include <stdint.h>

struct location {
    uint32_t line : 24;
    uint32_t column : 8;
};

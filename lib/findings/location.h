#pragma once
/**
 * The location of a text in a file that an operator wrote.
 *
 * It takes four octets, because sealed segments keep one per app, domain and dyno. Lines and
 * columns count from 1. A column above 255 is stored as 255. Line 0 means no location (a default).
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdint.h>

struct location {
    uint32_t line : 24;
    uint32_t column : 8;
};

/** Returns the location; what is too large for it is lowered to the largest it has. */
struct location location_at(uint32_t line, uint32_t column);

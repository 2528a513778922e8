#pragma once
/**
 * The location of a text in a zone file.
 *
 * It takes four octets, because sealed segments keep one per app, domain and dyno. Lines and
 * columns count from 1. A column above 255 is stored as 255. Line 0 means no location (a default).
 */
#include <stdint.h>

struct location {
    uint32_t line : 24;
    uint32_t column : 8;
};

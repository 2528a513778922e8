#pragma once
/**
 * Figures of top, as short as they are on its screen.
 *
 * Threads: pure.  Memory: the text is the caller's, and comes back.
 */
#include <stdint.h>

enum { TOP_NUMBER_OCTETS = 24 };

/** "1,204", or "12.3M" from 1,000,000 on. */
const char *top_format_number(uint64_t number, char text[TOP_NUMBER_OCTETS]);

/** "12 s", "5 min", "3 h", "2 d". */
const char *top_format_age(uint64_t seconds, char text[TOP_NUMBER_OCTETS]);

/** "<250us": so much, or less; ">5s" for UINT32_MAX. */
const char *top_format_latency(uint32_t us, char text[TOP_NUMBER_OCTETS]);

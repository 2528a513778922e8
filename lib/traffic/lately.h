#pragma once
/**
 * How often something was asked for in each of the last 60 seconds and minutes.
 *
 * Two rings; what is older than either is forgotten. A time that is further back than a ring goes
 * means that the clock was set back: the ring begins anew.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdint.h>

enum { LATELY_SLOTS = 60 };

/** Zeroed: never asked. */
struct lately {
    uint32_t second, minute; /* of the newest slots, since 1970 */
    uint32_t seconds[LATELY_SLOTS];
    uint32_t minutes[LATELY_SLOTS];
};

/** Counts at a time, in seconds since 1970. */
void lately_add(struct lately *lately, uint32_t at_s, uint32_t count);

/** Counts in a minute, in minutes since 1970, and in no second of it. */
void lately_add_minute(struct lately *lately, uint32_t minute, uint32_t count);

/** How often in the 60 seconds up to now. */
uint64_t lately_last_minute(const struct lately *lately, uint32_t now_s);

/** Fills in the counts of the last 60 minutes; the last one is the minute of now. */
void lately_last_hour(const struct lately *lately, uint32_t now_s, uint32_t counts[LATELY_SLOTS]);

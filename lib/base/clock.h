#pragma once
/**
 * The system's clocks.
 *
 * Only cold code and the edges of the program read them; the rest takes time as an argument.
 *
 * Threads: any.  Memory: never allocates.
 */
#include <stdint.h>

/** Nanoseconds of a clock that never jumps. */
uint64_t clock_monotonic_ns(void);

/** Microseconds since 1970-01-01 00:00 UTC. */
int64_t clock_wall_us(void);

enum { CLOCK_TEXT_OCTETS = 32 };

/** Writes seconds since 1970 as 2026-11-29T10:00:00Z; an empty text for a year out of range. */
void clock_format(int64_t seconds, char text[CLOCK_TEXT_OCTETS]);

/** A clock for cold code that has to wait: reads the time, and sleeps. */
struct waiting_clock {
    int64_t (*wall_us)(void *context);
    void (*wait_ms)(void *context, unsigned ms);
    void *context;
};

/** The system's clock. */
extern const struct waiting_clock clock_machine;

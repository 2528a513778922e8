#pragma once
/**
 * Time, in one place.
 *
 * Only cold code and the edges of the program ask for it; meaning takes time as an argument.
 *
 * Threads: any.  Memory: never allocates.
 */
#include <stdint.h>

/** Nanoseconds of a clock that never jumps. */
uint64_t clock_monotonic_ns(void);

/** Microseconds since 1970-01-01 00:00 UTC. */
int64_t clock_wall_us(void);

/** For cold code that has to wait for something: who says what time it is, and waits. */
struct waiting_clock {
    int64_t (*wall_us)(void *context);
    void (*wait_ms)(void *context, unsigned ms);
    void *context;
};

/** The machine's own. */
extern const struct waiting_clock clock_machine;

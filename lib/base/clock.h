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

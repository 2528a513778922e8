#pragma once
/**
 * Empty data caches, for benchmarks under callgrind: what is touched after cold_start() misses once
 * for each line, so that misses are the distinct lines.
 *
 * Callgrind's first data cache must be at most half of COLD_OCTETS.
 *
 * Threads: one.  Memory: COLD_OCTETS.
 */
#include <stdint.h>

enum { COLD_OCTETS = 1 << 20, COLD_LINE = 64, COLD_PAGE = 4096 };

/**
 * A declaration: what is called from here has its stack at the same place of a page in each run,
 * whatever the environment and the arguments are, and so touches as many lines.
 */
#define COLD_STACK                                                                                 \
    _Alignas(COLD_PAGE) volatile uint8_t cold_stack = 0;                                           \
    (void)cold_stack

/** Where callgrind begins to work when it was started with --instr-atstart=no, which is quicker. */
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define COLD_COUNT CALLGRIND_START_INSTRUMENTATION
#else
#define COLD_COUNT (void)0
#endif

/** Pushes everything else out of the cache. */
void cold_start(void);

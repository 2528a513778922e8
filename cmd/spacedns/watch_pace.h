#pragma once
/**
 * When a watch reads again, and which of its failures are worth a line.
 *
 *     success ──► every_ms
 *     failure ──► first_ms, twice that, four times … up to most_ms
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stdint.h>

enum { PACE_REMIND_MS = 600000 };

struct pace {
    uint64_t every_ms;
    uint64_t first_ms;
    uint64_t most_ms;
    uint64_t failures; /* in a row */
    uint64_t told_ms;  /* when a failure was last printed */
    uint64_t told;     /* the hash of its sentence */
};

void pace_succeed(struct pace *pace);

/**
 * Counts a failure. Returns true when it is to be printed: it is the first one, another one than
 * before, or the last line about it is PACE_REMIND_MS old.
 */
bool pace_fail(struct pace *pace, uint64_t sentence_hash, uint64_t now_ms);

/** Milliseconds until the next reading. */
uint64_t pace_next_ms(const struct pace *pace);

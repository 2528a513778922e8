#pragma once
/**
 * The lines of a watch, for a journal, or with --json an object each:
 *
 *     2026-11-30T10:00:00Z test-space: 1 dyno new, 1 gone: frozen-oasis-70544: web.3 10.0.130.58 …
 *     2026-11-30T10:00:30Z test-space: refused: the topology lacks 1 of the 2 internal apps, …
 *
 *     {"time": …, "event": "applied", "space": …, "source": …, "by": …, "changes": […], …}
 *
 * Rounds that change nothing are lines only with --json, or when failures went before.
 *
 * Threads: one.
 */
#include "spacedns/watch_round.h"

struct watch_line {
    FILE *out;
    bool is_json;
    const char *source; /* the file or command, as it was given */
    const char *by;     /* who runs the watch */
    const char *space;  /* NULL: not known yet */
    int64_t seconds;    /* since 1970 */
};

/** How a round has ended; `failures` went before it. */
void watch_print_round(const struct watch_line *line, const struct round *round, uint64_t failures);

/** The topology could not be read. */
void watch_print_failure(const struct watch_line *line, const char *sentence);

/** That the watch begins or ends: "watching", "ended". */
void watch_print_event(const struct watch_line *line, const char *event, const char *sentence);

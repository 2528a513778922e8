#pragma once
/**
 * What a program that an upgrade has started writes to standard error, line by line.
 *
 * Event: upgrade_output, for each of the first hundred lines.
 *
 * Threads: the control thread.  Memory: none.
 */
#include <stdbool.h>
#include <stddef.h>

enum { UPGRADE_LINE_MOST = 400 };

struct upgrade_output {
    int descriptor;               /* non-blocking; -1: none */
    char line[UPGRADE_LINE_MOST]; /* so far; the rest of a longer one is left out */
    size_t length;
    char last_line[UPGRADE_LINE_MOST]; /* why it failed, as a rule: no event below an error */
    unsigned logged;
};

/** Reads and logs what there is. Returns false at the end of it. */
bool upgrade_output_read(struct upgrade_output *output);

/** Ends a line that has no end yet. */
void upgrade_output_end_line(struct upgrade_output *output);

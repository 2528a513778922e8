#pragma once
/**
 * The last line of a check, the same in both programs:
 *
 *     zones: 1 file, 1 space, 3 apps: 0 errors, 2 warnings, 0 notes
 *
 * Threads: one.  Memory: never allocates.
 */
#include <stddef.h>
#include <stdio.h>

#include "answer/snapshot.h"
#include "findings/report.h"

/**
 * Prints the line. Without a snapshot, spaces and apps are left out: they are not known.
 *
 * folder  escaped when printed
 * files   the number of zone files in it
 */
void summary_print(const char *folder, size_t files, const struct snapshot *snapshot,
                   const struct report *report, FILE *out);

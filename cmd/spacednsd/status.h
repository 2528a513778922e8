#pragma once
/**
 * Answers the command status: gathers what inspect/status_print.h prints.
 *
 * Threads: the control thread.  Memory: none is kept.
 */
#include <stdbool.h>
#include <stdio.h>

#include "spacednsd/status_source.h"

/** Prints it. Returns false, with nothing printed, when out of memory. */
bool status_print(const struct status_source *source, bool is_json, FILE *out);

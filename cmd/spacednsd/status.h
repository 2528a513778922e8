#pragma once
/**
 * The server's status: what it serves, the state of its upstreams, its counters.
 *
 * Threads: the control thread.  Memory: none is kept.
 */
#include <stdbool.h>
#include <stdio.h>

#include "spacednsd/status_source.h"

/** Prints it in lines, counters that are not zero last, or as one JSON object. */
void status_print(const struct status_source *source, bool is_json, FILE *out);

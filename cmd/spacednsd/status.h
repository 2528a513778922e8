#pragma once
/**
 * How the server is: what it serves, how its upstreams are, what it has counted.
 *
 * Threads: the control thread.  Memory: none is kept.
 */
#include <stdbool.h>
#include <stdio.h>

#include "spacednsd/status_source.h"

/** Tells it in lines, counters that are not zero last, or as one JSON object. */
void status_print(const struct status_source *view, bool is_json, FILE *out);

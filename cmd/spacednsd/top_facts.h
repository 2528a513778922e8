#pragma once
/**
 * What the command top shows, gathered from the server (inspect/top.h).
 *
 * The workers have handed over what was asked before the call, and reported their upstreams and
 * caches (inspection.h).
 *
 * Threads: the control thread.  Memory: nothing is left.
 */
#include <stdbool.h>
#include <stdio.h>

#include "spacednsd/status_source.h"

/** Prints one JSON object: on one line, or indented. Returns false without memory. */
bool top_facts_print(const struct status_source *source, bool is_line, FILE *out);

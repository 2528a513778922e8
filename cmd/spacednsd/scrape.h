#pragma once
/**
 * Gathers what a scrape gets: counters of all workers, and the state of the server as status.h has
 * it (inspect/metrics.h prints it).
 *
 * Threads: the control thread, once the workers have reported.  Memory: none is kept.
 */
#include <stdbool.h>
#include <stdio.h>

#include "inspect/metrics.h"
#include "spacednsd/process.h"
#include "spacednsd/status_source.h"

/** What HTTP has counted of itself. */
struct scrape_http {
    const char *label; /* "200", "timeout" */
    uint64_t count;
};

struct scrape {
    const struct status_source *source;
    const struct process *process;
    const struct scrape_http *http;
    size_t http_count;
    const struct scrape_http *http_ends; /* of connections */
    size_t http_end_count;
};

/** Prints it. Returns false, with nothing printed, when out of memory. */
bool scrape_print(const struct scrape *scrape, enum metrics_format format, FILE *out);

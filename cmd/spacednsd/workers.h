#pragma once
/**
 * The worker reports (serve/worker_report.h), combined.
 *
 * Each worker has round trips and a cache of its own: what differs is printed by worker, the first
 * one number 1. A worker that has not reported is left out, and listed as silent.
 *
 * Threads: the control thread.  Memory: what is returned is the caller's.
 */
#include <stdio.h>

#include "inspect/explain_request.h"
#include "inspect/print.h"
#include "spacednsd/status_source.h"

/** Each upstream once: its zones, and its state and round trip in each worker. */
json_t *workers_upstreams(const struct status_source *source);

/** The sum over all caches. */
json_t *workers_cache(const struct status_source *source);

/** The numbers of the workers that have not reported. */
json_t *workers_silent(const struct status_source *source);

/** One line for each of workers_upstreams: "upstream 10.0.0.2 up 3-5ms". */
void workers_print_upstreams(const json_t *upstreams, FILE *out);

/** Prints an explanation with what each worker knows of the name. */
void workers_explain(const struct status_source *source, const struct explain_request *request,
                     bool is_json, FILE *out);

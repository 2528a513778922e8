#pragma once
/**
 * What the workers told when they were looked into (serve/worker_report.h), put together.
 *
 * Each worker has round trips and a cache of its own: what differs between them is told by worker,
 * the first one number 1. A worker that has not told is left out, and listed as silent.
 *
 * Threads: the control thread.  Memory: what is returned is the caller's.
 */
#include <stdio.h>

#include "inspect/explain_request.h"
#include "inspect/print.h"
#include "spacednsd/status_source.h"

/** Each upstream once: what it is asked for, and its state and round trip in each worker. */
json_t *workers_upstreams(const struct status_source *view);

/** The caches together. */
json_t *workers_cache(const struct status_source *view);

/** Numbers of those that have not told. */
json_t *workers_silent(const struct status_source *view);

/** One line for each of workers_upstreams: "upstream 10.0.0.2 up 3-5ms". */
void workers_print_upstreams(const json_t *upstreams, FILE *out);

/** Tells an explanation with what each worker knows of the name. */
void workers_explain(const struct status_source *view, const struct explain_request *asking,
                     bool is_json, FILE *out);

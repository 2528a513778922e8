#pragma once
/**
 * The worker reports (serve/worker_report.h), combined.
 *
 * Each worker has round trips and a cache of its own: what differs is printed by worker, the first
 * one number 1. A worker that has not reported is left out, and listed as silent.
 *
 * Threads: the control thread.  Memory: what is returned is the caller's.
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "inspect/explain_request.h"
#include "inspect/status_print.h"
#include "spacednsd/status_source.h"

/**
 * Fills in the workers of a status, zero before: each upstream once with its state and round trip
 * in each worker, the sum over all caches, the apps with a raised TTL, who was limited, and the
 * numbers of the silent workers. Borrows the texts of the reports, and the arena. Returns false
 * when out of memory.
 */
bool workers_read(const struct server *server, struct arena *arena, struct status *status);

/** Prints an explanation with what each worker knows of the name. */
void workers_explain(const struct status_source *source, const struct explain_request *request,
                     bool is_json, FILE *out);

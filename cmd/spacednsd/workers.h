#pragma once
/**
 * What the workers told when they were looked into (serve/look.h), put together.
 *
 * Each worker has round trips and a cache of its own: what differs between them is told by worker,
 * the first one number 1. A worker that has not told is left out, and listed as silent.
 *
 * Threads: the control thread.  Memory: what is returned is the caller's.
 */
#include <stdio.h>

#include "control/asking.h"
#include "control/print.h"
#include "spacednsd/view.h"

/** Each upstream once: what it is asked for, and its state and round trip in each worker. */
json_t *workers_upstreams(const struct control_view *view);

/** The caches together. */
json_t *workers_cache(const struct control_view *view);

/** Numbers of those that have not told. */
json_t *workers_silent(const struct control_view *view);

/** One line for each of workers_upstreams: "upstream 10.0.0.2 up 3-5ms". */
void workers_print_upstreams(const json_t *upstreams, FILE *out);

/** Tells an explanation with what each worker knows of the name. */
void workers_explain(const struct control_view *view, const struct asking *asking, bool is_json,
                     FILE *out);

#pragma once
/**
 * Prints which clients would have got something else (traffic/replay.h), behind a plan.
 *
 *     traffic since 2026-11-30T12:01:07Z: 9 of 40 clients would have got something else, in 324 of
 *     5312 replies
 *     space test-space, app frozen-oasis-70544
 *       ~ 8 clients of peering pcx-111aaa111 asked 312 times since 2026-11-30T12:03:00Z: Q14
 *         instead of 2 addresses
 *         api.example.com A; 10.20.3.4, 10.20.3.5 and 6 more
 *
 * (each on one line). Behind it stands what is not known.
 *
 * Threads: the control thread.  Memory: none is kept.
 */
#include <stdio.h>

#include "inspect/print.h"
#include "traffic/replay.h"

/** silent  the number of workers whose last questions lack */
void traffic_print(const struct replay *replay, size_t silent, FILE *out);

/** The same as an object, to be released. */
json_t *traffic_json(const struct replay *replay, size_t silent);

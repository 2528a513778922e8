#pragma once
/**
 * Is what a nameserver answers what the server behind it decides?
 *
 * The server tells its decision in an explanation, the strings of a _why record, a line each; the
 * last line is "verdict=" and, where it is an answer's, the response code and what there is to it:
 *
 *     routers up: 10.0.0.37 10.0.16.21 (zones/test-space.yaml:18)
 *     verdict=NOERROR
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spacedns/doctor_ask.h"

/** Writes "NOERROR", "REFUSED", ...; cut to the size. */
void doctor_write_rcode(uint16_t rcode, char *out, size_t size);

/**
 * Writes the rest of the explanation's line that begins so, cut to the size. Returns `out`, or NULL
 * when there is no such line.
 */
const char *doctor_line(const char *explanation, const char *begin, char *out, size_t size);

/**
 * Writes the name that the explanation's aliases lead to, cut to the size:
 *
 *     alias=db.corp.example target=db.internal.example.com (zones/test-space.yaml:71)
 *
 * Returns `out`, or NULL when there are none.
 */
const char *doctor_last_name(const char *explanation, char *out, size_t size);

/**
 * True when an answer for A has the verdict's response code, addresses if the verdict has some, and
 * of the routers, if any are named, each and no other address. Also when the explanation decides
 * nothing, or leaves it to upstreams.
 */
bool doctor_agrees(const char *explanation, const struct doctor_answer *answer);

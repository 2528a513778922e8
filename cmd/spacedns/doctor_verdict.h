#pragma once
/**
 * Compares the answer of a nameserver with the decision of the server behind it.
 *
 * The server explains its decision in the strings of a _why record, a line each; the last line is
 * "verdict=" and, for an answer, the response code and its details:
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
void doctor_format_rcode(uint16_t rcode, char *out, size_t size);

/**
 * Writes the rest of the explanation's line that begins with `begin`, cut to the size. Returns
 * `out`, or NULL when there is no such line.
 */
const char *doctor_line(const char *explanation, const char *begin, char *out, size_t size);

/**
 * Writes why a name has no address, as far as the explanation has it, each part with "; " before
 * it: where its aliases lead, the reason unless the answer has it, the app without internal
 * routing, the name that may have been meant, the remedy.
 */
void doctor_format_cause(const char *explanation, bool has_reason, char *out, size_t size);

/**
 * True when an answer for A has the verdict's response code, addresses if the verdict has some, and
 * exactly the routers' addresses if any are listed. Also true when the explanation has no verdict
 * or forwards the name.
 */
bool doctor_agrees(const char *explanation, const struct doctor_answer *answer);

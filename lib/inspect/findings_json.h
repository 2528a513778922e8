#pragma once
/**
 * Findings as JSON, the same wherever a program prints them:
 *
 *     {"level": "error", "code": "E-TTL", "file": "zones/a.yaml", "line": 8, "column": 12, "text":
 *      "..."}
 *
 * The line is 0 for a finding without a location in its file, or on the command line.
 *
 * Threads: one.  Memory: the caller releases the array.
 */
#include <jansson.h>

#include "findings/report.h"

/** Returns the array of a report's findings, in order; NULL is an empty report. */
json_t *findings_to_json(const struct report *report);

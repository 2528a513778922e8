#pragma once
/**
 * Logs and prints the findings of a loading, and why it was refused.
 *
 * Threads: the control thread.
 */
#include "spacednsd/audit.h"
#include "spacednsd/zones.h"

/** Logs findings, one event each, errors first, a hundred at most. */
void findings_log(const struct report *report);

/** Logs why a reload was refused: each finding, then the first error and the count. */
void findings_log_refusal(const struct zones_loading *loading, uint64_t generation,
                          const struct audit *audit);

/** The cause of a refused reload: the first error with its location, or loading->err. */
void findings_format_cause(const struct zones_loading *loading, struct err *cause);

/** Prints why the server does not start. */
void findings_print_refusal(const struct zones_loading *loading, FILE *out);

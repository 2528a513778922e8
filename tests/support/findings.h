#pragma once
/**
 * Findings as tests compare them.
 *
 * Threads: one.
 */
#include "findings/report.h"

/**
 * Returns the findings in the order of the report, each as "FILE:LINE:COLUMN: sentence" and a
 * newline, with the code only if it is not `usual`. The caller frees it.
 *
 * shortened  a path that is written as FILE; NULL: none
 */
char *findings_text(const struct report *report, enum finding_code usual, const char *shortened);

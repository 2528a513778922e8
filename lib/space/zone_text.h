#pragma once
/**
 * The end mark of a zone file: a last line of three dots, YAML's end of a document.
 *
 * A file that was cut during a copy, or on a full disk, is most often still valid YAML with fewer
 * apps. The mark shows that the file is complete. The mark is optional: a file is refused without
 * it only if it was served with it before (E-CUT), and check --strict reports its absence
 * (W-NO-END).
 *
 *     space: test-space
 *     apps: []
 *     ...
 *
 * Sources: YAML 1.2.2 section 9.1.2 (document markers).
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "findings/report.h"

/** True if the last line that is not blank is `...`, optionally followed by a comment. */
bool zone_text_is_marked(const char *text, size_t length);

/** Returns the number of octets before the mark's line; all if there is none. */
size_t zone_text_content(const char *text, size_t length);

/** Reports that a text, marked when it was served, has no mark now (E-CUT). */
void zone_text_report_cut(const char *file, const char *text, size_t length, struct report *report);

/** Reports that a text is not marked (W-NO-END). */
void zone_text_report_unmarked(const char *file, const char *text, size_t length,
                               struct report *report);

#pragma once
/**
 * The end mark of a zone file: a last line of three dots, YAML's end of a document.
 *
 * A file that was cut while it was copied, or at a full disk, is most often still good YAML with
 * fewer apps in it. With the mark it is seen that all of it is there. The mark is optional: only a
 * file that was served with it is refused without it (E-CUT), and check --strict asks for it
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

/** True when the last line that is not blank is `...`, perhaps with a comment behind it. */
bool zone_text_is_marked(const char *text, size_t length);

/** The octets in front of the mark's line; all of them where there is none. */
size_t zone_text_content(const char *text, size_t length);

/** Reports that a text, which was marked when it was served, has lost its end (E-CUT). */
void zone_text_report_cut(const char *file, const char *text, size_t length, struct report *report);

/** Reports that a text is not marked (W-NO-END). */
void zone_text_report_unmarked(const char *file, const char *text, size_t length,
                               struct report *report);

#pragma once
/**
 * Findings: all problems of zone files and settings, in one run.
 *
 * A finding has a level, a stable code (E-ROUTER-DYNO), a location, and a sentence with the value,
 * the rule and the fix:
 *
 *     zones/test-space.yaml:8:12: error E-ROUTER-DYNO: router 10.0.130.9 lies in dyno CIDR
 *     10.0.128.0/20; give the router an address in 10.0.0.0/20 or 10.0.16.0/20
 *
 * Codes and levels come from findings.def. Values are quoted as written, but escaped
 * (base/escape.h), and so is a printed file name: a file can neither send control sequences to the
 * terminal nor forge a line. Callers cut long values themselves ("%.80s"), so that the fix is not
 * lost.
 *
 * A report is bounded, whatever a file contains: it keeps FINDINGS_ALIKE findings of one code in
 * one file, and FINDINGS_KEPT in all. It counts the rest, and report_sort adds "and N more" after
 * those of the file and code. A reader of a file stops when report_is_full.
 *
 * Threads: a report belongs to one thread; report_merge joins reports of finished threads.
 * Memory: findings are copied into the report's own arena; about 2 MB at most.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "findings/location.h"

enum finding_level { FINDING_ERROR, FINDING_WARNING, FINDING_NOTE };

enum finding_code {
#define FINDING(code, text, level, meaning) FINDING_##code,
#include "findings/findings.def"
#undef FINDING
    FINDING_CODE_COUNT
};

enum {
    FINDINGS_ALIKE = 100,
    FINDINGS_KEPT = 10000,
    ERRORS_ENOUGH = 1000, /* in one file; more would not help to correct it */
};

struct finding {
    enum finding_code code;
    size_t more;      /* above 0: this line stands for so many findings left out */
    const char *file; /* its name, or a flag: "--listen (command line)"; escaped when printed */
    struct location at;
    const char *sentence; /* escaped */
};

struct report;

/** Returns an empty report, or NULL if memory runs out. */
struct report *report_new(void);

/** Frees the report and its findings. NULL is allowed. */
void report_free(struct report *report);

/** Adds one finding. If memory runs out, the report is marked incomplete and is not clean. */
void report_add(struct report *report, enum finding_code code, const char *file, struct location at,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/** Copies all findings of `from` into `to`, and adds the counts of those left out. */
void report_merge(struct report *to, const struct report *from);

/**
 * Sorts by file, line, column, then code, and adds after each file's findings the number of those
 * left out, by code. May be called again after a later report_add.
 */
void report_sort(struct report *report);

/** Drops the findings of all files but one, and their counts. Nothing is added afterwards. */
void report_keep_file(struct report *report, const char *file);

/** Returns the number of findings of a level, including those left out. */
size_t report_count(const struct report *report, enum finding_level level);

/** True if checking should stop: there are ERRORS_ENOUGH errors, or memory ran out. */
bool report_is_full(const struct report *report);

/** Returns the findings that are kept, in order; report_total is their number. */
const struct finding *report_findings(const struct report *report);
size_t report_total(const struct report *report);

/** True if the report has no error and lost no finding. */
bool report_is_clean(const struct report *report);

/** Returns the first finding at error level, or NULL. */
const struct finding *report_first_error(const struct report *report);

/** The code's text, such as "E-ROUTER-DYNO", and its level. */
const char *finding_name(enum finding_code code);
enum finding_level finding_level(enum finding_code code);

/** Returns "error", "warning" or "note". */
const char *finding_level_text(enum finding_level level);

/** The meaning of the code, for the table in zones/README.md. */
const char *finding_meaning(enum finding_code code);

enum { FINDING_LOCATION_OCTETS = 160 }; /* for a location within a sentence */

/**
 * Fills *err with why the report refuses what was written, in one sentence: its first error, as
 * "zones/a.yaml:8:12: E-TTL: ... (the first of 3 errors)". A report without one has lost it for
 * want of memory, and that is then the sentence.
 *
 * unseen  a file that the reader cannot open, such as a draft, so that its locations are left out;
 *         NULL: none
 */
void report_refusal(const struct report *report, const char *unseen, struct err *err);

/**
 * Writes "FILE:LINE:COLUMN", or only the file if there is no line, escaped.
 *
 * size  above 30; a file name that is too long for it is cut
 */
void finding_write_location(const struct finding *finding, char *out, size_t size);

/** Prints the same, never cut. */
void finding_print_location(const struct finding *finding, FILE *out);

/** Prints one finding and a newline, in the form shown above (wrapped there). */
void finding_print(const struct finding *finding, FILE *out);

/** Prints every finding in order. */
void report_print(const struct report *report, FILE *out);

/** Prints the findings at error level only. */
void report_print_errors(const struct report *report, FILE *out);

#pragma once
/**
 * Findings: what is wrong in zone files, all of it in one run.
 *
 * A finding has a level, a stable code (E-ROUTER-DYNO), a place, and a sentence that says the
 * value, the rule and the fix:
 *
 *     zones/test-space.yaml:8:12: error E-ROUTER-DYNO: router 10.0.130.9 lies in dyno CIDR
 *     10.0.128.0/20; give the router an address in 10.0.0.0/20 or 10.0.16.0/20
 *
 * Codes come from findings.def; `report_add` takes the level from there. Values are quoted as
 * written, but escaped (base/escape.h), and so is the file's name where it is printed: a file can
 * neither speak to the terminal nor forge a line. Callers cut long values themselves ("%.80s"), so
 * that the fix is not lost.
 *
 * A report is bounded, whatever a file holds: FINDINGS_ALIKE of one code in one file are kept, and
 * FINDINGS_KEPT in all. The rest is counted, and report_sort puts "and N more" behind what is kept
 * of the file and code. Who reads a file stops when report_is_full.
 *
 * Threads: a report belongs to one thread; report_merge joins reports of finished threads.
 * Memory: findings are copied into the report's own arena; some 2 MB at most.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

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
    ERRORS_ENOUGH = 1000, /* in one file: whoever mends it reads no further */
};

struct finding {
    enum finding_code code;
    size_t more;      /* 0, or of how many that are left out this is the last word */
    const char *file; /* as it is called; escaped when printed */
    struct location at;
    const char *sentence; /* escaped */
};

struct report;

/** Returns an empty report, or NULL without memory. */
struct report *report_new(void);

/** Frees the report and its findings. NULL is allowed. */
void report_free(struct report *report);

/** Adds one finding; without memory the report is marked incomplete and counts as refused. */
void report_add(struct report *report, enum finding_code code, const char *file, struct location at,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/** Copies all findings of `from` into `to`; what `from` left out is left out there too. */
void report_merge(struct report *to, const struct report *from);

/**
 * Sorts by file, line, column, then code, and says behind each file's findings how many more there
 * are of a code. Once more after a later report_add is right too.
 */
void report_sort(struct report *report);

/** How many there are of a level, those that are left out included. */
size_t report_count(const struct report *report, enum finding_level level);

/** True when nothing is gained by looking for more: ERRORS_ENOUGH were found, or memory ran out. */
bool report_is_full(const struct report *report);

/** All that are kept, in order, `report_total` of them. */
const struct finding *report_findings(const struct report *report);
size_t report_total(const struct report *report);

/** True when nothing at error level was found and no finding was lost. */
bool report_is_clean(const struct report *report);

/** The first finding at error level, or NULL. */
const struct finding *report_first_error(const struct report *report);

/** Code as shown to people, e.g. "E-ROUTER-DYNO", and the level it has. */
const char *finding_name(enum finding_code code);
enum finding_level finding_level(enum finding_code code);

/** What the code means, for the table in zones/README.md. */
const char *finding_meaning(enum finding_code code);

enum { FINDING_PLACE_OCTETS = 160 };

/** Writes "FILE:LINE:COLUMN", or the file alone where there is no line; a long file name is cut. */
void finding_write_location(const struct finding *finding, char out[FINDING_PLACE_OCTETS]);

/** Prints one finding and a newline, in the form shown above (there broken to fit the page). */
void finding_print(const struct finding *finding, FILE *out);

/** Prints every finding in order. */
void report_print(const struct report *report, FILE *out);

/** Prints those at error level: what stands in the way. */
void report_print_errors(const struct report *report, FILE *out);

#pragma once
/**
 * Colour on a terminal: what is wrong in red, what needs a look in yellow, what is well in green,
 * titles bold. Text without a terminal is the same without the colour.
 *
 * Sources: ECMA-48 8.3.117 (select graphic rendition).
 * Threads: one.  Memory: none.
 */
#include <stdio.h>

#include "findings/report.h"
#include "spacedns/session.h"

enum color { COLOR_NONE, COLOR_BAD, COLOR_DOUBTFUL, COLOR_GOOD, COLOR_MILD, COLOR_TITLE };

/** Prints a text, in a colour if `stream` has it (session_has_color). */
void color_print(const struct session *session, FILE *stream, enum color color, const char *text);

/** The colour of the state of a dyno, router or connection: up, crashed, active, failed, ... */
enum color color_of_state(const char *state);

/** As report_print, with the level of each finding in its colour. */
void color_print_report(const struct session *session, const struct report *report, FILE *stream);

/** As report_print_errors, the same way. */
void color_print_errors(const struct session *session, const struct report *report, FILE *stream);

#pragma once
/**
 * Prints a diff: as lines for people, as JSON for programs.
 *
 *     access
 *       + 10.50.0.0/16 becomes inside of test-space (peered, pcx-999): 65536 addresses
 *     settings
 *       ~ external: refuse -> nxdomain
 *     space test-space, app frozen-oasis-70544: 8 asked in the last minute
 *       - api.example.com (space, peered, vpn): 10.0.0.37 10.0.16.21
 *       + www.example.com (space): 10.0.0.37 10.0.16.21
 *       ~ web.frozen-oasis-70544.app.localspace (space): 10.0.130.56 -> no address, Q24
 *     space: 1 appears, 1 vanishes, 1 changes code, 0 change addresses, of 90 names
 *
 * How often an app is asked stands behind one that loses answers, if the diff knows (diff_asked).
 *
 * Server and command print the same. Names are escaped as by name_add, so no line can send control
 * sequences to a terminal.
 *
 * Threads: one.  Memory: lines are borrowed for the call.
 */
#include <jansson.h>

#include "base/err.h"
#include "inspect/diff.h"

typedef void diff_on_line(void *context, const char *line);

/** Prints the changes, the counts of each class that has any, and the guard's refusals. */
void diff_print(const struct diff *diff, diff_on_line *on_line, void *context);

/** Prints the guard's refusals, and the changes of access and settings. */
void diff_print_refusal(const struct diff *diff, diff_on_line *on_line, void *context);

/** Returns the same as an object, to be released; NULL if memory runs out. */
json_t *diff_json(const struct diff *diff);

/** Returns that object as text from malloc; NULL if memory runs out. */
char *diff_to_json(const struct diff *diff);

/**
 * Returns false if the guard refuses, with one sentence in *err: what would be lost, and how much.
 */
bool diff_guard(const struct diff *diff, struct err *err);

#pragma once
/**
 * A diff in words: for people, line by line, and for machines, as JSON.
 *
 *     access
 *       + 10.50.0.0/16 becomes inside of test-space (peered, pcx-999): 65536 addresses
 *     settings
 *       ~ external: refuse -> nxdomain
 *     space test-space, app frozen-oasis-70544
 *       - api.example.com (space, peered, vpn): 10.0.0.37 10.0.16.21
 *       + www.example.com (space): 10.0.0.37 10.0.16.21
 *       ~ web.frozen-oasis-70544.app.localspace (space): 10.0.130.56 -> no address, Q24
 *     space: 1 appears, 1 vanishes, 1 changes code, 0 change addresses, of 90 names
 *
 * Server and command print the same. Names are escaped as name_add does, so no line can speak to a
 * terminal.
 *
 * Threads: one.  Memory: lines are borrowed for the call.
 */
#include "base/err.h"
#include "inspect/diff.h"

typedef void diff_on_line(void *context, const char *line);

/** Tells the changes, the counts of each class that has any, and what the guard refuses. */
void diff_print(const struct diff *diff, diff_on_line *on_line, void *context);

/** Tells what the guard refuses, and with it whose access and which settings would change. */
void diff_print_refusal(const struct diff *diff, diff_on_line *on_line, void *context);

/** Returns the same as one JSON object, malloc'ed; NULL without memory. */
char *diff_to_json(const struct diff *diff);

/**
 * Returns false, with *err one sentence that names what is lost and how much, when the guard
 * refuses.
 */
bool diff_guard(const struct diff *diff, struct err *err);

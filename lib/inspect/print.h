#pragma once
/**
 * JSON for machines: one object to a line's end.
 *
 * Threads: one.  Memory: what is printed is let go.
 */
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/** A JSON text; octets that are not UTF-8 are escaped as in base/escape.h. Null without memory. */
json_t *print_text(const char *octets, size_t length);

/**
 * Prints the value, indented, with a newline, and lets go of it. NULL prints null. All that is not
 * ASCII is escaped, for a terminal may be what reads it.
 */
void print_json(json_t *value, FILE *out);

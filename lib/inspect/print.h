#pragma once
/**
 * Prints JSON: one value and a newline.
 *
 * Threads: one.  Memory: a printed value is released.
 */
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/** Returns a JSON text; escapes octets that are not UTF-8 (base/escape.h). Null without memory. */
json_t *print_text(const char *octets, size_t length);

/**
 * Prints the value, indented, with a newline, and releases it. NULL prints null. Octets that are
 * not ASCII are escaped, because the output may be a terminal.
 */
void print_json(json_t *value, FILE *out);

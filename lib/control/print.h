#pragma once
/**
 * JSON for machines: one object to a line's end.
 *
 * Threads: one.  Memory: what is printed is let go.
 */
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/** A JSON text; null for octets that are not UTF-8, or without memory. */
json_t *print_text(const char *octets, size_t length);

/** Prints the value, indented, with a newline, and lets go of it. NULL prints null. */
void print_json(json_t *value, FILE *out);

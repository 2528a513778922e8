#pragma once
/**
 * Prints JSON: one value and a newline.
 *
 * Threads: one.  Memory: a printed value is released.
 */
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "base/address.h"

/** Returns a JSON text; escapes octets that are not UTF-8 (base/escape.h). Null without memory. */
json_t *print_text(const char *octets, size_t length);

/** The same of a string; null for NULL. */
json_t *json_text(const char *text);

/** An address; null for 0. */
json_t *json_address(uint32_t address);

json_t *json_cidr(struct cidr cidr);

/** As print_json, in one line. */
void print_json_line(json_t *value, FILE *out);

/**
 * Prints the value, indented, with a newline, and releases it. NULL prints null. Octets that are
 * not ASCII are escaped, because the output may be a terminal.
 */
void print_json(json_t *value, FILE *out);

#pragma once
/**
 * Types, classes and response codes: numbers and their names, from types.def.
 *
 * Sources: RFC 1035 section 3.2, RFC 3597 section 5 (TYPE123, CLASS7), RFC 6895.
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum {
#define TYPE(name, number) TYPE_##name = number,
#include "wire/types.def"
};

enum {
#define CLASS(name, number) CLASS_##name = number,
#include "wire/types.def"
};

enum {
#define RCODE(name, number) RCODE_##name = number,
#include "wire/types.def"
};

/** Appends "A", "HTTPS", or "TYPE4711" for a type without a name here. */
void type_add(struct text *text, uint16_t type);

/** Reads "A", "https" or "TYPE4711"; false when it is neither. */
bool type_read(const char *text, uint16_t *type);

/** What the data of a record of that type is made of (FORM in types.def); NULL: anything. */
const char *type_form(uint16_t type);

/** Appends "NOERROR", "REFUSED", or "RCODE11" for a code without a name here. */
void rcode_add(struct text *text, uint16_t rcode);

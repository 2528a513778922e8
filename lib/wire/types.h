#pragma once
/**
 * Types, classes and response codes: numbers and their names, from types.def.
 *
 * The names are a table of our own, the only one, because _why prints them on the packet
 * path, where ldns must not be called. The query log and explain print the same ones; what an
 * operator writes is read by ldns (inspect/explain_request.h).
 *
 * Sources: RFC 1035 section 3.2, RFC 3597 section 5 (TYPE123, CLASS7), RFC 6895.
 * Threads: pure.  Memory: never allocates.
 */
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

/** What the data of a record of that type is made of (FORM in types.def); NULL: anything. */
const char *type_form(uint16_t type);

/** Appends "NOERROR", "REFUSED", or "RCODE11" for a code without a name here. */
void rcode_add(struct text *text, uint16_t rcode);

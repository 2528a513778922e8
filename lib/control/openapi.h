#pragma once
/**
 * Describes what HTTP serves, for programs: an OpenAPI document, made from paths.def and
 * schemas.def.
 *
 * A schema has every field that an answer has; later versions may add others.
 *
 * Sources: OpenAPI Specification 3.1.0; JSON Schema 2020-12.
 * Threads: any.  Memory: none is kept.
 */
#include <stdio.h>

/** Prints the document, and a newline. */
void openapi_print(FILE *out);

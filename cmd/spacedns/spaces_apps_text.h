#pragma once
/**
 * Apps as text of a zone file: the whole `apps` key, in blocks, a line for each domain and dyno.
 *
 * Default values are left out. Texts come from a parsed model: they have no quotes and no control
 * characters.
 *
 * Threads: pure.
 */
#include <stdio.h>

#include "space/model.h"

void apps_write(const struct app *apps, size_t count, FILE *out);

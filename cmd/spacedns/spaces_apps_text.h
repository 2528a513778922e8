#pragma once
/**
 * Apps as text of a zone file: the whole `apps` key, in blocks, a line for each domain and dyno.
 *
 * What has its default value is left out. Texts are those of a model that was read: without quotes
 * and control characters.
 *
 * Threads: pure.
 */
#include <stdio.h>

#include "space/model.h"

void apps_write(const struct app *apps, size_t count, FILE *out);

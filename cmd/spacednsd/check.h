#pragma once
/**
 * `spacednsd --check`: the settings and the zone files, without serving them.
 *
 * Threads: the calling thread.
 */
#include "config/settings.h"

/**
 * Loads the zone files, prints every finding and a summary line. Returns the exit code. Takes over
 * the report, which has the warnings of the settings.
 */
int check_run(const struct settings *settings, struct report *report);

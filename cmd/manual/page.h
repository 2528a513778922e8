#pragma once
/**
 * Manual pages, in roff: commands, settings, reasons, names, counters, metrics and paths.
 */
#include "manual/marker.h"

/** The last one has no name. */
extern const struct marker page_markers[];

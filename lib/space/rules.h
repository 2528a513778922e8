#pragma once
/**
 * What must hold within one zone file. Rules across files are answer/load.h's.
 *
 * A table of functions; each looks at the whole model and reports every breach at its place.
 *
 * Threads: pure but for the report.
 */
#include "findings/report.h"
#include "space/model.h"

/** Runs every rule; order does not matter, all findings are reported. */
void space_check(const struct space *space, const struct suffixes *suffixes, struct report *report);

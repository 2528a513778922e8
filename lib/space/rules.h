#pragma once
/**
 * The rules within one zone file. For rules between files see answer/load.h.
 *
 * A table of functions; each checks the whole model and reports every violation at its location.
 *
 * Threads: pure but for the report.  Memory: freed before it returns.
 */
#include "findings/report.h"
#include "space/model.h"

/** Runs every rule and reports all findings. */
void space_check(const struct space *space, const struct suffixes *suffixes, struct report *report);

#pragma once
/**
 * Completions of bash and zsh: commands with their options, and what each option takes.
 */
#include "manual/marker.h"

/** The last one has no name. */
extern const struct marker completion_markers[];

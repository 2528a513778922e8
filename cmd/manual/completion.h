#pragma once
/**
 * Completions of bash and zsh: commands with their options, and what each option takes.
 */
#include "manual/marker.h"

/** The codes of all reasons, each once, with blanks between. */
const char *completion_codes(void);

/** The last one has no name. */
extern const struct marker completion_markers[];

#pragma once
/**
 * The sentence of a reason (explain_reason), and what its words and the steps share; a part of
 * explain.c.
 *
 * Threads: pure.  Memory: writes into the caller's text.
 */
#include "decide/explain.h"

/** Appends the name of the verdict's app, which there must be. */
void explain_add_app(struct text *text, const struct verdict *verdict);

/** Appends the process type of the verdict's formation, which there must be. */
void explain_add_type(struct text *text, const struct verdict *verdict);

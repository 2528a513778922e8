#pragma once
/**
 * The sentence of a reason (explain_reason), and what it shares with the steps; a part of
 * explain.c.
 *
 * Threads: pure.  Memory: writes into the caller's text.
 */
#include "decide/explain.h"

/** Appends the name of the verdict's app, which must exist. */
void explain_add_app(struct text *text, const struct verdict *verdict);

/**
 * Appends the suffixes that these classes may ask for: "herokuapp.com, example.com and 3 more" when
 * there is no room for all.
 */
void explain_add_suffixes(struct text *text, const struct recursion *recursion, unsigned classes);

/** Appends the process type of the verdict's formation, which must exist. */
void explain_add_type(struct text *text, const struct verdict *verdict);

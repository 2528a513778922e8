#pragma once
/**
 * The steps of an explanation, one after the other; a part of explain.
 *
 * Threads: pure.  Memory: writes into the caller's explanation.
 */
#include "base/text.h"
#include "decide/explain.h"

/** Begins a step; explain_end_step keeps it. */
struct text explain_begin_step(struct explanation *explanation);

void explain_end_step(struct explanation *explanation, const struct text *text);

/** Appends " (FILE:LINE)" of the segment's file, for whom locations are shown to. */
void explain_add_location(const struct explanation *explanation, struct text *text,
                          const struct segment *segment, uint32_t line);

#pragma once
/**
 * The answer of spacedns explain --live: the decision on a name for a client, step by step, with
 * what each worker knows of it.
 *
 * Threads, memory: api_visit.h.
 */
#include "spacednsd/api_visit.h"

/** Reads the question. Returns false with *err. */
bool api_prepare_explain(struct api_visit *visit, struct err *err);

void api_answer_explain(struct api_visit *visit);

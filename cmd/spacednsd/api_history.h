#pragma once
/**
 * Answers about what has been lately: who uses whom in a space, reasons by minute, reloads.
 *
 * Threads, memory: api_visit.h.
 */
#include "spacednsd/api_visit.h"

enum { API_USES_MOST = 500 };

void api_answer_uses(struct api_visit *visit);
void api_answer_reasons(struct api_visit *visit);
void api_answer_reloads(struct api_visit *visit);

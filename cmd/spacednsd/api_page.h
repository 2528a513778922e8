#pragma once
/**
 * The page's files, which are part of the program: those in page/ beside this file, embedded while
 * it is built.
 *
 * They hold no facts, so they need no token; what the page shows, it asks for below /api/.
 *
 * Threads, memory: api_visit.h.
 */
#include "spacednsd/api_visit.h"

/** index.html */
void api_answer_page(struct api_visit *visit);

/** The file that the path names. */
void api_answer_page_file(struct api_visit *visit);

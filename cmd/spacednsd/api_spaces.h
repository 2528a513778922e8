#pragma once
/**
 * Answers about what is served: spaces, apps a page at a time, one app.
 *
 * Apps come in the order of the snapshot. A page ends with the last app's SPACE/NAME, behind which
 * the next one goes on; an app that is gone by then ends the walk with a sentence. A page looks at
 * API_APPS_EXAMINED apps at most, so that a search through a million takes several.
 *
 * Threads, memory: api_visit.h.
 */
#include "spacednsd/api_visit.h"

enum { API_APPS_EXAMINED = 100000 };

void api_answer_spaces(struct api_visit *visit);
void api_answer_apps(struct api_visit *visit);
void api_answer_app(struct api_visit *visit);

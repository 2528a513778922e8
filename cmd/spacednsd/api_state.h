#pragma once
/**
 * Answers about the server itself: metrics, health, readiness, status, top, and what HTTP serves.
 *
 * /healthz is of the process: does every worker answer a query of its own (serve/pulse.h)? If not,
 * a restart helps. /readyz is of what it serves: the first snapshot is there, no file is served
 * from its last good text, the last reload was not refused. Upstreams do not count, for names of
 * spaces are answered without them; nor does what a registry has, once it was read: it is printed,
 * but a space with errors or a registry that is away are the same at every replica.
 *
 * Threads, memory: api_visit.h.
 */
#include "spacednsd/api_visit.h"

/** The codes that are counted, in the order of api->counts. */
extern const struct api_status {
    enum http_status status;
    const char *code;
} api_statuses[API_STATUSES];

void api_answer_metrics(struct api_visit *visit);
bool api_prepare_health(struct api_visit *visit, struct err *err);
void api_answer_health(struct api_visit *visit);
void api_answer_ready(struct api_visit *visit);
void api_answer_status(struct api_visit *visit);
void api_answer_top(struct api_visit *visit);
void api_answer_openapi(struct api_visit *visit);

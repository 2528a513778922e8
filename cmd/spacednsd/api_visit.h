#pragma once
/**
 * One request over HTTP while it is answered, for the families of answers.
 *
 * Each answer ends with one call that responds, and that frees the visit.
 *
 * Threads: the control thread.  Memory: the visit, from malloc.
 */
#include "control/http_arguments.h"
#include "inspect/explain_request.h"
#include "inspect/print.h"
#include "spacednsd/api.h"

struct api_visit {
    struct inspection_visit inspected; /* first, so that its address is the visit's */
    struct api *api;
    struct http_request *request;
    enum http_path path;
    struct http_arguments arguments;
    struct explain_request explained; /* of the path that explains */
};

/** An answer; it responds. */
typedef void api_answer(struct api_visit *visit);

/** A text that is printed, and sent when it is finished. */
struct api_text {
    FILE *out; /* NULL: no memory */
    char *text;
    size_t length;
};

void api_text_begin(struct api_text *text);

/** True when nothing has been printed, and could have been. */
bool api_text_is_empty(const struct api_text *text);

/** Responds with it, in a Content-Type, or NULL for the path's. Without memory it is an error. */
void api_text_send(struct api_text *text, struct api_visit *visit, enum http_status status,
                   const char *type);

/** Responds with a value in one line, and releases it. */
void api_send_json(struct api_visit *visit, json_t *value);

/** Responds with a sentence: what happened, and what to do. */
void api_fail(struct api_visit *visit, enum http_status status, const char *sentence);

void api_fail_memory(struct api_visit *visit);

/** Responds 404: a space that is not served, with a suggestion. */
void api_fail_space(struct api_visit *visit, const char *space);

/** Frees a visit that has been responded to otherwise. */
void api_visit_free(struct api_visit *visit);

/** An argument's text; NULL: it was left out. */
static inline const char *api_text_of(const struct api_visit *visit, enum http_argument argument)
{
    return visit->arguments.texts[argument];
}

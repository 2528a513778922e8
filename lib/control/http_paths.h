#pragma once
/**
 * The paths that HTTP serves, and what they take (paths.def).
 *
 * Paths are compared as they stand on the request line: neither `..` nor %6d is another way to
 * write one. Only the segment {name} of a path is decoded (http_arguments.h).
 *
 * Threads: pure.  Memory: static tables.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_path {
#define PATH(symbol, path, answer, schema, help) PATH_##symbol,
#include "control/paths.def"
    PATH_COUNT
};

enum http_answer {
    HTTP_ANSWER_PAGE,
    HTTP_ANSWER_FILE,
    HTTP_ANSWER_TEXT,
    HTTP_ANSWER_METRICS,
    HTTP_ANSWER_JSON,
    HTTP_ANSWER_EVENTS,
};

struct http_path_entry {
    const char *path;
    enum http_answer answer;
    const char *schema; /* NULL: it is not JSON */
    const char *help;
};

enum http_argument {
#define ARGUMENT(symbol, of, name, type, need, least, most, initial, help) ARGUMENT_##symbol,
#include "control/paths.def"
    ARGUMENT_COUNT
};

enum http_argument_type { HTTP_ARGUMENT_TEXT, HTTP_ARGUMENT_NUMBER, HTTP_ARGUMENT_FLAG };

enum http_argument_need {
    HTTP_ARGUMENT_SEGMENT, /* {name} of the path */
    HTTP_ARGUMENT_NEEDED,
    HTTP_ARGUMENT_FREE, /* to be left out */
};

struct http_argument_entry {
    enum http_path of;
    const char *name;
    enum http_argument_type type;
    enum http_argument_need need;
    uint64_t least, most; /* octets, or the value */
    uint64_t initial;     /* of a number that is left out */
    const char *help;
};

extern const struct http_path_entry http_paths[PATH_COUNT];

/** Those of one path stand together. */
extern const struct http_argument_entry http_arguments[ARGUMENT_COUNT];

/**
 * Finds the path of a request, without its query. Returns false when there is none.
 *
 * segment  what stands for {name}, still encoded; NULL when the path has none
 */
bool http_path_find(const char *path, enum http_path *found, const char **segment);

/**
 * The Content-Type of its answers; of METRICS and EVENTS that of a client without a wish, of a FILE
 * any.
 */
const char *http_path_type(enum http_path path);

#include "control/http_paths.h"

#include <string.h>

#include "inspect/metrics.h"

const struct http_path_entry http_paths[PATH_COUNT] = {
#define PATH(symbol, path, answer, schema, help)                                                   \
    [PATH_##symbol] = {path, HTTP_ANSWER_##answer, schema, help},
#include "control/paths.def"
};

const struct http_argument_entry http_arguments[ARGUMENT_COUNT] = {
#define ARGUMENT(symbol, of, name, type, need, least, most, initial, help)                         \
    [ARGUMENT_##symbol] = {                                                                        \
        PATH_##of, name, HTTP_ARGUMENT_##type, HTTP_ARGUMENT_##need, least, most, initial, help},
#include "control/paths.def"
};

/* True when only {name}, the last segment, differs from what the table has; that is *segment. */
static bool fits(const char *wanted, const char *path, const char **segment)
{
    const char *brace = strchr(wanted, '{');

    *segment = NULL;
    if (brace == NULL)
        return strcmp(wanted, path) == 0;
    size_t length = (size_t)(brace - wanted);
    if (strncmp(wanted, path, length) != 0 || path[length] == '\0' ||
        strchr(path + length, '/') != NULL)
        return false;
    *segment = path + length;
    return true;
}

bool http_path_find(const char *path, enum http_path *found, const char **segment)
{
    for (unsigned i = 0; i < PATH_COUNT; i++)
        if (fits(http_paths[i].path, path, segment)) {
            *found = (enum http_path)i;
            return true;
        }
    return false;
}

const char *http_path_type(enum http_path path)
{
    switch (http_paths[path].answer) {
    case HTTP_ANSWER_PAGE:
        return "text/html; charset=utf-8";
    case HTTP_ANSWER_FILE:
        return "*/*";
    case HTTP_ANSWER_TEXT:
        return "text/plain; charset=utf-8";
    case HTTP_ANSWER_METRICS:
        return metrics_content_type(METRICS_TEXT);
    case HTTP_ANSWER_JSON:
    case HTTP_ANSWER_EVENTS:
        break;
    }
    return "application/json; charset=utf-8";
}

#include "control/http_paths.h"

#include <string.h>

#include "support/suite.h"

/* A path as it stands on the request line, and what it is; PATH_COUNT: nothing. */
static const struct {
    const char *path;
    enum http_path found;
    const char *segment;
} paths[] = {
    {"/", PATH_PAGE, NULL},
    {"/page/page.css", PATH_PAGE_FILE, "page.css"},
    {"/metrics", PATH_METRICS, NULL},
    {"/api/v1/apps", PATH_APPS, NULL},
    {"/api/v1/apps/frozen-oasis-70544", PATH_APP, "frozen-oasis-70544"},
    {"/api/v1/apps/a%2Fb", PATH_APP, "a%2Fb"},
    {"/api/v1/apps/..", PATH_APP, ".."},
    {"", PATH_COUNT, NULL},
    {"//", PATH_COUNT, NULL},
    {"/page", PATH_COUNT, NULL},
    {"/page/", PATH_COUNT, NULL},
    {"/page/a/b", PATH_COUNT, NULL},
    {"/page/../metrics", PATH_COUNT, NULL},
    {"//metrics", PATH_COUNT, NULL},
    {"/metrics/", PATH_COUNT, NULL},
    {"/metrics/.", PATH_COUNT, NULL},
    {"/./metrics", PATH_COUNT, NULL},
    {"/metric%73", PATH_COUNT, NULL},
    {"/%2e", PATH_COUNT, NULL},
    {"/METRICS", PATH_COUNT, NULL},
    {"/api/v1/apps/", PATH_COUNT, NULL},
    {"/api/v1/apps/a/", PATH_COUNT, NULL},
    {"/api/v1/apps/{name}/x", PATH_COUNT, NULL},
    {"/api/v1", PATH_COUNT, NULL},
    {"metrics", PATH_COUNT, NULL},
};

TEST_OVER(a_path_is_found_as_it_stands_or_not_at_all, paths)
{
    enum http_path found = PATH_COUNT;
    const char *segment = NULL;
    bool is_found = http_path_find(paths[_i].path, &found, &segment);

    ck_assert_int_eq(is_found, paths[_i].found != PATH_COUNT);
    ck_assert_int_eq(found, paths[_i].found);
    ck_assert((segment == NULL) == (paths[_i].segment == NULL));
    if (segment != NULL)
        ck_assert_str_eq(segment, paths[_i].segment);
}

/* Each is found by what the table has, so that no line hides another. */
TEST_LOOP(no_path_hides_another, 0, PATH_COUNT)
{
    enum http_path found;
    const char *segment;

    ck_assert(http_path_find(http_paths[_i].path, &found, &segment));
    ck_assert_int_eq(found, _i);
}

TEST_LOOP(json_has_a_schema_and_nothing_else_has, 0, PATH_COUNT)
{
    bool is_json = strncmp(http_path_type((enum http_path)_i), "application/json", 16) == 0;

    ck_assert_int_eq(is_json, http_paths[_i].schema != NULL);
}

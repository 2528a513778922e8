#include "control/openapi.h"

#include <stdlib.h>
#include <string.h>

#include "control/http_paths.h"
#include "inspect/print.h"
#include "support/suite.h"

static json_t *document;

static void set_up(void)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    openapi_print(out);
    fclose(out);
    document = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(document);
    free(text);
}

static void tear_down(void)
{
    json_decref(document);
}

FIXTURE(set_up, tear_down)

static const json_t *at(const json_t *value, const char *key)
{
    const json_t *found = json_object_get(value, key);

    ck_assert_msg(found != NULL, "%s", key);
    return found;
}

static const json_t *operation(enum http_path path)
{
    return at(at(at(document, "paths"), http_paths[path].path), "get");
}

TEST_LOOP(every_path_is_described, 0, PATH_COUNT)
{
    ck_assert_str_eq(json_string_value(at(operation((enum http_path)_i), "summary")),
                     http_paths[_i].help);
    at(at(at(operation((enum http_path)_i), "responses"), "200"), "content");
}

TEST_LOOP(every_argument_is_described, 0, ARGUMENT_COUNT)
{
    const struct http_argument_entry *entry = &http_arguments[_i];
    const json_t *list = at(operation(entry->of), "parameters"), *each;
    size_t index;
    bool found = false;

    json_array_foreach(list, index, each)
    {
        if (strcmp(json_string_value(at(each, "name")), entry->name) != 0)
            continue;
        found = true;
        ck_assert_int_eq(json_is_true(at(each, "required")), entry->need != HTTP_ARGUMENT_FREE);
        ck_assert_str_eq(json_string_value(at(each, "in")),
                         entry->need == HTTP_ARGUMENT_SEGMENT ? "path" : "query");
    }
    ck_assert(found);
}

static void check_references(const json_t *value)
{
    static const char place[] = "#/components/schemas/";
    const json_t *schemas = at(at(document, "components"), "schemas"), *each;
    const char *target = json_string_value(json_object_get(value, "$ref"));
    const char *key;
    size_t index;

    if (target != NULL && strncmp(target, place, strlen(place)) == 0)
        at(schemas, target + strlen(place));
    json_object_foreach((json_t *)value, key, each) check_references(each);
    json_array_foreach(value, index, each) check_references(each);
}

TEST(every_reference_leads_to_a_schema)
{
    check_references(document);
}

TEST(a_type_may_be_a_list_null_or_missing)
{
    const json_t *schemas = at(at(document, "components"), "schemas");
    const json_t *next = at(at(at(schemas, "Apps"), "properties"), "next");
    const json_t *minutes = at(at(at(schemas, "App"), "properties"), "asked_by_minute");
    const json_t *party = at(schemas, "Party");

    ck_assert_uint_eq(json_array_size(at(next, "anyOf")), 2);
    ck_assert_str_eq(json_string_value(at(minutes, "type")), "array");
    ck_assert_str_eq(json_string_value(at(at(minutes, "items"), "type")), "integer");
    ck_assert_uint_eq(json_array_size(at(party, "required")), 1);
    ck_assert_uint_eq(json_object_size(at(party, "properties")), 3);
}

TEST(the_page_needs_no_token)
{
    ck_assert_uint_eq(json_array_size(at(operation(PATH_PAGE), "security")), 0);
    ck_assert_ptr_null(json_object_get(operation(PATH_STATUS), "security"));
}

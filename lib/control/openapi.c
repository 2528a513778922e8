#include "control/openapi.h"

#include <ctype.h>
#include <string.h>

#include "control/http_paths.h"
#include "inspect/metrics.h"
#include "inspect/print.h"

enum { WORD_OCTETS = 64 };

static const char schema_place[] = "#/components/schemas/";
static const char json_media[] = "application/json; charset=utf-8";
static const char events_media[] = "text/event-stream";

/* ---- schemas ---- */

struct field {
    const char *of;
    const char *key;
    const char *type;
    const char *help;
};

static const struct {
    const char *name;
    const char *help;
} schemas[] = {
#define SCHEMA(name, help) {#name, help},
#include "control/schemas.def"
};

static const struct field fields[] = {
#define FIELD(of, key, type, help) {#of, key, type, help},
#include "control/schemas.def"
};

enum {
    SCHEMA_COUNT = sizeof schemas / sizeof schemas[0],
    FIELD_COUNT = sizeof fields / sizeof fields[0],
};

static json_t *reference(const char *name, size_t length)
{
    return json_pack("{s:o}", "$ref", json_sprintf("%s%.*s", schema_place, (int)length, name));
}

static json_t *plain_type(const char *word, size_t length)
{
    static const struct {
        const char *word, *type, *format;
    } words[] = {
        {"time", "string", "date-time"},
        {"map", "object", NULL},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].word) == length && strncmp(words[i].word, word, length) == 0)
            return json_pack("{s:s, s:s*}", "type", words[i].type, "format", words[i].format);
    return json_pack("{s:o}", "type", json_stringn(word, length));
}

/* A schema of the notation of schemas.def, without its `*`. */
static json_t *type_to_json(const char *type)
{
    size_t length = strlen(type);
    bool may_be_null = type[length - 1] == '?';
    bool is_list = type[0] == '[';

    length -= may_be_null;
    if (is_list) {
        type++;
        length -= 2;
    }
    json_t *schema =
        isupper((unsigned char)type[0]) ? reference(type, length) : plain_type(type, length);
    if (is_list)
        schema = json_pack("{s:s, s:o}", "type", "array", "items", schema);
    if (may_be_null)
        schema = json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
    return schema;
}

static json_t *schema_to_json(const char *name, const char *help)
{
    json_t *properties = json_object(), *required = json_array();

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &fields[i];
        bool may_lack = field->type[0] == '*';
        if (strcmp(field->of, name) != 0)
            continue;
        json_t *property = type_to_json(field->type + may_lack);
        json_object_set_new(property, "description", json_string(field->help));
        json_object_set_new(properties, field->key, property);
        if (!may_lack)
            json_array_append_new(required, json_string(field->key));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "type", "object", "description", help, "properties",
                     properties, "required", required);
}

static json_t *schemas_to_json(void)
{
    json_t *object = json_object();

    for (size_t i = 0; i < SCHEMA_COUNT; i++)
        json_object_set_new(object, schemas[i].name,
                            schema_to_json(schemas[i].name, schemas[i].help));
    return object;
}

/* ---- paths ---- */

static json_t *argument_type(const struct http_argument_entry *entry)
{
    switch (entry->type) {
    case HTTP_ARGUMENT_TEXT:
        return json_pack("{s:s, s:I, s:I}", "type", "string", "minLength", (json_int_t)entry->least,
                         "maxLength", (json_int_t)entry->most);
    case HTTP_ARGUMENT_NUMBER:
        return json_pack("{s:s, s:I, s:I, s:I}", "type", "integer", "minimum",
                         (json_int_t)entry->least, "maximum", (json_int_t)entry->most, "default",
                         (json_int_t)entry->initial);
    case HTTP_ARGUMENT_FLAG:
        return json_pack("{s:s, s:[i, i], s:i}", "type", "integer", "enum", 0, 1, "default", 0);
    }
    return json_null();
}

static json_t *arguments_to_json(enum http_path path)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < ARGUMENT_COUNT; i++) {
        const struct http_argument_entry *entry = &http_arguments[i];
        if (entry->of != path)
            continue;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", entry->name, "in",
                            entry->need == HTTP_ARGUMENT_SEGMENT ? "path" : "query", "required",
                            (int)(entry->need != HTTP_ARGUMENT_FREE), "description", entry->help,
                            "schema", argument_type(entry)));
    }
    return list;
}

/* One body for each type that an answer may have. */
static json_t *content_of(enum http_path path)
{
    const struct http_path_entry *entry = &http_paths[path];
    json_t *schema = entry->schema == NULL ? json_pack("{s:s}", "type", "string")
                                           : reference(entry->schema, strlen(entry->schema));
    json_t *content = json_pack("{s:{s:o}}", http_path_type(path), "schema", schema);

    const char *other = entry->answer == HTTP_ANSWER_EVENTS ? events_media
                        : entry->answer == HTTP_ANSWER_METRICS
                            ? metrics_content_type(METRICS_OPENMETRICS)
                            : NULL;
    if (other != NULL)
        json_object_set_new(content, other, json_pack("{s:{s:s}}", "schema", "type", "string"));
    return content;
}

static json_t *responses_of(enum http_path path)
{
    json_t *responses = json_pack("{s:{s:s, s:o}}", "200", "description", http_paths[path].help,
                                  "content", content_of(path));

    json_object_set_new(responses, "default",
                        json_pack("{s:s}", "$ref", "#/components/responses/Error"));
    return responses;
}

static json_t *path_to_json(enum http_path path)
{
    static const char *const symbols[PATH_COUNT] = {
#define PATH(symbol, path, answer, schema, help) [PATH_##symbol] = #symbol,
#include "control/paths.def"
    };
    char id[WORD_OCTETS] = "";

    for (size_t i = 0; symbols[path][i] != '\0' && i < sizeof id - 1; i++)
        id[i] = (char)(tolower)((unsigned char)symbols[path][i]);
    json_t *operation =
        json_pack("{s:s, s:s, s:o, s:o}", "operationId", id, "summary", http_paths[path].help,
                  "parameters", arguments_to_json(path), "responses", responses_of(path));
    if (http_paths[path].answer == HTTP_ANSWER_PAGE || http_paths[path].answer == HTTP_ANSWER_FILE)
        json_object_set_new(operation, "security", json_array());
    return json_pack("{s:o}", "get", operation);
}

static json_t *paths_to_json(void)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < PATH_COUNT; i++)
        json_object_set_new(object, http_paths[i].path, path_to_json((enum http_path)i));
    return object;
}

/* ---- the document ---- */

static json_t *components_to_json(void)
{
    json_t *refused = json_pack("{s:{s:o}}", json_media, "schema", reference("Error", 5));

    return json_pack("{s:o, s:{s:{s:s, s:o}}, s:{s:{s:s, s:s}}}", "schemas", schemas_to_json(),
                     "responses", "Error", "description", "why there is no answer", "content",
                     refused, "securitySchemes", "token", "type", "http", "scheme", "bearer");
}

void openapi_print(FILE *out)
{
    print_json(json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:s}], s:[{}, {s:[]}], s:o, s:o}", "openapi",
                         "3.1.0", "info", "title", "spacedns", "version", SPACEDNS_VERSION,
                         "description",
                         "What a running server shows over HTTP. It reads, and changes nothing.",
                         "servers", "url", "/", "security", "token", "paths", paths_to_json(),
                         "components", components_to_json()),
               out);
}

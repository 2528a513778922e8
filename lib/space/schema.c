#include "space/schema.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "space/fields.h"
#include "space/keys.h"

enum { KEY_MOST = 64 };

/* The key of "a process type" is "process-type". */
static const char *table_key(const struct table *table, char key[KEY_MOST])
{
    const char *blank = strchr(table->owner, ' ');
    size_t length = 0;

    for (const char *at = blank == NULL ? table->owner : blank + 1; *at != '\0'; at++) {
        bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        if (length < KEY_MOST - 1 && (is_letter || *at == ' '))
            key[length++] = *at == ' ' ? '-' : (char)(*at | 32);
    }
    key[length] = '\0';
    return key;
}

static json_t *refer_to(const struct table *table)
{
    char key[KEY_MOST], path[KEY_MOST + 16];

    snprintf(path, sizeof path, "#/$defs/%s", table_key(table, key));
    return json_pack("{s:s}", "$ref", path);
}

static json_t *either(json_t *first, json_t *second)
{
    return json_pack("{s:[o, o]}", "anyOf", first, second);
}

static json_t *address(void)
{
    return json_pack("{s:s, s:s}", "type", "string", "format", "ipv4");
}

static json_t *block(void)
{
    return json_pack("{s:s, s:s}", "type", "string", "pattern",
                     "^[0-9]{1,3}([.][0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2])$");
}

static json_t *number(const struct number_details *details)
{
    return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)details->least,
                     "maximum", (json_int_t)details->most);
}

static json_t *one_of(const struct enum_words *words)
{
    json_t *items = json_array();

    for (size_t i = 0; i < words->count; i++)
        json_array_append_new(items, json_string(words->items[i]));
    return json_pack("{s:o}", "enum", items);
}

static json_t *text(const struct yaml_field *field)
{
    const char *type = "string";

    if (field->is_required)
        return json_pack("{s:s}", "type", type);
    return json_pack("{s:[s, s]}", "type", type, "null");
}

/* Returns the schema of a single value; NULL for a collection. */
static json_t *scalar(const struct yaml_field *field)
{
    if (field->read == field_read_bool)
        return json_pack("{s:s}", "type", "boolean");
    if (field->read == field_read_number)
        return number(field->details);
    if (field->read == field_read_address)
        return address();
    if (field->read == field_read_block)
        return block();
    if (field->read == field_read_enum || field->read == domain_read_record ||
        field->read == domain_read_status || field->read == tunnel_read_status ||
        field->read == space_read_affinity)
        return one_of(field->details);
    if (field->read == field_read_items || field->read == space_read_ttl)
        return NULL;
    return text(field);
}

static json_t *item(const struct items_details *details)
{
    if (details->read == block_read_item)
        return block();
    if (details->read == listen_read_item)
        return address();
    if (details->table == NULL)
        return json_pack("{s:s}", "type", "string");
    if (details->takes_first)
        return either(scalar(&details->table->fields.items[0]), refer_to(details->table));
    return refer_to(details->table);
}

/* Null is an empty collection, and a process type without ports and dynos. */
static json_t *items(const struct items_details *details)
{
    if (details->kind == YAML_SEQUENCE)
        return json_pack("{s:[s, s], s:o}", "type", "array", "null", "items", item(details));
    if (details->table == &formation_table)
        return json_pack("{s:[s, s], s:o}", "type", "object", "null", "additionalProperties",
                         either(json_pack("{s:s}", "type", "null"), item(details)));
    return json_pack("{s:[s, s], s:o}", "type", "object", "null", "additionalProperties",
                     item(details));
}

/* Numbers and booleans are written in a zone file as in JSON, and all others are texts. */
static json_t *default_value(const struct yaml_field *field, const char *initial)
{
    if (field->read == field_read_bool || field->read == field_read_number)
        return json_loads(initial, JSON_DECODE_ANY, NULL);
    return json_string(initial);
}

static json_t *property(const struct table *table, const struct yaml_field *field)
{
    const struct key_text *words = key_text_find(table, field->name);
    json_t *value = scalar(field);

    assert(words != NULL); /* see keys.h */
    if (value == NULL && field->read == field_read_items)
        value = items(field->details);
    else if (value == NULL)
        value = refer_to(field->details);
    json_object_set_new(value, "description", json_string(words->help));
    if (words->initial != NULL)
        json_object_set_new(value, "default", default_value(field, words->initial));
    return value;
}

static json_t *mapping(const struct table *table)
{
    json_t *properties = json_object(), *required = json_array();

    for (size_t i = 0; i < table->fields.count; i++) {
        const struct yaml_field *field = &table->fields.items[i];
        json_object_set_new(properties, field->name, property(table, field));
        if (field->is_required)
            json_array_append_new(required, json_string(field->name));
    }
    return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties, "required",
                     required, "additionalProperties", 0);
}

char *schema_write(void)
{
    char key[KEY_MOST];
    json_t *defs = json_object();
    json_t *root = mapping(space_tables[0]);

    for (size_t i = 1; space_tables[i] != NULL; i++)
        json_object_set_new(defs, table_key(space_tables[i], key), mapping(space_tables[i]));
    json_object_set_new(root, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(root, "title", json_string("zone file of spacedns"));
    /* The parser reports a missing space itself. */
    const char *name = space_tables[0]->fields.items[0].name;
    json_array_append_new(json_object_get(root, "required"), json_string(name));
    json_object_set_new(json_object_get(json_object_get(root, "properties"), name), "type",
                        json_string("string"));
    json_object_set_new(root, "$defs", defs);
    char *written = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    return written;
}

#include "space/schema.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "space/fields.h"
#include "support/suite.h"

static json_t *schema;

static void set_up(void)
{
    char *text = schema_write();

    ck_assert_ptr_nonnull(text);
    schema = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(schema);
    free(text);
}

static void tear_down(void)
{
    json_decref(schema);
}

/* The value at keys with slashes between. */
static const json_t *at(const char *path)
{
    const json_t *value = schema;
    char copy[256];

    strncpy(copy, path, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    for (char *key = strtok(copy, "/"); key != NULL; key = strtok(NULL, "/")) {
        value = json_object_get(value, key);
        ck_assert_msg(value != NULL, "%s is not there (%s)", key, path);
    }
    return value;
}

/* Definitions in the order of the parser's tables, the space's own first. */
static const char *const names[] = {"",     "app",    "domain", "process-type",
                                    "dyno", "port",   "router", "peering",
                                    "vpn",  "tunnel", "ttl",    "dyno-cidr"};

FIXTURE(set_up, tear_down)

TEST(it_has_every_key_of_every_table_and_no_other)
{
    for (size_t i = 0; space_tables[i] != NULL; i++) {
        const struct yaml_fields *fields = &space_tables[i]->fields;
        ck_assert_uint_lt(i, sizeof names / sizeof names[0]);
        const json_t *mapping = i == 0 ? schema : json_object_get(at("$defs"), names[i]);
        const json_t *keys = json_object_get(mapping, "properties");
        ck_assert_msg(json_object_size(keys) == fields->count, "%s", space_tables[i]->owner);
        for (size_t j = 0; j < fields->count; j++)
            ck_assert_msg(json_object_get(keys, fields->items[j].name) != NULL, "%s",
                          fields->items[j].name);
        ck_assert(json_is_false(json_object_get(mapping, "additionalProperties")));
    }
}

static const struct {
    const char *path, *json;
} values[] = {
    {"$schema", "\"https://json-schema.org/draft/2020-12/schema\""},
    {"required", "[\"space\"]"},
    {"properties/space", "{\"type\":\"string\"}"},
    {"properties/ttl", "{\"$ref\":\"#/$defs/ttl\"}"},
    {"properties/shield", "{\"type\":\"boolean\"}"},
    {"properties/routers/items",
     "{\"anyOf\":[{\"type\":\"string\",\"format\":\"ipv4\"},{\"$ref\":\"#/$defs/router\"}]}"},
    {"properties/listen/items", "{\"type\":\"string\",\"format\":\"ipv4\"}"},
    {"properties/records/items", "{\"type\":\"string\"}"},
    {"$defs/app/required", "[\"name\"]"},
    {"$defs/domain/properties/record", "{\"enum\":[\"cname\",\"alias\"]}"},
    {"$defs/domain/properties/status", "{\"enum\":[\"pending\",\"none\",\"succeeded\"]}"},
    {"$defs/tunnel/properties/status", "{\"enum\":[\"DOWN\",\"UP\"]}"},
    {"$defs/dyno/properties/number", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":4294967295}"},
    {"$defs/process-type/properties/ports/additionalProperties",
     "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535},"
     "{\"$ref\":\"#/$defs/port\"}]}"},
    {"$defs/app/properties/formation/additionalProperties",
     "{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/process-type\"}]}"},
};

TEST_OVER(values_are_described_as_the_parser_reads_them, values)
{
    json_t *value = json_deep_copy(at(values[_i].path));

    json_object_del(value, "description");
    json_object_del(value, "default");
    char *written = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);

    ck_assert_str_eq(written, values[_i].json);
    free(written);
}

TEST(every_key_is_described_in_words)
{
    for (size_t i = 0; space_tables[i] != NULL; i++) {
        json_t *mapping = i == 0 ? schema : json_object_get(at("$defs"), names[i]);
        const char *key;
        json_t *property;
        json_object_foreach(json_object_get(mapping, "properties"), key, property)
        {
            const char *description = json_string_value(json_object_get(property, "description"));
            ck_assert_msg(description != NULL && strchr(description, ' ') != NULL,
                          "`%s` of %s has no description", key, space_tables[i]->owner);
        }
    }
}

static const struct {
    const char *path, *json;
} defaults[] = {
    {"properties/cidr/default", "\"10.0.0.0/16\""},
    {"properties/affinity/default", "\"none\""},
    {"$defs/ttl/properties/router/default", "30"},
    {"$defs/app/properties/dns_discovery/default", "true"},
    {"$defs/app/properties/internal_routing/default", "false"},
};

TEST_OVER(a_default_has_the_type_of_its_key, defaults)
{
    char *written = json_dumps(at(defaults[_i].path), JSON_ENCODE_ANY);

    ck_assert_str_eq(written, defaults[_i].json);
    free(written);
}

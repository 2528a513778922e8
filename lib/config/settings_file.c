#include "config/settings_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/suggest.h"

enum { FILE_OCTETS_MOST = 1 << 20, KEY_MOST = 64 };

struct setting_origin settings_file_origin(const struct file_reading *reading,
                                           struct yaml_location at, const char *key)
{
    return (struct setting_origin){
        .file = reading->path, .at = location_at(at.line, at.column), .key = key};
}

const char *settings_file_value(struct file_reading *reading, const struct setting_origin *origin,
                                const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR)
        setting_report(reading->reader, origin, "%s where one value is expected",
                       yaml_kind_name(node->kind));
    else if (yaml_is_null(node))
        setting_report(reading->reader, origin, "no value; give one or remove the key");
    else
        return node->text;
    return NULL;
}

static void on_problem(void *context, const struct yaml_problem *problem)
{
    const struct file_reading *reading = context;
    const struct setting_origin origin = settings_file_origin(reading, problem->at, NULL);

    setting_report(reading->reader, &origin, "%s", problem->text);
}

static struct setting_text text_at(const struct file_reading *reading, struct yaml_location at,
                                   enum setting_index index)
{
    return (struct setting_text){.source = SOURCE_FILE,
                                 .origin =
                                     settings_file_origin(reading, at, settings_table[index].key)};
}

static void assign_node(struct file_reading *reading, enum setting_index index,
                        const struct yaml_node *node)
{
    struct setting_text text = text_at(reading, node->at, index);

    text.text = settings_file_value(reading, &text.origin, node);
    if (text.text != NULL)
        setting_assign(reading->reader, index, &text);
}

static void assign_list(struct file_reading *reading, enum setting_index index,
                        const struct yaml_node *list)
{
    struct yaml_node item;
    bool is_empty = true;

    while (yaml_next_item(reading->yaml, list, &item)) {
        assign_node(reading, index, &item);
        is_empty = false;
    }
    if (!is_empty || yaml_failed(reading->yaml))
        return;
    const struct setting_text text = text_at(reading, list->at, index);
    setting_assign_nothing(reading->reader, index, &text);
}

static size_t find_key(const char *key)
{
    size_t index = 0;

    while (index < SETTING_COUNT &&
           (settings_table[index].key == NULL || strcmp(settings_table[index].key, key) != 0))
        index++;
    return index;
}

/* True for a key prefix such as "suffixes", because of "suffixes.apps". */
static bool holds_keys(const char *key)
{
    size_t length = strlen(key);

    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *other = settings_table[i].key;
        if (other != NULL && strncmp(other, key, length) == 0 && other[length] == '.')
            return true;
    }
    return false;
}

/* Also suggests the mappings "suffixes" and "registry" themselves. */
static const char *suggest_key(const char *key)
{
    const char *keys[SETTING_COUNT + 2];
    size_t count = 0;

    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_table[i].key != NULL)
            keys[count++] = settings_table[i].key;
    keys[count++] = "suffixes";
    keys[count++] = "registry";
    return suggest_among(key, keys, count);
}

static void report_unknown(struct file_reading *reading, const struct yaml_node *node,
                           const char *key)
{
    const char *suggestion = suggest_key(key);
    const struct setting_origin origin = settings_file_origin(reading, node->at, NULL);

    if (holds_keys(key))
        setting_report(
            reading->reader, &origin, "`%s` holds keys of its own; write them below it, as %s", key,
            strcmp(key, "registry") == 0 ? "{endpoints: [https://10.1.0.3:2379], cell: eu-1}"
                                         : "{apps: example.app}");
    else if (suggestion != NULL)
        setting_report(reading->reader, &origin, "unknown key `%s`; did you mean `%s`?", key,
                       suggestion);
    else
        setting_report(reading->reader, &origin,
                       "unknown key `%s`; spacednsd --help lists the keys", key);
}

static void read_pairs(struct file_reading *reading, const struct yaml_node *mapping,
                       const char *prefix);

static void read_pair(struct file_reading *reading, const struct yaml_node *key_node,
                      const struct yaml_node *value, const char *prefix)
{
    char key[KEY_MOST];
    snprintf(key, sizeof key, "%s%s%.40s", prefix, prefix[0] == '\0' ? "" : ".", key_node->text);
    size_t index = find_key(key);

    if (index == SETTING_COUNT && value->kind == YAML_MAPPING && holds_keys(key))
        read_pairs(reading, value, key);
    else if (index == SETTING_COUNT)
        report_unknown(reading, key_node, key);
    else if (value->kind == YAML_MAPPING && settings_table[index].type == SETTING_ZONES)
        settings_file_read_zones(reading, value);
    else if (value->kind == YAML_MAPPING && settings_table[index].type == SETTING_RECURSION)
        settings_file_read_recursion(reading, value);
    else if (value->kind == YAML_SEQUENCE && setting_is_list(&settings_table[index]))
        assign_list(reading, (enum setting_index)index, value);
    else
        assign_node(reading, (enum setting_index)index, value);
}

/* Recursion is as deep as keys have dots. */
static void read_pairs(struct file_reading *reading, const struct yaml_node *mapping, // NOLINT
                       const char *prefix)
{
    struct yaml_node key, value;

    while (yaml_next_pair(reading->yaml, mapping, &key, &value))
        read_pair(reading, &key, &value, prefix);
}

static void read_yaml(struct settings_reader *reader, const char *path, const char *text,
                      size_t length)
{
    struct file_reading reading = {.reader = reader, .path = path};
    struct yaml_node root;

    reading.yaml = yaml_reader_new(text, length, on_problem, &reading);
    if (reading.yaml == NULL) {
        setting_report(reader, &(struct setting_origin){.file = path}, "out of memory");
        return;
    }
    if (yaml_root(reading.yaml, &root))
        read_pairs(&reading, &root, "");
    yaml_reader_free(reading.yaml);
}

void settings_read_file(struct settings_reader *reader, const char *path)
{
    struct err err;
    size_t length;
    char *text = file_read_text(path, FILE_OCTETS_MOST, &length, &err);

    if (text == NULL)
        setting_report(reader, &(struct setting_origin){.file = path},
                       "the settings file %s; check --settings", err.text);
    else
        read_yaml(reader, path, text, length);
    free(text);
}

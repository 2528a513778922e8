#include "config/settings_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/suggest.h"

enum { FILE_OCTETS_MOST = 1 << 20, KEY_MOST = 64 };

void settings_file_write_location(const struct file_reading *reading, struct yaml_location at,
                                  const char *key, char *location)
{
    snprintf(location, LOCATION_MOST, "%s:%u:%u%s%s", reading->path, (unsigned)at.line,
             (unsigned)at.column, key == NULL ? "" : ": ", key == NULL ? "" : key);
}

const char *settings_file_value(struct file_reading *reading, const char *location,
                                const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR)
        setting_problem(reading->reader, location, "%s where one value is expected",
                        yaml_kind_name(node->kind));
    else if (yaml_is_null(node))
        setting_problem(reading->reader, location, "no value; give one or remove the key");
    else
        return node->text;
    return NULL;
}

static void on_problem(void *context, const struct yaml_problem *problem)
{
    const struct file_reading *reading = context;
    char location[LOCATION_MOST];

    settings_file_write_location(reading, problem->at, NULL, location);
    setting_problem(reading->reader, location, "%s", problem->text);
}

static void assign_node(struct file_reading *reading, enum setting_index index, const char *key,
                        const struct yaml_node *node)
{
    char location[LOCATION_MOST];
    settings_file_write_location(reading, node->at, key, location);
    struct setting_text text = {.source = SOURCE_FILE,
                                .location = location,
                                .text = settings_file_value(reading, location, node)};

    if (text.text != NULL)
        setting_assign(reading->reader, index, &text);
}

static void assign_list(struct file_reading *reading, enum setting_index index, const char *key,
                        const struct yaml_node *list)
{
    struct yaml_node item;
    bool is_empty = true;

    while (yaml_next_item(reading->yaml, list, &item)) {
        assign_node(reading, index, key, &item);
        is_empty = false;
    }
    if (!is_empty || yaml_failed(reading->yaml))
        return;
    char location[LOCATION_MOST];
    settings_file_write_location(reading, list->at, key, location);
    setting_assign_nothing(reading->reader, index,
                           &(struct setting_text){.source = SOURCE_FILE, .location = location});
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

/* Also suggests the mapping "suffixes" itself. */
static const char *suggest_key(const char *key)
{
    const char *keys[SETTING_COUNT + 1];
    size_t count = 0;

    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_table[i].key != NULL)
            keys[count++] = settings_table[i].key;
    keys[count++] = "suffixes";
    return suggest_among(key, keys, count);
}

static void report_unknown(struct file_reading *reading, const struct yaml_node *node,
                           const char *key)
{
    const char *suggestion = suggest_key(key);
    char location[LOCATION_MOST];

    settings_file_write_location(reading, node->at, NULL, location);
    if (suggestion != NULL)
        setting_problem(reading->reader, location, "unknown key `%s`; did you mean `%s`?", key,
                        suggestion);
    else
        setting_problem(reading->reader, location,
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
    else if (value->kind == YAML_SEQUENCE && setting_is_list(&settings_table[index]))
        assign_list(reading, (enum setting_index)index, key, value);
    else
        assign_node(reading, (enum setting_index)index, key, value);
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
        setting_problem(reader, path, "out of memory");
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
        setting_problem(reader, path, "the settings file %s; check --settings", err.text);
    else
        read_yaml(reader, path, text, length);
    free(text);
}

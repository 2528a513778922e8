#include "config/settings_file.h"

#include <string.h>

#include "base/suggest.h"
#include "wire/domain.h"

enum { KEY_MOST = DOMAIN_MOST + 32 };

/* One zone while it is read. */
struct zone_reading {
    struct file_reading *file;
    struct upstream_zone zone;
    const char *key; /* upstream_zones.corp.example, kept with the settings */
    bool failed;     /* a problem was reported */
};

static void report_problem(struct zone_reading *reading, struct yaml_location at,
                           const char *sentence)
{
    const struct setting_origin origin = settings_file_origin(reading->file, at, reading->key);

    setting_report(reading->file->reader, &origin, "%s", sentence);
    reading->failed = true;
}

static void read_upstream(struct zone_reading *reading, const struct yaml_node *node)
{
    struct settings_reader *reader = reading->file->reader;
    const struct setting_origin origin =
        settings_file_origin(reading->file, node->at, reading->key);
    const char *text = settings_file_value(reading->file, &origin, node);

    if (text == NULL)
        reading->failed = true;
    else if (strcmp(text, "none") == 0)
        report_problem(reading, node->at,
                       "`none` is allowed in upstreams only; a zone needs an address");
    else if (!setting_add_upstream(reader, &reading->zone.upstreams, &origin, text))
        reading->failed = true;
}

static void read_upstreams(struct zone_reading *reading, const struct yaml_node *value)
{
    struct yaml_node item;

    if (value->kind != YAML_SEQUENCE) {
        read_upstream(reading, value);
        return;
    }
    while (yaml_next_item(reading->file->yaml, value, &item))
        read_upstream(reading, &item);
    bool is_empty = reading->zone.upstreams.count == 0 && !reading->failed;
    if (is_empty && !yaml_failed(reading->file->yaml))
        report_problem(reading, value->at, "the list is empty; give at least 1");
}

static void read_allow_rebind(struct zone_reading *reading, const struct yaml_node *value)
{
    if (!yaml_read_bool(value, &reading->zone.allow_rebind))
        report_problem(reading, value->at, "allow_rebind is neither true nor false");
}

static void report_unknown(struct zone_reading *reading, const struct yaml_node *key)
{
    static const char *const keys[] = {"upstreams", "allow_rebind"};
    char sentence[128];
    const char *suggestion = suggest_among(key->text, keys, 2);

    snprintf(sentence, sizeof sentence, "unknown key `%.40s`; %s%s%s", key->text,
             suggestion == NULL ? "a zone has upstreams and allow_rebind" : "did you mean `",
             suggestion == NULL ? "" : suggestion, suggestion == NULL ? "" : "`?");
    report_problem(reading, key->at, sentence);
}

/* {upstreams: [...], allow_rebind: true} */
static void read_details(struct zone_reading *reading, const struct yaml_node *mapping)
{
    struct yaml_node key, value;
    bool has_upstreams = false;

    while (yaml_next_pair(reading->file->yaml, mapping, &key, &value)) {
        bool is_list = strcmp(key.text, "upstreams") == 0;
        if (is_list)
            read_upstreams(reading, &value);
        else if (strcmp(key.text, "allow_rebind") == 0)
            read_allow_rebind(reading, &value);
        else
            report_unknown(reading, &key);
        has_upstreams = has_upstreams || is_list;
    }
    if (!has_upstreams && !yaml_failed(reading->file->yaml))
        report_problem(reading, mapping->at, "no upstreams; give {upstreams: [192.168.7.53]}");
}

/* Reads and checks a zone's name; `name` has room for DOMAIN_MOST + 1 octets. */
static void read_name(struct zone_reading *reading, const struct yaml_node *key, char *name)
{
    const struct settings *settings = reading->file->reader->settings;
    size_t length = domain_fold(DOMAIN_ZONE, key->text, name, DOMAIN_MOST);

    name[length] = '\0';
    if (strcmp(key->text, ".") == 0)
        report_problem(reading, key->at,
                       "`.` is everything else; give its servers to the key upstreams");
    else if (length == 0)
        report_problem(
            reading, key->at,
            "not a domain name; give labels of letters, digits, hyphens and underscores with dots "
            "between, like corp.example");
    for (size_t i = 0; i < settings->upstream_zones.count; i++)
        if (strcmp(settings->upstream_zones.items[i].zone, name) == 0)
            report_problem(reading, key->at, "the zone is listed twice; keep one of them");
}

static void keep_zone(struct zone_reading *reading, const char *name, struct yaml_location at)
{
    struct settings *settings = reading->file->reader->settings;
    struct upstream_zones *zones = &settings->upstream_zones;

    if (zones->count == UPSTREAM_ZONES_MOST - 1) { /* "." may be added */
        report_problem(reading, at, "more than 63 zones; remove some");
        return;
    }
    reading->zone.origin = settings_file_origin(reading->file, at, reading->key);
    reading->zone.zone = arena_text(settings->arena, name, strlen(name));
    reading->zone.label_count = domain_label_count(name);
    struct upstream_zone *items =
        arena_grow(settings->arena, zones->items, zones->count, &zones->capacity, sizeof *items);
    if (reading->zone.zone == NULL || items == NULL) {
        report_problem(reading, at, "out of memory");
        return;
    }
    zones->items = items;
    zones->items[zones->count++] = reading->zone;
}

static void read_zone(struct file_reading *file, const struct yaml_node *key_node,
                      const struct yaml_node *value)
{
    char key[KEY_MOST], name[DOMAIN_MOST + 1];
    struct zone_reading reading = {.file = file};
    struct yaml_location at = key_node->at;

    int length = snprintf(key, sizeof key, "upstream_zones.%.253s", key_node->text);
    reading.key = arena_text(file->reader->settings->arena, key, (size_t)length);
    read_name(&reading, key_node, name);
    if (value->kind == YAML_MAPPING)
        read_details(&reading, value);
    else
        read_upstreams(&reading, value);
    if (!reading.failed)
        keep_zone(&reading, name, at);
}

void settings_file_read_zones(struct file_reading *reading, const struct yaml_node *mapping)
{
    struct yaml_node key, value;

    reading->reader->settings->origins[INDEX_upstream_zones] =
        settings_file_origin(reading, mapping->at, settings_table[INDEX_upstream_zones].key);
    while (yaml_next_pair(reading->yaml, mapping, &key, &value))
        read_zone(reading, &key, &value);
}

#include "config/settings_file.h"

#include <string.h>

#include "base/suggest.h"
#include "wire/domain.h"

/* One class while its suffixes are read. */
struct class_reading {
    struct file_reading *file;
    unsigned class;
    const char *key; /* recursion_for.peered */
    size_t start;    /* of its suffixes among those of all classes */
    bool failed;     /* a problem was reported */
};

static struct recursion *recursion_of(const struct class_reading *reading)
{
    return &reading->file->reader->settings->recursion_for;
}

static void report_problem(struct class_reading *reading, struct yaml_location at,
                           const char *sentence)
{
    const struct setting_origin origin = settings_file_origin(reading->file, at, reading->key);

    setting_report(reading->file->reader, &origin, "%s", sentence);
    reading->failed = true;
}

static void keep_suffix(struct class_reading *reading, const char *folded, struct yaml_location at)
{
    struct recursion *recursion = recursion_of(reading);
    struct arena *arena = reading->file->reader->settings->arena;
    struct recursion_suffix suffix = {
        .class = reading->class, .origin = settings_file_origin(reading->file, at, reading->key)};

    if (recursion->count == RECURSION_SUFFIXES_MOST) {
        report_problem(reading, at,
                       "more than 64 suffixes in all classes; remove some, or give all");
        return;
    }
    suffix.text = arena_text(arena, folded, strlen(folded));
    struct recursion_suffix *suffixes = arena_grow(arena, recursion->suffixes, recursion->count,
                                                   &recursion->capacity, sizeof *suffixes);
    if (suffix.text == NULL || suffixes == NULL || !name_from_text(folded, &suffix.name)) {
        report_problem(reading, at, "out of memory");
        return;
    }
    recursion->suffixes = suffixes;
    recursion->suffixes[recursion->count++] = suffix;
}

static bool is_listed(const struct class_reading *reading, const char *folded)
{
    const struct recursion *recursion = recursion_of(reading);

    for (size_t i = reading->start; i < recursion->count; i++)
        if (strcmp(recursion->suffixes[i].text, folded) == 0)
            return true;
    return false;
}

static void read_suffix(struct class_reading *reading, const struct yaml_node *node)
{
    const struct setting_origin origin =
        settings_file_origin(reading->file, node->at, reading->key);
    const char *text = settings_file_value(reading->file, &origin, node);
    char folded[DOMAIN_MOST + 1];

    if (text == NULL) {
        reading->failed = true;
        return;
    }
    folded[domain_fold(DOMAIN_ZONE, text, folded, DOMAIN_MOST)] = '\0';
    if (strcmp(text, "all") == 0)
        report_problem(reading, node->at,
                       "`all` is given in a list; give suffixes, or `all` alone");
    else if (strcmp(text, ".") == 0)
        report_problem(reading, node->at, "`.` is every name; give all instead of the list");
    else if (folded[0] == '\0')
        report_problem(reading, node->at,
                       "not a domain name; give labels of letters, digits, hyphens and "
                       "underscores with dots between, like example.com, or all");
    else if (is_listed(reading, folded))
        report_problem(reading, node->at, "the suffix is listed twice; keep one of them");
    else
        keep_suffix(reading, folded, node->at);
}

static void read_suffixes(struct class_reading *reading, const struct yaml_node *list)
{
    struct yaml_node item;

    while (yaml_next_item(reading->file->yaml, list, &item))
        read_suffix(reading, &item);
    bool is_empty = recursion_of(reading)->count == reading->start && !reading->failed;
    if (is_empty && !yaml_failed(reading->file->yaml))
        report_problem(reading, list->at,
                       "the list is empty; give suffixes, or leave the class out");
}

/* Returns RECURSION_CLASSES after it has reported that there is no such class. */
static unsigned find_class(struct file_reading *file, const struct yaml_node *key)
{
    const char *name = settings_table[INDEX_recursion_for].key;
    const struct setting_origin origin = settings_file_origin(file, key->at, name);
    unsigned class = 0;

    while (class < RECURSION_CLASSES && strcmp(recursion_class_names[class], key->text) != 0)
        class ++;
    if (class < RECURSION_CLASSES)
        return class;
    const char *suggestion = suggest_among(key->text, recursion_class_names, RECURSION_CLASSES);
    setting_report(file->reader, &origin, "`%.40s` is not a class of clients; %s%s%s", key->text,
                   suggestion == NULL ? "give space, peered or vpn" : "did you mean ",
                   suggestion == NULL ? "" : suggestion, suggestion == NULL ? "" : "?");
    return class;
}

static void read_class(struct file_reading *file, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    static const char *const keys[RECURSION_CLASSES] = {
        "recursion_for.space", "recursion_for.peered", "recursion_for.vpn"};
    struct class_reading reading = {.file = file, .class = find_class(file, key)};

    if (reading.class == RECURSION_CLASSES)
        return;
    reading.key = keys[reading.class];
    reading.start = recursion_of(&reading)->count;
    if (value->kind == YAML_SEQUENCE)
        read_suffixes(&reading, value);
    else if (value->kind == YAML_SCALAR && !yaml_is_null(value) && strcmp(value->text, "all") == 0)
        recursion_of(&reading)->all |= 1U << reading.class;
    else
        read_suffix(&reading, value);
}

void settings_file_read_recursion(struct file_reading *reading, const struct yaml_node *mapping)
{
    struct settings_reader *reader = reading->reader;
    struct yaml_node key, value;

    reader->sources[INDEX_recursion_for] = SOURCE_FILE; /* there is no flag */
    reader->settings->origins[INDEX_recursion_for] =
        settings_file_origin(reading, mapping->at, settings_table[INDEX_recursion_for].key);
    while (yaml_next_pair(reading->yaml, mapping, &key, &value))
        read_class(reading, &key, &value);
}

void settings_check_recursion(struct settings_reader *reader)
{
    const struct settings *settings = reader->settings;

    for (size_t i = 0; i < settings->recursion_for.count; i++) {
        const struct recursion_suffix *suffix = &settings->recursion_for.suffixes[i];
        if (settings->suffix_discovery != NULL &&
            domain_is_within(suffix->text, settings->suffix_discovery))
            setting_report(reader, &suffix->origin,
                           "names in `%s` are answered here and never sent to an upstream; remove "
                           "it, and see the setting localspace_to",
                           settings->suffix_discovery);
    }
}

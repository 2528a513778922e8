#include "config/settings_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/setting_value.h"

enum settings_status settings_reread(struct settings *next, const struct settings *now,
                                     struct report *report)
{
    return settings_init(next, now->argc, now->argv, report);
}

/* ---- differences ---- */

struct values {
    char *now;
    char *next;
};

static void values_close(struct values *values)
{
    free(values->now);
    free(values->next);
}

/* Returns false if memory runs out; close `values` in any case. */
static bool values_init(struct values *values, const struct setting *setting,
                        const struct settings *now, const struct settings *next)
{
    *values = (struct values){.now = setting_value_text(setting, now),
                              .next = setting_value_text(setting, next)};
    return values->now != NULL && values->next != NULL;
}

/* As it is shown: of secrets, only whether they are set. */
static const char *shown(const struct setting *setting, const char *value)
{
    if (value[0] == '\0')
        return "(not set)";
    return setting_is_secret(setting) ? "set" : value;
}

static bool keep_one(const struct setting *setting, struct settings *next,
                     const struct settings *now, struct report *report)
{
    const struct setting_origin origin = settings_origin(next, setting->key);
    struct values values;
    bool passed = values_init(&values, setting, now, next);

    if (passed && strcmp(values.now, values.next) != 0) {
        const char *from = shown(setting, values.now), *to = shown(setting, values.next);
        setting_origin_report(report, FINDING_RESTART, &origin,
                              "the change from %.160s to %.160s takes effect after a restart", from,
                              strcmp(from, to) == 0 ? "another value" : to);
    }
    values_close(&values);
    memcpy((char *)next + setting->offset, (const char *)now + setting->offset, setting->size);
    return passed;
}

bool settings_keep(struct settings *next, const struct settings *now, struct report *report)
{
    bool passed = true;

    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_table[i].key != NULL && settings_table[i].change == CHANGE_RESTART)
            passed = keep_one(&settings_table[i], next, now, report) && passed;
    return passed;
}

static bool add_key(struct arena *arena, struct string_list *keys, const char *key)
{
    const char **items =
        arena_grow(arena, keys->items, keys->count, &keys->capacity, sizeof *items);

    if (items == NULL)
        return false;
    keys->items = items;
    keys->items[keys->count++] = key;
    return true;
}

bool settings_list_changes(const struct settings *now, const struct settings *next,
                           struct string_list *keys)
{
    bool passed = true;

    *keys = (struct string_list){.count = 0};
    for (size_t i = 0; passed && i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings_table[i];
        struct values values;
        if (setting->key == NULL || setting->change != CHANGE_LIVE)
            continue;
        passed = values_init(&values, setting, now, next) &&
                 (strcmp(values.now, values.next) == 0 || add_key(next->arena, keys, setting->key));
        values_close(&values);
    }
    return passed;
}

void settings_format_changes(const struct string_list *keys, char out[SETTINGS_CHANGES_OCTETS])
{
    struct text text = text_over(out, SETTINGS_CHANGES_OCTETS - 1);

    for (size_t i = 0; i < keys->count; i++) {
        text_add_string(&text, i == 0 ? "" : ",");
        text_add_string(&text, keys->items[i]);
    }
    out[text_length(&text)] = '\0';
}

#include "config/settings_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/setting.h"

enum settings_status settings_reread(struct settings *next, const struct settings *now,
                                     struct report *report)
{
    return settings_init(next, now->argc, now->argv, report);
}

/* ---- values as text ---- */

static void print_words(const struct string_list *words, FILE *out)
{
    for (size_t i = 0; i < words->count; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ",", words->items[i]);
}

static void print_listen(const struct listen_addresses *list, FILE *out)
{
    for (size_t i = 0; i < list->count; i++) {
        char address[LISTEN_TEXT_MAX];
        listen_address_write(&list->items[i], address);
        fprintf(out, "%s%s", i == 0 ? "" : ",", address);
    }
}

static void print_http(const struct http_addresses *list, FILE *out)
{
    fputs(list->is_none ? "none" : "", out);
    for (size_t i = 0; i < list->count; i++) {
        char address[HTTP_ADDRESS_OCTETS];
        http_address_write(&list->items[i], address);
        fprintf(out, "%s%s", i == 0 ? "" : ",", address);
    }
}

static void print_upstreams(const struct upstreams *list, FILE *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct upstream *upstream = &list->items[i];
        fprintf(out, "%s%s", i == 0 ? "" : ",", upstream->text);
        if (upstream->tls_name != NULL)
            fprintf(out, "#%s", upstream->tls_name);
    }
}

/* Skips ".": it repeats `upstreams` and `allow_rebind`. */
static void print_zones(const struct upstream_zones *zones, FILE *out)
{
    for (size_t i = 0; i < zones->count; i++) {
        const struct upstream_zone *zone = &zones->items[i];
        if (zone->label_count == 0)
            continue;
        fprintf(out, "%s: [", zone->zone);
        print_upstreams(&zone->upstreams, out);
        fputs(zone->allow_rebind ? "] allow_rebind " : "] ", out);
    }
}

/* Writes the words of "space|peered|vpn" whose bits are set. */
static void print_chosen(const char *words, unsigned chosen, FILE *out)
{
    bool is_first = true;

    for (; chosen != 0; chosen >>= 1) {
        size_t length = strcspn(words, "|");
        if ((chosen & 1) != 0)
            fprintf(out, "%s%.*s", is_first ? "" : ",", (int)length, words);
        is_first = is_first && (chosen & 1) == 0;
        words += length + (words[length] == '|');
    }
}

static void print_prefix(const struct nat64_prefix *prefix, FILE *out)
{
    char text[ENDPOINT_TEXT_MAX];

    nat64_prefix_write(prefix, text);
    fputs(prefix->bits == 0 ? "" : text, out);
}

static void print_value(const struct setting *setting, const struct settings *settings, FILE *out)
{
    const void *member = (const char *)settings + setting->offset;

    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_SUFFIX:
        fputs(*(const char *const *)member == NULL ? "" : *(const char *const *)member, out);
        break;
    case SETTING_WORDS:
    case SETTING_SUFFIXES:
        print_words(member, out);
        break;
    case SETTING_NUMBER:
        fprintf(out, "%u", (unsigned)*(const uint32_t *)member);
        break;
    case SETTING_FLAG:
        fputs(*(const bool *)member ? "true" : "false", out);
        break;
    case SETTING_CHOICE:
        print_chosen(setting->words, 1U << *(const unsigned *)member, out);
        break;
    case SETTING_CLASSES:
        print_chosen(setting->words, *(const unsigned *)member, out);
        break;
    case SETTING_LISTEN:
        print_listen(member, out);
        break;
    case SETTING_UPSTREAMS:
        print_upstreams(member, out);
        break;
    case SETTING_ZONES:
        print_zones(member, out);
        break;
    case SETTING_PREFIX:
        print_prefix(member, out);
        break;
    case SETTING_RECURSION:
        recursion_print(member, out);
        break;
    case SETTING_HTTP:
        print_http(member, out);
        break;
    case SETTING_TOKEN: /* see is_same */
        fputs(*(const char *const *)member == NULL ? "" : "set", out);
        break;
    case SETTING_SECRETS: /* see is_same */
        fputs(((const struct cookie_secrets *)member)->count > 0 ? "set" : "", out);
        break;
    }
}

/* Returns NULL if memory runs out. */
static char *value_text(const struct setting *setting, const struct settings *settings)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return NULL;
    print_value(setting, settings, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
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
    *values = (struct values){.now = value_text(setting, now), .next = value_text(setting, next)};
    return values->now != NULL && values->next != NULL;
}

static const char *value_or_none(const char *value)
{
    return value[0] == '\0' ? "(not set)" : value;
}

/* Secrets are compared as they are, because they are not printed. */
static bool is_same(const struct setting *setting, const struct settings *now,
                    const struct settings *next, const struct values *values)
{
    const char *one = (const char *)now + setting->offset;
    const char *other = (const char *)next + setting->offset;

    if (setting->type == SETTING_SECRETS)
        return memcmp(one, other, setting->size) == 0;
    if (setting->type == SETTING_TOKEN && values->now[0] != '\0' && values->next[0] != '\0')
        return strcmp(*(const char *const *)one, *(const char *const *)other) == 0;
    return strcmp(values->now, values->next) == 0;
}

static bool keep_one(const struct setting *setting, struct settings *next,
                     const struct settings *now, struct report *report)
{
    const struct setting_origin origin = settings_origin(next, setting->key);
    struct values values;
    bool passed = values_init(&values, setting, now, next);

    if (passed && !is_same(setting, now, next, &values))
        setting_origin_report(report, FINDING_RESTART, &origin,
                              "the change from %.160s to %.160s takes effect after a restart",
                              value_or_none(values.now),
                              strcmp(values.now, values.next) == 0 ? "another value"
                                                                   : value_or_none(values.next));
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
                 (is_same(setting, now, next, &values) || add_key(next->arena, keys, setting->key));
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

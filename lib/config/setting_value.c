#include "config/setting_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

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

static void print_secrets(const struct cookie_secrets *secrets, FILE *out)
{
    for (uint32_t i = 0; i < secrets->count; i++) {
        fputs(i == 0 ? "" : ",", out);
        for (size_t j = 0; j < sizeof secrets->octets[i]; j++)
            fprintf(out, "%02x", secrets->octets[i][j]);
    }
}

static void print_value(const struct setting *setting, const struct settings *settings, FILE *out)
{
    const void *member = (const char *)settings + setting->offset;

    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_SUFFIX:
    case SETTING_TOKEN:
        fputs(*(const char *const *)member == NULL ? "" : *(const char *const *)member, out);
        break;
    case SETTING_WORDS:
    case SETTING_SUFFIXES:
    case SETTING_ENDPOINTS:
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
    case SETTING_SECRETS:
        print_secrets(member, out);
        break;
    }
}

char *setting_value_text(const struct setting *setting, const struct settings *settings)
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

/* ---- secrets ---- */

static const bool secrets[SETTING_COUNT] = {
#define SETTING(member, key, flag, value, type, words, initial, least, most, change, help)
#define SECRET(member) [INDEX_##member] = true,
#include "config/settings.def"
#undef SETTING
};

bool setting_is_secret(const struct setting *setting)
{
    return secrets[setting - settings_table];
}

/* Calls for each of the values with commas between. */
static void walk_items(char *text, settings_on_secret *on_secret, void *context)
{
    char *rest = text;

    for (char *item = strsep(&rest, ","); item != NULL; item = strsep(&rest, ","))
        if (item[0] != '\0')
            on_secret(context, item);
}

bool settings_walk_secrets(const struct settings *settings, settings_on_secret *on_secret,
                           void *context)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (!secrets[i])
            continue;
        char *text = setting_value_text(&settings_table[i], settings);
        if (text == NULL)
            return false;
        walk_items(text, on_secret, context);
        explicit_bzero(text, strlen(text));
        free(text);
    }
    return true;
}

/* ---- all of them ---- */

bool settings_print_values(const struct settings *settings, FILE *out)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings_table[i];
        if (setting->key == NULL)
            continue;
        char *text = setting_value_text(setting, settings);
        if (text == NULL)
            return false;
        if (text[0] == '\0')
            fprintf(out, "# %s is not set\n", setting->key);
        else
            escape_printf(out, "%s: %s\n", setting->key,
                          setting_is_secret(setting) ? "(set)" : text);
        free(text);
    }
    return true;
}

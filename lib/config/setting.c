#include "config/setting.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/suggest.h"
#include "base/text.h"
#include "config/exposure.h"
#include "config/registry_endpoint.h"
#include "wire/domain.h"

enum { WORDS_MOST = 8 };

const struct setting settings_table[SETTING_COUNT] = {
#define SETTING(member, key, flag, value, type, words, initial, least, most, change, help)         \
    [INDEX_##member] = {key,                                                                       \
                        flag,                                                                      \
                        value,                                                                     \
                        SETTING_##type,                                                            \
                        words,                                                                     \
                        initial,                                                                   \
                        least,                                                                     \
                        most,                                                                      \
                        CHANGE_##change,                                                           \
                        help,                                                                      \
                        offsetof(struct settings, member),                                         \
                        sizeof((struct settings *)0)->member},
#include "config/settings.def"
#undef SETTING
};

void setting_report(struct settings_reader *reader, const struct setting_origin *origin,
                    const char *format, ...)
{
    va_list arguments;

    assert(origin->file != NULL);
    va_start(arguments, format);
    setting_origin_vreport(reader->report, FINDING_SETTING, origin, format, arguments);
    va_end(arguments);
}

bool setting_is_list(const struct setting *setting)
{
    return setting->type == SETTING_WORDS || setting->type == SETTING_SUFFIXES ||
           setting->type == SETTING_CLASSES || setting->type == SETTING_LISTEN ||
           setting->type == SETTING_UPSTREAMS || setting->type == SETTING_RECURSION ||
           setting->type == SETTING_SECRETS || setting->type == SETTING_HTTP ||
           setting->type == SETTING_ENDPOINTS;
}

/* One text and the setting it is read into. */
struct assignment {
    struct settings_reader *reader;
    const struct setting *setting;
    const struct setting_text *text;
    bool is_kept; /* false: a stronger source has set it; only check */
};

static void *member_of(const struct assignment *assignment)
{
    return (char *)assignment->reader->settings + assignment->setting->offset;
}

static const char *keep_text(const struct assignment *assignment, const char *text, size_t length)
{
    const char *kept = arena_text(assignment->reader->settings->arena, text, length);

    if (kept == NULL)
        setting_report(assignment->reader, &assignment->text->origin, "out of memory");
    return kept;
}

/* Makes room for one more item; reports it and returns NULL if it cannot. */
static void *next_item(const struct assignment *assignment, void *items, size_t *count,
                       size_t *capacity, size_t size)
{
    const struct setting *setting = assignment->setting;

    if (*count == setting->most) {
        setting_report(assignment->reader, &assignment->text->origin,
                       "more than %u entries; remove some", (unsigned)setting->most);
        return NULL;
    }
    void *grown = arena_grow(assignment->reader->settings->arena, items, *count, capacity, size);
    if (grown == NULL)
        setting_report(assignment->reader, &assignment->text->origin, "out of memory");
    else
        (*count)++;
    return grown;
}

static void keep_word(const struct assignment *assignment, const char *word, size_t length)
{
    struct string_list *words = member_of(assignment);

    if (!assignment->is_kept)
        return;
    const char *kept = keep_text(assignment, word, length);
    const char **items =
        next_item(assignment, words->items, &words->count, &words->capacity, sizeof *items);
    if (kept == NULL || items == NULL)
        return;
    words->items = items;
    words->items[words->count - 1] = kept;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

static void read_text(const struct assignment *assignment)
{
    const struct setting *setting = assignment->setting;
    const char *text = assignment->text->text;
    size_t length = strlen(text);
    /* A word names a space, so it has its own limits. */
    bool is_word = setting->type == SETTING_WORDS;
    size_t least = is_word ? 1 : setting->least, most = is_word ? 255 : setting->most;

    if (length < least || length > most || has_control(text)) {
        setting_report(assignment->reader, &assignment->text->origin,
                       "a text of %zu octets; give %zu to %zu printable ones", length, least, most);
        return;
    }
    if (is_word) {
        keep_word(assignment, text, length);
    } else if (assignment->is_kept) {
        *(const char **)member_of(assignment) = keep_text(assignment, text, length);
    }
}

static void read_suffix(const struct assignment *assignment)
{
    enum { SUFFIX_MOST = 200 }; /* leaves room for an app's name in front */
    char folded[SUFFIX_MOST];
    size_t length = domain_fold(DOMAIN_HOST, assignment->text->text, folded, sizeof folded);

    if (length == 0) {
        setting_report(assignment->reader, &assignment->text->origin,
                       "`%.80s` is not a domain name; give labels of letters, digits and inner "
                       "hyphens with dots between, like example.app",
                       assignment->text->text);
    } else if (assignment->setting->type == SETTING_SUFFIXES) {
        keep_word(assignment, folded, length);
    } else if (assignment->is_kept) {
        *(const char **)member_of(assignment) = keep_text(assignment, folded, length);
    }
}

static void read_number(const struct assignment *assignment)
{
    const struct setting *setting = assignment->setting;
    const char *text = assignment->text->text;
    uint64_t number;

    if (!number_from_text(text, strlen(text), &number))
        setting_report(assignment->reader, &assignment->text->origin,
                       "`%.40s` is not a whole number; give one from %u to %u", text,
                       (unsigned)setting->least, (unsigned)setting->most);
    else if (number < setting->least || number > setting->most)
        setting_report(assignment->reader, &assignment->text->origin,
                       "%.40s is out of range; give a whole number from %u to %u", text,
                       (unsigned)setting->least, (unsigned)setting->most);
    else if (assignment->is_kept)
        *(uint32_t *)member_of(assignment) = (uint32_t)number;
}

static void read_prefix(const struct assignment *assignment)
{
    struct nat64_prefix prefix;

    if (!nat64_prefix_read(assignment->text->text, &prefix))
        setting_report(
            assignment->reader, &assignment->text->origin,
            "`%.60s` is not a NAT64 prefix; give one like 2001:db8:64::/96, of 32, 40, 48, "
            "56, 64 or 96 bits",
            assignment->text->text);
    else if (assignment->is_kept)
        *(struct nat64_prefix *)member_of(assignment) = prefix;
}

static void read_flag(const struct assignment *assignment)
{
    bool is_true = strcmp(assignment->text->text, "true") == 0;

    if (!is_true && strcmp(assignment->text->text, "false") != 0)
        setting_report(assignment->reader, &assignment->text->origin,
                       "`%.40s` is neither true nor false", assignment->text->text);
    else if (assignment->is_kept)
        *(bool *)member_of(assignment) = is_true;
}

/* Splits "refuse|nxdomain" into words; returns their number. */
static size_t split_words(char *words, const char **items)
{
    size_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(words, "|", &rest); word != NULL && count < WORDS_MOST;
         word = strtok_r(NULL, "|", &rest))
        items[count++] = word;
    return count;
}

static void report_unknown_word(const struct assignment *assignment, const char *const *words,
                                size_t count)
{
    const char *text = assignment->text->text;
    const char *suggestion = suggest_among(text, words, count);
    char allowed[128] = "";
    struct text list = text_over(allowed, sizeof allowed - 1);

    text_add_words(&list, words, count);
    if (suggestion != NULL)
        setting_report(assignment->reader, &assignment->text->origin,
                       "`%.40s` is not known; did you mean %s? Allowed: %s", text, suggestion,
                       allowed);
    else
        setting_report(assignment->reader, &assignment->text->origin,
                       "`%.40s` is not known; give %s", text, allowed);
}

static void read_word(const struct assignment *assignment)
{
    char copy[128];
    const char *words[WORDS_MOST];
    snprintf(copy, sizeof copy, "%s", assignment->setting->words);
    size_t count = split_words(copy, words);
    unsigned found = 0;

    while (found < count && strcmp(words[found], assignment->text->text) != 0)
        found++;
    if (found == count)
        report_unknown_word(assignment, words, count);
    else if (assignment->is_kept && assignment->setting->type == SETTING_CLASSES)
        *(unsigned *)member_of(assignment) |= 1U << found;
    else if (assignment->is_kept && assignment->setting->type == SETTING_RECURSION)
        ((struct recursion *)member_of(assignment))->all |= 1U << found;
    else if (assignment->is_kept)
        *(unsigned *)member_of(assignment) = found;
}

static void read_listen(const struct assignment *assignment)
{
    struct listen_addresses *list = member_of(assignment);
    const struct setting_text *text = assignment->text;
    struct listen_address address = {.origin = text->origin};
    struct err err;

    if (!listen_address_read(text->text, &address, &err) ||
        (assignment->is_kept && !listen_addresses_can_add(list, &address, &err))) {
        setting_report(assignment->reader, &text->origin, "%s", err.text);
        return;
    }
    if (!assignment->is_kept)
        return;
    struct listen_address *items =
        next_item(assignment, list->items, &list->count, &list->capacity, sizeof *items);
    if (items == NULL)
        return;
    list->items = items;
    list->items[list->count - 1] = address;
}

bool setting_add_upstream(struct settings_reader *reader, struct upstreams *list,
                          const struct setting_origin *origin, const char *text)
{
    struct arena *arena = reader->settings->arena;
    struct upstream upstream;
    struct err err;

    if (upstream_read(arena, text, &upstream, &err)) {
        upstream.origin = *origin;
        if (upstreams_add(arena, list, &upstream, &err))
            return true;
    }
    setting_report(reader, origin, "%s", err.text);
    return false;
}

static void read_upstream(const struct assignment *assignment)
{
    const struct setting_text *text = assignment->text;
    struct upstreams aside = {.count = 0};
    struct upstreams *list = assignment->is_kept ? member_of(assignment) : &aside;
    bool is_none = strcmp(text->text, "none") == 0;

    if (is_none ? list->count > 0 : list->is_none)
        setting_report(assignment->reader, &text->origin,
                       "`none` is given with an address; give addresses, or `none` alone");
    else if (is_none)
        list->is_none = true;
    else
        setting_add_upstream(assignment->reader, list, &text->origin, text->text);
}

static bool read_hex(const char *text, uint8_t *octets, size_t count)
{
    for (size_t i = 0; i < count; i++, text += 2)
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
            sscanf(text, "%2hhx", &octets[i]) != 1)
            return false;
    return *text == '\0';
}

/* What is wrong is not quoted: it may be a secret but for one digit. */
static void read_secret(const struct assignment *assignment)
{
    struct cookie_secrets *secrets = member_of(assignment);
    const struct setting_text *text = assignment->text;
    uint8_t octets[COOKIE_SECRET_OCTETS];

    if (!read_hex(text->text, octets, sizeof octets))
        setting_report(
            assignment->reader, &text->origin,
            "a secret is not 32 hexadecimal digits; make one with: openssl rand -hex 16");
    else if (assignment->is_kept && secrets->count == COOKIE_SECRETS_MOST)
        setting_report(assignment->reader, &text->origin,
                       "more than 2 secrets; give the one that makes cookies, and the one before");
    else if (assignment->is_kept)
        memcpy(secrets->octets[secrets->count++], octets, sizeof octets);
}

/* ---- HTTP ---- */

static void keep_http(const struct assignment *assignment, const struct http_address *address)
{
    struct http_addresses *list = member_of(assignment);

    for (size_t i = 0; i < list->count; i++)
        if (http_address_equals(&list->items[i], address)) {
            setting_report(assignment->reader, &assignment->text->origin,
                           "`%.120s` is given twice; keep one of them", assignment->text->text);
            return;
        }
    struct http_address *items =
        next_item(assignment, list->items, &list->count, &list->capacity, sizeof *items);
    if (items == NULL)
        return;
    list->items = items;
    list->items[list->count - 1] = *address;
    list->is_initial = assignment->text->source == SOURCE_INITIAL;
}

static void read_http(const struct assignment *assignment)
{
    const struct setting_text *text = assignment->text;
    struct http_address address = {.origin = text->origin};
    struct http_addresses aside = {.count = 0};
    struct http_addresses *list = assignment->is_kept ? member_of(assignment) : &aside;
    bool is_none = strcmp(text->text, "none") == 0;
    struct err err;

    if (is_none ? list->count > 0 : list->is_none) {
        setting_report(assignment->reader, &text->origin,
                       "`none` is given with an address; give addresses, or `none` alone");
    } else if (is_none) {
        list->is_none = true;
    } else if (!http_address_read(text->text, &address, &err)) {
        setting_report(assignment->reader, &text->origin, "%s", err.text);
    } else if (assignment->is_kept) {
        if (address.path != NULL)
            address.path = keep_text(assignment, address.path, strlen(address.path));
        keep_http(assignment, &address);
    }
}

/* What is wrong is not quoted: it may be a secret but for one character. RFC 6750 section 2.1. */
static void read_token(const struct assignment *assignment)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
    const struct setting *setting = assignment->setting;
    const char *text = assignment->text->text;
    size_t length = strlen(text);

    if (length < setting->least || length > setting->most || strspn(text, allowed) != length)
        setting_report(assignment->reader, &assignment->text->origin,
                       "the token is not %u to %u letters, digits and -._~+/=; make one with: "
                       "openssl rand -hex 32",
                       (unsigned)setting->least, (unsigned)setting->most);
    else if (assignment->is_kept)
        *(const char **)member_of(assignment) = keep_text(assignment, text, length);
}

/* The scheme is completed once all settings are read (settings_registry.c). */
static void read_endpoint(const struct assignment *assignment)
{
    const char *text = assignment->text->text;
    struct registry_endpoint endpoint;
    struct err err;

    if (!registry_endpoint_read(text, &endpoint, &err))
        setting_report(assignment->reader, &assignment->text->origin, "%s", err.text);
    else
        keep_word(assignment, text, strlen(text));
}

/* Zones need a mapping, and only the settings file has mappings (settings_zones.c). */
static void refuse_zones(const struct assignment *assignment)
{
    setting_report(assignment->reader, &assignment->text->origin,
                   "a mapping is expected, not a text; give {corp.example: [192.168.7.53]}");
}

typedef void read_value(const struct assignment *assignment);

static read_value *const readers[] = {
    [SETTING_TEXT] = read_text,          [SETTING_WORDS] = read_text,
    [SETTING_SUFFIX] = read_suffix,      [SETTING_SUFFIXES] = read_suffix,
    [SETTING_NUMBER] = read_number,      [SETTING_FLAG] = read_flag,
    [SETTING_CHOICE] = read_word,        [SETTING_CLASSES] = read_word,
    [SETTING_LISTEN] = read_listen,      [SETTING_UPSTREAMS] = read_upstream,
    [SETTING_ZONES] = refuse_zones,      [SETTING_PREFIX] = read_prefix,
    [SETTING_RECURSION] = read_word,     [SETTING_SECRETS] = read_secret,
    [SETTING_HTTP] = read_http,          [SETTING_TOKEN] = read_token,
    [SETTING_ENDPOINTS] = read_endpoint,
};

/* Records source and origin; returns true if no stronger source has set the value. */
static bool claim(struct settings_reader *reader, enum setting_index index,
                  const struct setting_text *text)
{
    if (reader->sources[index] > text->source)
        return false;
    reader->sources[index] = text->source;
    reader->settings->origins[index] = text->origin;
    return true;
}

void setting_assign(struct settings_reader *reader, enum setting_index index,
                    const struct setting_text *text)
{
    struct assignment assignment = {
        .reader = reader,
        .setting = &settings_table[index],
        .text = text,
        .is_kept = claim(reader, index, text),
    };
    readers[assignment.setting->type](&assignment);
}

void setting_assign_nothing(struct settings_reader *reader, enum setting_index index,
                            const struct setting_text *text)
{
    claim(reader, index, text);
    if (settings_table[index].least > 0)
        setting_report(reader, &text->origin, "the list is empty; give at least %u%s",
                       (unsigned)settings_table[index].least,
                       settings_table[index].type == SETTING_UPSTREAMS ||
                               settings_table[index].type == SETTING_HTTP
                           ? ", or none"
                           : "");
}

void setting_assign_items(struct settings_reader *reader, enum setting_index index,
                          const struct setting_text *text)
{
    char *copy = arena_text(reader->settings->arena, text->text, strlen(text->text));
    char *rest = NULL;
    bool is_empty = true;

    if (copy == NULL) {
        setting_report(reader, &text->origin, "out of memory");
        return;
    }
    for (char *item = strtok_r(copy, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest)) {
        struct setting_text one = {.source = text->source, .origin = text->origin, .text = item};
        setting_assign(reader, index, &one);
        is_empty = false;
    }
    if (is_empty)
        setting_assign_nothing(reader, index, text);
}

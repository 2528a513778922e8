#include "control/http_arguments.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/suggest.h"
#include "base/text.h"

enum { KEY_OCTETS = 64, NAMES_OCTETS = 256 };

/* ---- octets ---- */

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    return letter >= 'A' && letter <= 'F' ? letter - 'A' + 10 : -1;
}

enum decoding { DECODED, DECODING_LONG, DECODING_BAD };

/* Decodes `length` octets into `room`, the closing zero included. */
static enum decoding decode(const char *from, size_t length, char *to, size_t room)
{
    const char *end = from + length;

    if (room == 0)
        return DECODING_LONG;
    while (from < end) {
        char octet = *from == '+' ? ' ' : *from;
        if (octet == '%') {
            int high = end - from < 3 ? -1 : digit_of(from[1]);
            int low = end - from < 3 ? -1 : digit_of(from[2]);
            if (high < 0 || low < 0 || high + low == 0)
                return DECODING_BAD;
            octet = (char)(high * 16 + low);
            from += 2;
        }
        from++;
        if (room-- <= 1)
            return DECODING_LONG;
        *to++ = octet;
    }
    *to = '\0';
    return DECODED;
}

/* ---- refusals ---- */

/* Those of a path in its query. Returns how many. */
static size_t list_names(enum http_path path, const char *names[ARGUMENT_COUNT])
{
    size_t count = 0;

    for (unsigned i = 0; i < ARGUMENT_COUNT; i++)
        if (http_arguments[i].of == path && http_arguments[i].need != HTTP_ARGUMENT_SEGMENT)
            names[count++] = http_arguments[i].name;
    return count;
}

static bool refuse_unknown(enum http_path path, const char *key, struct err *err)
{
    const char *names[ARGUMENT_COUNT];
    size_t count = list_names(path, names);
    const char *suggestion = suggest_among(key, names, count);
    char octets[NAMES_OCTETS];
    struct text list = text_over(octets, sizeof octets - 1);

    text_add_words(&list, names, count);
    *list.next = '\0';
    if (count == 0)
        return err_set(err, ERR_SYNTAX, "%s takes no arguments; leave %.64s out",
                       http_paths[path].path, key);
    return err_set(err, ERR_SYNTAX, "%s has no argument %.64s; %s%s%sit takes %s",
                   http_paths[path].path, key, suggestion == NULL ? "" : "did you mean ",
                   suggestion == NULL ? "" : suggestion, suggestion == NULL ? "" : "? ", octets);
}

static bool refuse_length(const struct http_argument_entry *entry, struct err *err)
{
    return err_set(err, ERR_LIMIT, "%s is longer than %llu octets; give one that is not",
                   entry->name, (unsigned long long)entry->most);
}

/* ---- one argument ---- */

static bool read_number(const struct http_argument_entry *entry, const char *text, uint64_t *number,
                        struct err *err)
{
    if (number_from_text(text, strlen(text), number) && *number >= entry->least &&
        *number <= entry->most)
        return true;
    return err_set(err, ERR_SYNTAX, "%s is no number from %llu to %llu: %.40s; give one that is",
                   entry->name, (unsigned long long)entry->least, (unsigned long long)entry->most,
                   text);
}

static bool read_flag(const struct http_argument_entry *entry, const char *text, uint64_t *number,
                      struct err *err)
{
    *number = strcmp(text, "1") == 0;
    return *number == 1 || strcmp(text, "0") == 0 ||
           err_set(err, ERR_SYNTAX, "%s is neither 1 nor 0: %.40s; write %s=1", entry->name, text,
                   entry->name);
}

/* The decoded value is at the end of what is used. */
static bool keep(struct http_arguments *arguments, unsigned number, struct err *err)
{
    const struct http_argument_entry *entry = &http_arguments[number];
    const char *text = arguments->octets + arguments->used;

    if (entry->type == HTTP_ARGUMENT_NUMBER)
        return read_number(entry, text, &arguments->numbers[number], err);
    if (entry->type == HTTP_ARGUMENT_FLAG)
        return read_flag(entry, text, &arguments->numbers[number], err);
    return strlen(text) <= entry->most || refuse_length(entry, err);
}

static bool take(struct http_arguments *arguments, unsigned number, const char *value,
                 size_t length, struct err *err)
{
    const struct http_argument_entry *entry = &http_arguments[number];
    char *to = arguments->octets + arguments->used;

    if (arguments->texts[number] != NULL)
        return err_set(err, ERR_SYNTAX, "%s is given twice; give it once", entry->name);
    switch (decode(value, length, to, HTTP_ARGUMENT_OCTETS - arguments->used)) {
    case DECODED:
        break;
    case DECODING_LONG:
        return refuse_length(entry, err);
    case DECODING_BAD:
        return err_set(err, ERR_SYNTAX,
                       "%s is not encoded as in URLs; write each octet that is no letter or digit "
                       "as %%2A, but not %%00",
                       entry->name);
    }
    if (*to == '\0')
        return true;
    if (!keep(arguments, number, err))
        return false;
    arguments->texts[number] = to;
    arguments->used += strlen(to) + 1;
    return true;
}

/* ---- all ---- */

static bool find_argument(enum http_path path, const char *key, unsigned *number)
{
    for (unsigned i = 0; i < ARGUMENT_COUNT; i++)
        if (http_arguments[i].of == path && http_arguments[i].need != HTTP_ARGUMENT_SEGMENT &&
            strcmp(http_arguments[i].name, key) == 0) {
            *number = i;
            return true;
        }
    return false;
}

static bool take_pair(enum http_path path, const char *pair, size_t length,
                      struct http_arguments *arguments, struct err *err)
{
    const char *equals = memchr(pair, '=', length);
    size_t key_length = equals == NULL ? length : (size_t)(equals - pair);
    size_t value = equals == NULL ? length : key_length + 1;
    char key[KEY_OCTETS] = "";
    unsigned number;

    if (length == 0)
        return true;
    if (decode(pair, key_length, key, sizeof key) != DECODED)
        snprintf(key, sizeof key, "%.*s", (int)(key_length < 40 ? key_length : 40), pair);
    if (!find_argument(path, key, &number))
        return refuse_unknown(path, key, err);
    return take(arguments, number, pair + value, length - value, err);
}

static bool take_query(enum http_path path, const char *query, struct http_arguments *arguments,
                       struct err *err)
{
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        if (!take_pair(path, query, length, arguments, err))
            return false;
        query += length + (query[length] == '&');
    }
    return true;
}

/* Fills in what was left out. Returns false when it may not be. */
static bool complete(enum http_path path, struct http_arguments *arguments, struct err *err)
{
    for (unsigned i = 0; i < ARGUMENT_COUNT; i++) {
        const struct http_argument_entry *entry = &http_arguments[i];
        if (entry->of != path || arguments->texts[i] != NULL)
            continue;
        if (entry->need != HTTP_ARGUMENT_FREE)
            return err_set(err, ERR_SYNTAX,
                           "%s needs the argument %s: %s; add %s=", http_paths[path].path,
                           entry->name, entry->help, entry->name);
        arguments->numbers[i] = entry->initial;
    }
    return true;
}

bool http_arguments_read(enum http_path path, const char *segment, const char *query,
                         struct http_arguments *arguments, struct err *err)
{
    *arguments = (struct http_arguments){.used = 0};
    for (unsigned i = 0; segment != NULL && i < ARGUMENT_COUNT; i++)
        if (http_arguments[i].of == path && http_arguments[i].need == HTTP_ARGUMENT_SEGMENT &&
            !take(arguments, i, segment, strlen(segment), err))
            return false;
    return (query == NULL || take_query(path, query, arguments, err)) &&
           complete(path, arguments, err);
}

/**
 * Any octets, read as what a request over HTTP asks for: a path, and behind a `?` its arguments.
 * Oracle: a reader that is written as the headers say and knows nothing of bounds: it decodes into
 * room for all of the input.
 *
 * Both must agree which path it is, whether it is refused, and on every value; a refusal has a
 * sentence without control characters.
 */
#include "fuzz/fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/http_arguments.h"

enum { INPUT_MOST = 4096, KEY_MOST = 63 };

static char values[ARGUMENT_COUNT][INPUT_MOST + 1]; /* empty: left out */

/* Returns false for what is not encoded as it has to be. */
static bool decode(const char *text, size_t length, char *out)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned octet = (unsigned char)text[i];
        if (octet == '%') {
            char digits[3] = {i + 1 < length ? text[i + 1] : ' ',
                              i + 2 < length ? text[i + 2] : ' ', '\0'};
            if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
                return false;
            octet = (unsigned)strtoul(digits, NULL, 16);
            i += 2;
        } else if (octet == '+') {
            octet = ' ';
        }
        if (octet == 0)
            return false;
        out[count++] = (char)octet;
    }
    out[count] = '\0';
    return true;
}

static bool is_in_bounds(const struct http_argument_entry *entry, const char *value)
{
    if (entry->type == HTTP_ARGUMENT_TEXT)
        return strlen(value) <= entry->most;
    if (entry->type == HTTP_ARGUMENT_FLAG)
        return strcmp(value, "0") == 0 || strcmp(value, "1") == 0;
    char written[32];
    unsigned long long number = strtoull(value, NULL, 10);
    snprintf(written, sizeof written, "%llu", number);
    return strcmp(written, value) == 0 && number >= entry->least && number <= entry->most;
}

static bool expect_value(unsigned argument, const char *text, size_t length)
{
    static char value[INPUT_MOST + 1];

    if (values[argument][0] != '\0' || !decode(text, length, value))
        return false;
    if (value[0] != '\0' && !is_in_bounds(&http_arguments[argument], value))
        return false;
    strcpy(values[argument], value);
    return true;
}

static bool expect_pair(enum http_path path, const char *pair, size_t length)
{
    static char key[INPUT_MOST + 1];
    size_t key_length = 0;

    while (key_length < length && pair[key_length] != '=')
        key_length++;
    size_t value = key_length < length ? key_length + 1 : length;
    if (!decode(pair, key_length, key) || strlen(key) > KEY_MOST)
        return false;
    for (unsigned i = 0; i < ARGUMENT_COUNT; i++)
        if (http_arguments[i].of == path && http_arguments[i].need != HTTP_ARGUMENT_SEGMENT &&
            strcmp(http_arguments[i].name, key) == 0)
            return expect_value(i, pair + value, length - value);
    return false;
}

static bool expect_all(enum http_path path, const char *segment, const char *query)
{
    memset(values, 0, sizeof values);
    for (unsigned i = 0; segment != NULL && i < ARGUMENT_COUNT; i++)
        if (http_arguments[i].of == path && http_arguments[i].need == HTTP_ARGUMENT_SEGMENT &&
            !expect_value(i, segment, strlen(segment)))
            return false;
    for (const char *at = query; at != NULL && *at != '\0';) {
        const char *end = strchr(at, '&');
        size_t length = end == NULL ? strlen(at) : (size_t)(end - at);
        if (length > 0 && !expect_pair(path, at, length))
            return false;
        at += length + (end != NULL);
    }
    for (unsigned i = 0; i < ARGUMENT_COUNT; i++)
        if (http_arguments[i].of == path && http_arguments[i].need != HTTP_ARGUMENT_FREE &&
            values[i][0] == '\0')
            return false;
    return true;
}

static void check_values(enum http_path path, const struct http_arguments *arguments)
{
    for (unsigned i = 0; i < ARGUMENT_COUNT; i++) {
        const struct http_argument_entry *entry = &http_arguments[i];
        const char *text = arguments->texts[i];
        if ((text == NULL) != (values[i][0] == '\0'))
            abort();
        if (text != NULL && strcmp(text, values[i]) != 0)
            abort();
        if (text != NULL && entry->type != HTTP_ARGUMENT_TEXT &&
            arguments->numbers[i] != strtoull(values[i], NULL, 10))
            abort();
        if (text == NULL && entry->of == path && arguments->numbers[i] != entry->initial)
            abort();
    }
}

static void check_sentence(const struct err *err)
{
    if (err->text[0] == '\0')
        abort();
    for (const char *at = err->text; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            abort();
}

/* The path that stands there, octet for octet, but for its last segment. */
static bool expect_path(const char *text, enum http_path *path)
{
    for (unsigned i = 0; i < PATH_COUNT; i++) {
        const char *wanted = http_paths[i].path;
        size_t length = strcspn(wanted, "{");
        bool has_segment = wanted[length] == '{';
        const char *rest = text + length;
        if (strlen(text) < length || memcmp(text, wanted, length) != 0)
            continue;
        if (has_segment ? rest[0] == '\0' || strchr(rest, '/') != NULL : rest[0] != '\0')
            continue;
        *path = (enum http_path)i;
        return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_arguments arguments;
    static char input[INPUT_MOST + 1];
    struct err err = {.text = ""};
    enum http_path path, expected;
    const char *segment;

    if (size > INPUT_MOST)
        return 0;
    memset(&arguments, 0xa5, sizeof arguments);
    memcpy(input, data, size);
    input[size] = '\0';
    char *question = strchr(input, '?');
    if (question != NULL)
        *question = '\0';
    const char *query = question == NULL ? NULL : question + 1;
    bool is_path = http_path_find(input, &path, &segment);
    if (is_path != expect_path(input, &expected) || (is_path && path != expected))
        abort();
    if (!is_path)
        return 0;
    bool passed = http_arguments_read(path, segment, query, &arguments, &err);
    if (passed != expect_all(path, segment, query))
        abort();
    if (passed)
        check_values(path, &arguments);
    else
        check_sentence(&err);
    return 0;
}

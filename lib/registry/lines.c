#include "registry/lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

struct lines lines_over(const void *text, size_t length)
{
    const char *first = text;

    return (struct lines){.next = first, .end = length == 0 ? first : first + length};
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

static struct line_text trim(const char *start, const char *end)
{
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    return (struct line_text){.octets = start, .length = (size_t)(end - start)};
}

bool lines_next(struct lines *lines, struct line *line)
{
    while (lines->next < lines->end) {
        const char *start = lines->next;
        const char *newline = memchr(start, '\n', (size_t)(lines->end - start));
        const char *end = newline == NULL ? lines->end : newline;
        const char *colon = memchr(start, ':', (size_t)(end - start));
        lines->next = newline == NULL ? end : newline + 1;
        if (colon == NULL)
            continue;
        line->key = trim(start, colon);
        line->value = trim(colon + 1, end);
        if (line->key.length > 0)
            return true;
    }
    return false;
}

bool line_is(const struct line *line, const char *key)
{
    return line->key.length == strlen(key) && memcmp(line->key.octets, key, line->key.length) == 0;
}

bool lines_find(const void *text, size_t length, const char *key, struct line_text *value)
{
    struct lines lines = lines_over(text, length);
    struct line line;

    while (lines_next(&lines, &line)) {
        if (!line_is(&line, key))
            continue;
        *value = line.value;
        return true;
    }
    return false;
}

void lines_copy(const void *text, size_t length, const char *key, char *out, size_t size)
{
    struct line_text value = {.length = 0};

    if (lines_find(text, length, key, &value) && value.length >= size)
        value.length = size - 1;
    if (value.length > 0)
        memcpy(out, value.octets, value.length);
    out[value.length] = '\0';
}

uint64_t lines_number(const void *text, size_t length, const char *key)
{
    struct line_text value;
    uint64_t number = 0;

    if (!lines_find(text, length, key, &value))
        return 0;
    for (size_t i = 0; i < value.length; i++) {
        unsigned digit = (unsigned char)value.octets[i] - (unsigned)'0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return 0;
        number = number * 10 + digit;
    }
    return number;
}

/* ---- writing ---- */

static bool make_room(struct lines_writer *writer, size_t length)
{
    if (writer->has_failed)
        return false;
    if (writer->capacity - writer->length > length)
        return true;
    size_t wider = 2 * writer->capacity + length + 64;
    char *text = realloc(writer->text, wider);
    if (text == NULL) {
        writer->has_failed = true;
        return false;
    }
    writer->text = text;
    writer->capacity = wider;
    return true;
}

void lines_write(struct lines_writer *writer, const char *key, const char *value)
{
    size_t length = strlen(key) + strlen(": \n") + strlen(value);

    if (!make_room(writer, length))
        return;
    char *line = writer->text + writer->length;
    size_t first = (size_t)snprintf(line, length + 1, "%s: ", key);
    for (const char *from = value; *from != '\0'; from++)
        line[first++] = (unsigned char)*from < ' ' || *from == 0x7f ? ' ' : *from;
    line[first++] = '\n';
    line[first] = '\0';
    writer->length += first;
}

void lines_write_number(struct lines_writer *writer, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, value);
    lines_write(writer, key, text);
}

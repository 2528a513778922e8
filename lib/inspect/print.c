#include "inspect/print.h"

#include <string.h>

#include "base/escape.h"

enum { ESCAPED_OCTETS = 8192 };

json_t *print_text(const char *octets, size_t length)
{
    json_t *text = json_stringn(octets, length);
    char escaped[ESCAPED_OCTETS];

    if (text != NULL)
        return text;
    struct text room = text_over(escaped, sizeof escaped);
    escape_add(&room, octets, length);
    text = json_stringn(escaped, text_length(&room));
    return text == NULL ? json_null() : text;
}

json_t *json_text(const char *text)
{
    return text == NULL ? json_null() : print_text(text, strlen(text));
}

json_t *json_address(uint32_t address)
{
    char text[CIDR_TEXT_MAX];

    if (address == 0)
        return json_null();
    ipv4_write(address, text);
    return json_string(text);
}

json_t *json_cidr(struct cidr cidr)
{
    char text[CIDR_TEXT_MAX];

    cidr_write(cidr, text);
    return json_string(text);
}

static void print_value(json_t *value, size_t flags, FILE *out)
{
    if (value == NULL ||
        json_dumpf(value, out, flags | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) != 0)
        fputs("null", out);
    fputc('\n', out);
    json_decref(value);
}

void print_json_line(json_t *value, FILE *out)
{
    print_value(value, JSON_COMPACT, out);
}

void print_json(json_t *value, FILE *out)
{
    print_value(value, JSON_INDENT(2), out);
}

#include "inspect/print.h"

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

void print_json(json_t *value, FILE *out)
{
    if (value == NULL || json_dumpf(value, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) != 0)
        fputs("null", out);
    fputc('\n', out);
    json_decref(value);
}

#include "control/print.h"

json_t *print_text(const char *octets, size_t length)
{
    json_t *text = json_stringn(octets, length);

    return text == NULL ? json_null() : text;
}

void print_json(json_t *value, FILE *out)
{
    if (value == NULL || json_dumpf(value, out, JSON_INDENT(2)) != 0)
        fputs("null", out);
    fputc('\n', out);
    json_decref(value);
}

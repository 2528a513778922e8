#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/escape.h"

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    char raw[sizeof err->text];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    err->code = code;
    escape_string(err->text, sizeof err->text, raw);
    return false;
}

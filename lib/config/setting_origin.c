#include "config/setting_origin.h"

#include <stdio.h>

enum { SENTENCE_MOST = 1024 };

void setting_origin_vreport(struct report *report, enum finding_code code,
                            const struct setting_origin *origin, const char *format,
                            va_list arguments)
{
    char sentence[SENTENCE_MOST];

    vsnprintf(sentence, sizeof sentence, format, arguments);
    report_add(report, code, origin->file, origin->at, "%s%s%s",
               origin->key == NULL ? "" : origin->key, origin->key == NULL ? "" : ": ", sentence);
}

void setting_origin_report(struct report *report, enum finding_code code,
                           const struct setting_origin *origin, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    setting_origin_vreport(report, code, origin, format, arguments);
    va_end(arguments);
}

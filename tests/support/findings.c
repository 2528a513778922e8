#include "support/findings.h"

#include <stdio.h>
#include <string.h>

enum { LOCATION_OCTETS = 4096 };

static void print_location(const struct finding *finding, const char *shortened, FILE *out)
{
    char location[LOCATION_OCTETS];
    size_t length = shortened == NULL ? 0 : strlen(shortened);

    finding_write_location(finding, location, sizeof location);
    if (length > 0 && strcmp(finding->file, shortened) == 0)
        fprintf(out, "FILE%s", location + length);
    else
        fputs(location, out);
}

char *findings_text(const struct report *report, enum finding_code usual, const char *shortened)
{
    const struct finding *findings = report_findings(report);
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    for (size_t i = 0; i < report_total(report); i++) {
        print_location(&findings[i], shortened, out);
        if (findings[i].code != usual)
            fprintf(out, ": %s", finding_name(findings[i].code));
        fprintf(out, ": %s\n", findings[i].sentence);
    }
    fclose(out);
    return text;
}

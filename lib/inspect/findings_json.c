#include "inspect/findings_json.h"

#include <string.h>

#include "inspect/print.h"

static json_t *finding_to_json(const struct finding *finding)
{
    return json_pack(
        "{s:s, s:s, s:o, s:i, s:i, s:o}", "level", finding_level_text(finding_level(finding->code)),
        "code", finding_name(finding->code), "file",
        print_text(finding->file, strlen(finding->file)), "line", (int)finding->at.line, "column",
        (int)finding->at.column, "text", print_text(finding->sentence, strlen(finding->sentence)));
}

json_t *findings_to_json(const struct report *report)
{
    json_t *array = json_array();

    for (size_t i = 0; report != NULL && i < report_total(report); i++)
        json_array_append_new(array, finding_to_json(&report_findings(report)[i]));
    return array;
}

#include "config/setting_origin.h"

#include <string.h>

#include "support/suite.h"

static const struct {
    struct setting_origin origin;
    const char *value, *sentence;
} cases[] = {
    {{"s.yaml", {.line = 3, .column = 10}, "workers"}, "9", "workers: 9 is out of range"},
    {{"--workers (command line)", {.line = 0}, NULL}, "9", "9 is out of range"},
    {{"s.yaml", {.line = 1, .column = 1}, "a\x1b[31m"},
     "b\nc",
     "a\\x1b[31m: b\\x0ac is out of range"},
};

TEST_OVER(a_sentence_begins_with_the_key_and_is_escaped, cases)
{
    const struct setting_origin *origin = &cases[_i].origin;
    struct report *report = report_new();

    setting_origin_report(report, FINDING_SETTING, origin, "%s is out of range", cases[_i].value);
    ck_assert_uint_eq(report_total(report), 1);
    const struct finding *finding = report_findings(report);
    ck_assert_int_eq(finding->code, FINDING_SETTING);
    ck_assert_str_eq(finding->file, origin->file);
    ck_assert_uint_eq(finding->at.line, origin->at.line);
    ck_assert_uint_eq(finding->at.column, origin->at.column);
    ck_assert_str_eq(finding->sentence, cases[_i].sentence);
    report_free(report);
}

#include "inspect/findings_json.h"

#include <stdlib.h>

#include "support/suite.h"

static char *json_of(const struct report *report)
{
    json_t *array = findings_to_json(report);
    char *text = json_dumps(array, JSON_COMPACT | JSON_SORT_KEYS);

    json_decref(array);
    return text;
}

TEST(each_finding_has_level_code_location_and_sentence)
{
    struct report *report = report_new();

    report_add(report, FINDING_SETTING, "--upstream (command line)", location_at(0, 0), "x\ny");
    report_add(report, FINDING_RESTART, "s\x1b.yaml", location_at(3, 10), "z");
    report_add(report, FINDING_TRUST_WIDE, "z.yaml", location_at(1, 2), "n");
    char *text = json_of(report);
    ck_assert_str_eq(text, "[{\"code\":\"E-SETTING\",\"column\":0,"
                           "\"file\":\"--upstream (command line)\",\"level\":\"error\",\"line\":0,"
                           "\"text\":\"x\\\\x0ay\"},"
                           "{\"code\":\"W-RESTART\",\"column\":10,\"file\":\"s\\u001B.yaml\","
                           "\"level\":\"warning\",\"line\":3,\"text\":\"z\"},"
                           "{\"code\":\"N-TRUST-WIDE\",\"column\":2,\"file\":\"z.yaml\","
                           "\"level\":\"note\",\"line\":1,\"text\":\"n\"}]");
    free(text);
    report_free(report);
}

TEST(no_report_is_an_empty_list)
{
    char *text = json_of(NULL);

    ck_assert_str_eq(text, "[]");
    free(text);
}

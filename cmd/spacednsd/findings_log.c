#include "spacednsd/findings_log.h"

#include "base/escape.h"
#include "base/log.h"
#include "decide/reason.h"

enum { FINDINGS_MOST = 100, LOCATION_TEXT_MOST = 4096 + 32 };

static void log_finding(const struct finding *finding)
{
    static const enum log_level levels[] = {
        [FINDING_ERROR] = LOG_ERROR, [FINDING_WARNING] = LOG_WARNING, [FINDING_NOTE] = LOG_INFO};
    char location[LOCATION_TEXT_MOST];
    struct log_line line;

    finding_write_location(finding, location, sizeof location);
    log_start(&line, levels[finding_level(finding->code)], "finding");
    log_string(&line, "code", finding_name(finding->code));
    log_string(&line, "place", location);
    log_string(&line, "text", finding->sentence);
    log_send(&line);
}

/* Logs findings of one level, `left` at most. Returns how many more may be logged. */
static size_t log_level_findings(const struct report *report, enum finding_level level, size_t left)
{
    const struct finding *findings = report_findings(report);

    for (size_t i = 0; i < report_total(report) && left > 0; i++)
        if (finding_level(findings[i].code) == level && findings[i].more == 0) {
            log_finding(&findings[i]);
            left--;
        }
    return left;
}

void findings_log(const struct report *report)
{
    size_t left = FINDINGS_MOST, found = 0;
    struct log_line line;

    for (enum finding_level level = FINDING_ERROR; level <= FINDING_NOTE; level++)
        found += report_count(report, level);

    left = log_level_findings(report, FINDING_ERROR, left);
    left = log_level_findings(report, FINDING_WARNING, left);
    left = log_level_findings(report, FINDING_NOTE, left);
    size_t left_out = found - (FINDINGS_MOST - left);
    if (left_out == 0)
        return;
    log_start(&line, LOG_WARNING, "findings_left_out");
    log_number(&line, "count", left_out);
    log_string(&line, "text", "spacednsd --check prints more of them");
    log_send(&line);
}

void findings_log_refusal(const struct zones_loading *loading, uint64_t generation,
                          const struct audit *audit)
{
    const struct reason_entry *reason = reason_entry(REASON_RELOAD_REFUSED);
    const struct finding *first =
        loading->report == NULL ? NULL : report_first_error(loading->report);
    char location[LOCATION_TEXT_MOST];
    struct log_line line;

    if (first != NULL)
        findings_log(loading->report);
    log_start(&line, LOG_ERROR, "reload_refused");
    log_string(&line, "code", reason->code);
    log_string(&line, "desc", reason->description);
    log_number(&line, "generation", generation);
    if (first != NULL) {
        finding_write_location(first, location, sizeof location);
        log_number(&line, "errors", report_count(loading->report, FINDING_ERROR));
        log_string(&line, "first", finding_name(first->code));
        log_string(&line, "place", location);
        log_string(&line, "text", first->sentence);
    } else {
        log_string(&line, "text", loading->err.text);
    }
    audit_log(audit, &line);
    log_send(&line);
}

void findings_format_cause(const struct zones_loading *loading, struct err *cause)
{
    if (loading->err.code == ERR_NONE && loading->report != NULL)
        report_refusal(loading->report, NULL, cause);
    else
        *cause = loading->err;
}

void findings_print_refusal(const struct zones_loading *loading, FILE *out)
{
    size_t errors = 0;

    if (loading->report != NULL) {
        report_print(loading->report, out);
        errors = report_count(loading->report, FINDING_ERROR);
    }
    if (loading->err.code != ERR_NONE)
        escape_printf(out, "spacednsd: %s\n", loading->err.text);
    if (errors > 0)
        escape_printf(out, "spacednsd: not started: %zu error%s in the zone files of %s\n", errors,
                      errors == 1 ? "" : "s", loading->zones);
}

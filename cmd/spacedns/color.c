#include "spacedns/color.h"

#include <string.h>

static const char *const codes[] = {
    [COLOR_NONE] = "",         [COLOR_BAD] = "\033[31m",  [COLOR_DOUBTFUL] = "\033[33m",
    [COLOR_GOOD] = "\033[32m", [COLOR_MILD] = "\033[36m", [COLOR_TITLE] = "\033[1m",
};

void color_print(const struct session *session, FILE *stream, enum color color, const char *text)
{
    if (color == COLOR_NONE || !session_has_color(session, stream))
        fputs(text, stream);
    else
        fprintf(stream, "%s%s\033[0m", codes[color], text);
}

enum color color_of_state(const char *state)
{
    static const char *const good[] = {"up", "active", "allocated", "UP"};
    static const char *const bad[] = {"crashed", "down", "failed", "expired", "rejected"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (strcmp(state, good[i]) == 0)
            return COLOR_GOOD;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (strcmp(state, bad[i]) == 0)
            return COLOR_BAD;
    return COLOR_DOUBTFUL;
}

static void print_finding(const struct session *session, const struct finding *finding,
                          FILE *stream)
{
    static const enum color colors[] = {[FINDING_ERROR] = COLOR_BAD,
                                        [FINDING_WARNING] = COLOR_DOUBTFUL,
                                        [FINDING_NOTE] = COLOR_MILD};
    enum finding_level level = finding_level(finding->code);

    finding_print_location(finding, stream);
    fputs(": ", stream);
    color_print(session, stream, colors[level], finding_level_text(level));
    fprintf(stream, " %s: %s\n", finding_name(finding->code), finding->sentence);
}

void color_print_report(const struct session *session, const struct report *report, FILE *stream)
{
    const struct finding *findings = report_findings(report);

    for (size_t i = 0; i < report_total(report); i++)
        print_finding(session, &findings[i], stream);
}

void color_print_errors(const struct session *session, const struct report *report, FILE *stream)
{
    const struct finding *findings = report_findings(report);

    for (size_t i = 0; i < report_total(report); i++)
        if (finding_level(findings[i].code) == FINDING_ERROR)
            print_finding(session, &findings[i], stream);
}

#include "spacedns/check.h"

#include <jansson.h>
#include <string.h>

#include "inspect/findings_json.h"
#include "inspect/print.h"
#include "inspect/summary.h"

/* `folder` is NULL when the settings, which may name it, are wrong. */
static void print_findings(const struct session *session, const char *folder)
{
    const struct report *report = session->report;
    json_t *root = json_pack("{s:o, s:I, s:I, s:I, s:I, s:o}", "folder",
                             folder == NULL ? json_null() : print_text(folder, strlen(folder)),
                             "files", (json_int_t)session->outcome.file_count, "errors",
                             (json_int_t)report_count(report, FINDING_ERROR), "warnings",
                             (json_int_t)report_count(report, FINDING_WARNING), "notes",
                             (json_int_t)report_count(report, FINDING_NOTE), "findings",
                             findings_to_json(report));
    print_json(root, session->out);
}

int run_check(struct session *session)
{
    struct snapshot *before = NULL;
    struct err err;

    if (!session_read_settings(session)) {
        if (session->is_json && session->report != NULL)
            print_findings(session, NULL);
        return EXIT_REFUSED;
    }
    const char *operand = invocation_operand(&session->invocation, 0);
    const char *folder = operand != NULL ? operand : session_zones(session);
    const char *against = session->invocation.options[OPTION_AGAINST];
    if (against != NULL && (before = session_must_load_folder(session, against)) == NULL)
        return EXIT_REFUSED;
    session->snapshot = session_load(session, folder, before, &err);
    /* Against itself a folder is unchanged, so no file was read and the report is empty. */
    if (session->outcome.is_unchanged)
        session->snapshot = session_load(session, folder, NULL, &err);
    snapshot_free(before);
    if (session->snapshot == NULL && err.code != ERR_NONE)
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (session->is_json) {
        print_findings(session, folder);
    } else {
        report_print(session->report, session->out);
        summary_print(folder, session->outcome.file_count, session->snapshot, session->report,
                      session->out);
    }
    bool is_strict = invocation_has(&session->invocation, OPTION_STRICT);
    return session->snapshot != NULL &&
                   !(is_strict && report_count(session->report, FINDING_WARNING) > 0)
               ? EXIT_DONE
               : EXIT_REFUSED;
}

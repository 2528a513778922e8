#include "spacedns/registry_plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "inspect/findings_json.h"
#include "inspect/print.h"
#include "spacedns/color.h"
#include "spacedns/plan.h"
#include "spacedns/registry_guard.h"
#include "spacedns/registry_session.h"
#include "spacedns/spaces.h"
#include "spacedns/zone_documents.h"

static int fail_memory(struct session *session)
{
    return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
}

/* Reads the registry and what the command line names, and shows that as drafts. On EXIT_DONE the
 * session has the snapshot of the registry as it is. */
static int begin(struct session *session, struct zone_documents *documents)
{
    int code = registry_start(session);

    *documents = (struct zone_documents){.arena = NULL};
    if (code == EXIT_DONE)
        code = zone_documents_read(documents, session);
    if (code == EXIT_DONE && !session_must_load(session))
        code = EXIT_REFUSED;
    for (size_t i = 0; i < documents->count && code == EXIT_DONE; i++) {
        const struct zone_document *document = &documents->items[i];
        if (!registry_view_draft(registry_view_of(session), document->space,
                                 (struct line_text){document->text, document->length}))
            code = fail_memory(session);
    }
    return code;
}

/* ---- check --registry ---- */

static int print_findings(struct session *session, const struct zone_documents *documents,
                          bool is_good)
{
    const struct report *report = session->report;
    bool is_strict = invocation_has(&session->invocation, OPTION_STRICT);
    size_t errors = report_count(report, FINDING_ERROR),
           warnings = report_count(report, FINDING_WARNING);

    if (session->is_json) {
        json_t *root =
            json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "revision",
                      (json_int_t)registry_view_of(session)->revision, "documents",
                      (json_int_t)documents->count, "errors", (json_int_t)errors, "warnings",
                      (json_int_t)warnings, "notes", (json_int_t)report_count(report, FINDING_NOTE),
                      "findings", findings_to_json(report));
        if (session_print_json(session, root) != EXIT_DONE)
            return EXIT_REFUSED;
    } else {
        color_print_report(session, report, session->out);
        escape_printf(
            session->out,
            "%zu document%s beside those of revision %" PRIu64 ": %zu error%s, %zu warning%s\n",
            documents->count, documents->count == 1 ? "" : "s", registry_view_of(session)->revision,
            errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    }
    return is_good && !(is_strict && warnings > 0) ? EXIT_DONE : EXIT_REFUSED;
}

/* Warnings of spaces that are not checked are not wanted; errors are: they are about names and
 * addresses that both have. */
static bool load_after(struct session *session, struct snapshot **after, struct err *err)
{
    *after = session_load(session, session_zones(session), session->snapshot, err);
    return *after != NULL || session->outcome.is_unchanged;
}

int registry_check(struct session *session)
{
    struct zone_documents documents;
    struct snapshot *after = NULL;
    struct err err = {.code = ERR_NONE};

    if (invocation_operand(&session->invocation, 0) == NULL)
        return session_fail(session, EXIT_USAGE,
                            "no zone file is named; write spacedns check --registry FILE, or "
                            "spacedns check for those that the registry has");
    if (invocation_has(&session->invocation, OPTION_AGAINST))
        return session_fail(session, EXIT_USAGE,
                            "--against and --registry exclude each other; give one of them");
    int code = begin(session, &documents);
    if (code == EXIT_DONE) {
        bool is_good = load_after(session, &after, &err);
        code = err.code != ERR_NONE ? session_fail(session, EXIT_REFUSED, "%s", err.text)
                                    : print_findings(session, &documents, is_good);
    }
    snapshot_free(after);
    zone_documents_close(&documents);
    return code;
}

/* ---- plan ---- */

static int judge(struct session *session, const struct zone_documents *documents,
                 const struct diff *diff, const struct snapshot *after)
{
    const char **spaces = arena_take(documents->arena, (documents->count + 1) * sizeof *spaces);

    if (spaces == NULL)
        return fail_memory(session);
    for (size_t i = 0; i < documents->count; i++)
        spaces[i] = documents->items[i].space;
    return registry_guard(session, diff, session->snapshot, after, spaces, documents->count);
}

static int print_plan(struct session *session, const struct zone_documents *documents,
                      const struct snapshot *after)
{
    const struct diff_options options = {.changes_most = DIFF_CHANGES_MOST,
                                         .guard_share_percent = session->settings.guard_share};
    struct diff *diff = diff_new(session->snapshot, after, &options);

    if (diff == NULL)
        return fail_memory(session);
    int code = plan_print(session, diff);
    escape_printf(session->err, "compared with revision %" PRIu64 " of %s\n",
                  registry_view_of(session)->revision, session_zones(session));
    if (code == EXIT_DONE && !invocation_has(&session->invocation, OPTION_FORCE))
        code = judge(session, documents, diff, after);
    diff_free(diff);
    return code;
}

int registry_plan(struct session *session)
{
    struct zone_documents documents;
    struct snapshot *after = NULL;
    struct err err = {.code = ERR_NONE};

    if (invocation_has(&session->invocation, OPTION_TRAFFIC))
        return session_fail(session, EXIT_USAGE,
                            "--traffic tries a folder's zone files on what the running server was "
                            "asked; leave it out, or name the folder with --zones");
    int code = begin(session, &documents);
    if (code == EXIT_DONE) {
        bool is_good = load_after(session, &after, &err);
        if (err.code != ERR_NONE)
            code = session_fail(session, EXIT_REFUSED, "%s", err.text);
        else if (!is_good)
            code =
                session_fail_findings(session, "the registry with these documents", "plan again");
        else
            code = print_plan(session, &documents, after == NULL ? session->snapshot : after);
    }
    snapshot_free(after);
    zone_documents_close(&documents);
    return code;
}

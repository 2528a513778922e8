#include "spacedns/push.h"

#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "inspect/diff_print.h"
#include "inspect/print.h"
#include "spacedns/pulled.h"
#include "spacedns/registry_push.h"
#include "spacedns/registry_replicas.h"
#include "spacedns/registry_session.h"
#include "spacedns/spaces.h"
#include "spacedns/zone_documents.h"

enum { WHAT_MOST = 200 };

static int fail_memory(struct session *session)
{
    return session_fail(session, EXIT_REFUSED,
                        "out of memory; nothing was changed; free some, then try again");
}

/* ---- what came of it ---- */

static int print_json_result(struct session *session, const struct registry_push *push)
{
    json_t *spaces = json_array();

    for (size_t i = 0; i < push->count; i++)
        json_array_append_new(spaces,
                              print_text(push->changes[i].space, strlen(push->changes[i].space)));
    return session_print_json(
        session, json_pack("{s:I, s:I, s:o, s:b, s:b, s:I, s:I, s:o}", "read_revision",
                           (json_int_t)registry_view_of(session)->revision, "revision",
                           (json_int_t)push->sent.revision, "spaces", spaces, "canary",
                           (int)push->is_canary, "dry_run", (int)push->is_dry, "transactions",
                           (json_int_t)push->sent.parts, "tries", (json_int_t)push->tries, "plan",
                           push->diff == NULL ? json_null() : diff_json(push->diff)));
}

static void print_result(struct session *session, const struct registry_push *push)
{
    uint64_t revision = registry_view_of(session)->revision;

    if (push->count == 0)
        escape_printf(session->err, "Nothing to do: revision %" PRIu64 " has it already\n",
                      revision);
    else if (push->is_dry)
        escape_printf(session->err,
                      "Dry run, compared with revision %" PRIu64 "; nothing was changed\n",
                      revision);
}

/* They take it after the pause only, which may be in a week. */
static bool is_paused(struct session *session, const struct registry_push *push)
{
    return !push->is_dry && registry_view_of(session)->pause.modified != 0;
}

static void print_pause(struct session *session)
{
    const struct registry_mark *pause = &registry_view_of(session)->pause;
    char by[WHAT_MOST] = "", why[WHAT_MOST] = "";

    lines_copy(pause->text.octets, pause->text.length, "by", by, sizeof by);
    lines_copy(pause->text.octets, pause->text.length, "why", why, sizeof why);
    escape_printf(session->err,
                  "The registry is paused by %s: %s; replicas take it after spacedns "
                  "registry:resume\n",
                  by, why);
}

/* Of a push that had nothing to do, the last one. */
static int wait_for(struct session *session, const struct registry_push *push)
{
    uint64_t revision =
        push->sent.revision != 0 ? push->sent.revision : registry_view_of(session)->config.modified;
    const char **spaces = arena_take(push->arena, (push->count + 1) * sizeof *spaces);

    if (spaces == NULL)
        return fail_memory(session);
    for (size_t i = 0; i < push->count; i++)
        spaces[i] = push->changes[i].space;
    return registry_replicas_wait(session, revision, push->is_canary, spaces, push->count);
}

/* Runs the push, prints its end, and waits if that is wanted. */
static int run(struct session *session, struct registry_push *push)
{
    int code = registry_push_run(push);

    if (code != EXIT_DONE)
        return code;
    print_result(session, push);
    if (session->is_json)
        code = print_json_result(session, push);
    fflush(session->out);
    if (is_paused(session, push))
        print_pause(session);
    if (code != EXIT_DONE || push->is_dry || !invocation_has(&session->invocation, OPTION_WAIT))
        return code;
    if (is_paused(session, push))
        return session_fail(session, EXIT_REFUSED,
                            "no replica takes documents before the pause ends; end it with "
                            "spacedns registry:resume, then push once more with --wait");
    return wait_for(session, push);
}

/* ---- push ---- */

struct documents_push {
    const struct zone_documents *documents;
    char what[WHAT_MOST];
};

static bool is_same(struct line_text a, struct line_text b)
{
    return a.octets != NULL && a.length == b.length && memcmp(a.octets, b.octets, a.length) == 0;
}

/* What the document would replace: with --canary the candidate, if there is one. */
static bool is_there(struct registry_push *push, const struct zone_document *document)
{
    struct registry_view *view = registry_view_of(push->session);
    const struct line_text text = {document->text, document->length};
    const struct registry_text *candidate = registry_texts_find(&view->candidates, document->space);
    const struct registry_document *own = registry_view_find(view, document->space);

    if (push->is_canary && candidate != NULL)
        return is_same(candidate->text, text);
    return own != NULL && is_same(own->text, text);
}

static int draft_documents(struct registry_push *push)
{
    struct documents_push *own = push->context;

    for (size_t i = 0; i < own->documents->count; i++) {
        const struct zone_document *document = &own->documents->items[i];
        if (is_there(push, document))
            continue;
        int code = pulled_check(push->session, document);
        if (code != EXIT_DONE)
            return code;
        if (!registry_push_add(push, PUSH_PUT, document->space,
                               (struct line_text){document->text, document->length},
                               document->model))
            return fail_memory(push->session);
    }
    registry_push_name(push, "push", own->what, sizeof own->what);
    return EXIT_DONE;
}

static int push_documents(struct session *session, const struct zone_documents *documents)
{
    const struct invocation *invocation = &session->invocation;
    struct documents_push own = {.documents = documents};
    struct registry_push push = {
        .session = session,
        .draft = draft_documents,
        .context = &own,
        .doing = "Pushing",
        .what = own.what,
        .force = invocation->options[OPTION_FORCE_WHY],
        .is_canary = invocation_has(invocation, OPTION_CANARY),
        .is_dry = invocation_has(invocation, OPTION_DRY_RUN),
    };
    int code = run(session, &push);

    if (code == EXIT_DONE && !push.is_dry && !push.is_canary)
        pulled_note_pushed(session, documents, push.sent.parts == 1 ? push.sent.revision : 0);
    registry_push_close(&push);
    return code;
}

static bool check_why(struct session *session)
{
    const char *why = session->invocation.options[OPTION_FORCE_WHY];

    if (why == NULL || why[strspn(why, " \t")] != '\0')
        return true;
    session_fail(session, EXIT_USAGE,
                 "--force needs a reason, which others read in the registry; write --force WHY");
    return false;
}

int run_push(struct session *session)
{
    struct zone_documents documents = {.arena = NULL};

    if (!check_why(session))
        return EXIT_USAGE;
    int code = registry_start(session);
    if (code == EXIT_DONE)
        code = zone_documents_read(&documents, session);
    if (code == EXIT_DONE)
        code = push_documents(session, &documents);
    zone_documents_close(&documents);
    return code;
}

/* ---- promote ---- */

/* "-" offers the removal of a space. */
static bool is_removal(const struct registry_text *candidate)
{
    return candidate->text.length > 0 && candidate->text.octets[0] == '-' &&
           (candidate->text.length == 1 || candidate->text.octets[1] == '\n');
}

static int promote_one(struct registry_push *push, const struct registry_text *candidate)
{
    struct session *session = push->session;
    bool aborts = invocation_has(&session->invocation, OPTION_ABORT);
    struct report *report = report_new();
    const struct space *model = NULL;

    if (report == NULL)
        return fail_memory(session);
    if (!aborts && !is_removal(candidate))
        model = zone_document_parse(push->arena, candidate->space, candidate->text, report);
    report_free(report); /* the load reports them all */
    bool is_added = registry_push_add(
        push, aborts ? PUSH_ABORT : PUSH_PROMOTE, candidate->space,
        aborts || is_removal(candidate) ? (struct line_text){.octets = NULL} : candidate->text,
        model);
    return is_added ? EXIT_DONE : fail_memory(session);
}

static int promote_named(struct registry_push *push)
{
    struct session *session = push->session;
    const struct registry_texts *candidates = &registry_view_of(session)->candidates;
    int code = EXIT_DONE;

    for (size_t i = 0; i < session->invocation.operand_count && code == EXIT_DONE; i++) {
        const char *space = session->invocation.operands[i];
        const struct registry_text *candidate = registry_texts_find(candidates, space);
        code = candidate != NULL
                   ? promote_one(push, candidate)
                   : session_fail(
                         session, EXIT_REFUSED,
                         "nothing is offered for space %s; spacedns registry lists what is", space);
    }
    return code;
}

static int draft_candidates(struct registry_push *push)
{
    struct session *session = push->session;
    const struct registry_texts *candidates = &registry_view_of(session)->candidates;
    int code = promote_named(push);

    for (size_t i = 0;
         session->invocation.operand_count == 0 && i < candidates->count && code == EXIT_DONE; i++)
        code = promote_one(push, &candidates->items[i]);
    registry_push_name(push, commands_table[COMMAND_PROMOTE].name, push->context, WHAT_MOST);
    return code;
}

int run_promote(struct session *session)
{
    const struct invocation *invocation = &session->invocation;
    bool aborts = invocation_has(invocation, OPTION_ABORT);
    char what[WHAT_MOST] = "";
    struct registry_push push = {.session = session,
                                 .draft = draft_candidates,
                                 .context = what,
                                 .doing = aborts ? "Dropping what is offered of" : "Promoting",
                                 .what = what,
                                 .force = invocation->options[OPTION_FORCE_WHY],
                                 .is_unchecked = aborts};

    if (!check_why(session))
        return EXIT_USAGE;
    int code = registry_start(session);
    if (code == EXIT_DONE)
        code = run(session, &push);
    registry_push_close(&push);
    return code;
}

#include "spacedns/registry_push.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "registry/fixed_text.h"
#include "spacedns/plan.h"
#include "spacedns/registry_groups.h"
#include "spacedns/registry_guard.h"
#include "spacedns/registry_replicas.h"
#include "spacedns/registry_session.h"

enum { WAIT_MOST_MS = 50, NS_PER_MS = 1000000 };

static int fail_memory(struct session *session)
{
    return session_fail(session, EXIT_REFUSED,
                        "out of memory; nothing was changed; free some, then try again");
}

/* ---- changes ---- */

bool registry_fixed_change(struct session *session, struct arena *arena, const struct space *model,
                           const char **text, bool *replaces)
{
    const struct registry_text *old =
        registry_texts_find(&registry_view_of(session)->fixed, model->name.text);
    size_t length = 0;
    char *made = fixed_text_write(model, &length);

    *text = NULL;
    *replaces = old != NULL;
    if (made == NULL)
        return false;
    bool is_same =
        old != NULL && old->text.length == length && memcmp(old->text.octets, made, length) == 0;
    const char *kept = is_same ? NULL : arena_text(arena, made, length);
    free(made);
    *text = kept;
    return is_same || kept != NULL;
}

bool registry_push_add(struct registry_push *push, enum push_action action, const char *space,
                       struct line_text text, const struct space *model)
{
    struct push_change *changes =
        arena_grow(push->arena, push->changes, push->count, &push->capacity, sizeof *changes);

    if (changes == NULL)
        return false;
    push->changes = changes;
    struct push_change *change = &changes[push->count];
    *change = (struct push_change){
        .action = action, .space = space, .text = text.octets, .length = text.length};
    if (model != NULL && !push->is_canary &&
        !registry_fixed_change(push->session, push->arena, model, &change->fixed,
                               &change->replaces_fixed))
        return false;
    push->count++;
    return push->is_unchecked || registry_view_draft(registry_view_of(push->session), space, text);
}

void registry_push_name(const struct registry_push *push, const char *verb, char *out, size_t size)
{
    struct text text = text_over(out, size - sizeof "...");

    text_add_string(&text, verb);
    for (size_t i = 0; i < push->count; i++) {
        text_add_string(&text, " ");
        text_add_string(&text, push->changes[i].space);
    }
    memcpy(text.next, text.cut ? "..." : "", text.cut ? sizeof "..." : 1);
}

/* ---- checks ---- */

static struct snapshot *load_before(struct session *session, int *code)
{
    struct err err;
    struct snapshot *before = session_load(session, session_zones(session), NULL, &err);

    if (before == NULL)
        *code = err.code != ERR_NONE
                    ? session_fail(session, EXIT_REFUSED, "%s", err.text)
                    : session_fail_findings(session, session_zones(session), "try again");
    return before;
}

static struct snapshot *load_after(struct registry_push *push, int *code)
{
    struct session *session = push->session;
    struct err err;
    struct snapshot *after = session_load(session, session_zones(session), push->before, &err);

    if (after != NULL || session->outcome.is_unchanged)
        return after;
    *code = err.code != ERR_NONE
                ? session_fail(session, EXIT_REFUSED, "%s", err.text)
                : session_fail_findings(session, "the registry with these documents", "push again");
    return NULL;
}

/* Prints the plan, the first time only: later ones differ by what others have pushed. */
static int plan(struct registry_push *push, const struct snapshot *after)
{
    struct session *session = push->session;
    const struct diff_options options = {.changes_most = DIFF_CHANGES_MOST,
                                         .guard_share_percent = session->settings.guard_share};
    const char **spaces = arena_take(push->arena, (push->count + 1) * sizeof *spaces);

    diff_free(push->diff);
    push->diff = diff_new(push->before, after, &options);
    if (push->diff == NULL || spaces == NULL)
        return fail_memory(session);
    for (size_t i = 0; i < push->count; i++)
        spaces[i] = push->changes[i].space;
    if (push->tries == 1 && !session->is_json)
        plan_print(session, push->diff);
    if (push->force != NULL)
        return EXIT_DONE;
    return registry_guard(session, push->diff, push->before, after, spaces, push->count);
}

/* Drafts are in the view now: what would be is checked and compared with what is. */
static int check(struct registry_push *push)
{
    int code = EXIT_DONE;
    struct snapshot *loaded = load_after(push, &code);

    if (code != EXIT_DONE)
        return code;
    const struct snapshot *after = loaded == NULL ? push->before : loaded;
    code = plan(push, after);
    if (code == EXIT_DONE)
        registry_groups_set(push->changes, push->count, push->before, after);
    snapshot_free(loaded);
    return code;
}

/* ---- sending ---- */

static void begin_progress(const struct registry_push *push)
{
    struct session *session = push->session;

    escape_printf(session->err, "%s %zu space%s %s %s... ", push->doing, push->count,
                  push->count == 1 ? "" : "s", push->is_canary ? "as canary to" : "to",
                  session_zones(session));
    fflush(session->err);
}

static int send_changes(struct registry_push *push)
{
    struct session *session = push->session;
    struct push_request request = {.changes = push->changes,
                                   .change_count = push->count,
                                   .is_canary = push->is_canary,
                                   .what = push->what,
                                   .force = push->force};
    struct err err;

    begin_progress(push);
    if (registry_send(session, &request, &push->sent, &err)) {
        escape_printf(session->err, "done, revision %" PRIu64 "\n", push->sent.revision);
        return EXIT_DONE;
    }
    if (push->sent.is_lost && push->tries < PUSH_TRIES) {
        fputs("another writer was first, once more\n", session->err);
        return EXIT_REFUSED;
    }
    fputs("!\n", session->err);
    return session_fail(session, EXIT_REFUSED, "%s", err.text);
}

/* So that several that have lost do not meet again. */
static void wait_a_little(unsigned tries)
{
    const struct timespec pause = {.tv_nsec = (long)(arc4random_uniform(tries * WAIT_MOST_MS) + 1) *
                                              NS_PER_MS};

    nanosleep(&pause, NULL);
}

static void drop_attempt(struct registry_push *push)
{
    snapshot_free(push->before);
    diff_free(push->diff);
    push->before = NULL;
    push->diff = NULL;
    push->changes = NULL;
    push->count = push->capacity = 0;
    push->sent = (struct registry_sent){.revision = 0};
}

static int attempt(struct registry_push *push)
{
    struct session *session = push->session;
    struct err err;
    int code = EXIT_DONE;

    drop_attempt(push);
    if (!registry_reread(session, &err))
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (!push->is_unchecked && (push->before = load_before(session, &code)) == NULL)
        return code;
    code = push->draft(push);
    if (code == EXIT_DONE && push->count > 0 && !push->is_unchecked)
        code = check(push);
    if (code == EXIT_DONE && push->count > 0 && push->force == NULL)
        code = registry_replicas_check_format(session);
    if (code != EXIT_DONE || push->count == 0 || push->is_dry)
        return code;
    return send_changes(push);
}

int registry_push_run(struct registry_push *push)
{
    int code = registry_start(push->session);

    push->arena = arena_new();
    if (push->arena == NULL)
        return fail_memory(push->session);
    for (push->tries = 1; code == EXIT_DONE; push->tries++) {
        code = attempt(push);
        if (!push->sent.is_lost || push->tries == PUSH_TRIES)
            return code;
        code = EXIT_DONE;
        wait_a_little(push->tries);
    }
    return code;
}

void registry_push_close(struct registry_push *push)
{
    drop_attempt(push);
    arena_free(push->arena);
    push->arena = NULL;
}

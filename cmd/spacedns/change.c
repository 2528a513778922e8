#include "spacedns/change.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/text.h"
#include "inspect/diff_print.h"
#include "inspect/print.h"
#include "spacedns/dynos_key.h"
#include "spacedns/live.h"

static bool find(struct change *change, const char *app)
{
    if (app != NULL)
        return app_selection_find(&change->space_set, change->session, app, &change->selected);
    change->selected.space = space_set_pick(&change->space_set, change->session);
    return change->selected.space != NULL;
}

/* A server that starts or stops meanwhile does not change the folder. */
static void fix_folder(struct change *change)
{
    struct session *session = change->session;

    if (session_has_registry(session))
        return;
    snprintf(change->folder, sizeof change->folder, "%s", session_zones(session));
    session->invocation.options[OPTION_ZONES] = change->folder;
    session->zones = change->folder;
}

int change_open(struct change *change, struct session *session, const char *app)
{
    struct err err;

    *change = (struct change){.session = session};
    if (!session_read_settings(session))
        return EXIT_REFUSED;
    fix_folder(change);
    if (!store_open(&change->store, session, &err))
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (!space_set_open(&change->space_set, session) || !find(change, app))
        return EXIT_REFUSED;
    if (!store_read(&change->store, change->selected.space->file, &err))
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (!edit_init(&change->edit, change->store.text, change->store.length))
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    return EXIT_DONE;
}

int change_open_app(struct change *change, struct session *session)
{
    const char *name = app_selection_name(session);

    *change = (struct change){.session = session};
    return name == NULL ? EXIT_USAGE : change_open(change, session, name);
}

void change_close(struct change *change)
{
    edit_close(&change->edit);
    store_close(&change->store);
    space_set_close(&change->space_set);
}

void change_begin(struct change *change, const char *name, const char *format, ...)
{
    FILE *out = change->session->err;
    va_list arguments;

    va_start(arguments, format);
    escape_vprintf(out, format, arguments);
    va_end(arguments);
    if (name != NULL) {
        fputc(' ', out);
        session_print_app(change->session, out, name);
    }
    fputs("... ", out);
    change->is_begun = true;
}

int change_fail(struct change *change, const char *sentence)
{
    struct session *session = change->session;

    session->is_lost = change->store.is_lost && session->tries_left > 0;
    if (session->is_lost) {
        fputs("another writer was first, once more\n", session->err);
        return EXIT_REFUSED;
    }
    if (change->is_begun)
        fputs("!\n", change->session->err);
    return session_fail(change->session, EXIT_REFUSED, "%s", sentence);
}

/* Does the server read the folder that is changed? */
static bool is_served(const struct change *change, const char *served)
{
    struct stat own, other;

    return served != NULL && stat(change->folder, &own) == 0 && stat(served, &other) == 0 &&
           own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/* Will the server's guard check the change once it is written? */
static bool is_guarded(const struct change *change)
{
    const struct invocation *invocation = &change->session->invocation;
    uint64_t options = commands_table[invocation->command].options;

    if ((options >> OPTION_FORCE & 1) == 0 || invocation_has(invocation, OPTION_FORCE))
        return false;
    return change->is_unattended || (!invocation_has(invocation, OPTION_NO_RELOAD) &&
                                     is_served(change, session_server_zones(change->session)));
}

/*
 * A change that the guard would refuse must not be in the file, where it would block every later
 * reload. Compared with the folder as it is, so that other pending changes do not count.
 */
static bool passes_guard(const struct change *change, const struct snapshot *after, struct err *err)
{
    struct err refusal;
    const struct diff_options options = {.guard_share_percent =
                                             change->session->settings.guard_share};
    struct diff *diff = diff_new(change->session->snapshot, after, &options);

    if (diff == NULL)
        return err_set(err, ERR_MEMORY,
                       "out of memory; nothing was changed; free some, then try again");
    bool passes = diff_guard(diff, &refusal);
    diff_free(diff);
    return passes ||
           err_set(err, ERR_RULE, "%.400s; nothing was changed; use --force if it is meant to go",
                   refusal.text);
}

/* Would the folder be served with the text in place of the file's, or without the file? */
static bool check_draft(const struct change *change, const struct overlay_text *draft,
                        struct err *err)
{
    struct session *session = change->session;
    struct snapshot *snapshot =
        session_load_draft(session, change->store.place, draft, session->snapshot, err);
    bool is_good = snapshot != NULL || session->outcome.is_unchanged;
    struct err cause;

    if (!is_good && err->code == ERR_NONE) {
        report_refusal(session->report, change->store.name, &cause);
        err_set(err, cause.code, "%.480s; nothing was changed", cause.text);
    }
    if (snapshot != NULL && change->is_guarded)
        is_good = passes_guard(change, snapshot, err);
    snapshot_free(snapshot);
    return is_good;
}

static bool check_edit(const struct change *change, struct err *err)
{
    const struct overlay_text draft = {
        .name = change->store.name, .octets = change->edit.text, .length = change->edit.length};

    return check_draft(change, &draft, err);
}

/* The command line, for the server's log, without what is not about the change itself. */
static void format_note(const struct session *session, char note[CHANGE_NOTE_MOST])
{
    const struct invocation *invocation = &session->invocation;
    struct text text = text_over(note, CHANGE_NOTE_MOST - sizeof "...");

    text_add_string(&text, commands_table[invocation->command].name);
    for (size_t i = 0; i < invocation->operand_count; i++) {
        text_add_string(&text, " ");
        text_add_string(&text, invocation->operands[i]);
    }
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (invocation->options[i] == NULL || options_table[i].is_common || i == OPTION_CONFIRM ||
            i == OPTION_FORCE)
            continue;
        text_add_string(&text, " ");
        text_add_string(&text, options_table[i].name);
        text_add_string(&text, options_table[i].value == NULL ? "" : " ");
        text_add_string(&text, invocation->options[i]);
    }
    memcpy(text.next, text.cut ? "..." : "", text.cut ? sizeof "..." : 1);
}

static struct store_note note_of(const struct change *change, const char *what)
{
    const struct invocation *invocation = &change->session->invocation;
    bool has_moved = change->removes_app || change->new_name != NULL;

    return (struct store_note){.what = what,
                               .app = has_moved ? &change->selected : NULL,
                               .app_name = change->new_name,
                               .dropped = change->dropped,
                               .dropped_count = change->dropped_count,
                               .releases = change->removed.names,
                               .release_count = change->removed.count,
                               .is_forced = change->removed.count > 0 ||
                                            invocation_has(invocation, OPTION_CONFIRM) ||
                                            invocation_has(invocation, OPTION_FORCE)};
}

static bool replace(struct change *change, struct err *err)
{
    char what[CHANGE_NOTE_MOST];

    format_note(change->session, what);
    const struct store_note note = note_of(change, what);
    return store_replace(&change->store, change->edit.text, change->edit.length, &note, err);
}

static bool remove_document(struct change *change, struct err *err)
{
    char what[CHANGE_NOTE_MOST];

    format_note(change->session, what);
    const struct store_note note = note_of(change, what);
    return store_remove(&change->store, &note, err);
}

/* Do the edits leave the text as it was? */
static bool has_no_effect(const struct change *change)
{
    return change->dropped_count == 0 && change->edit.length == change->store.length &&
           memcmp(change->edit.text, change->store.text, change->store.length) == 0;
}

static void print_done(const struct change *change, bool is_same, const char *after)
{
    FILE *out = change->session->err;

    fputs("done", out);
    if (!is_same && session_has_registry(change->session))
        fprintf(out, ", revision %" PRIu64, change->store.revision);
    fputs(after == NULL ? "\n" : after, out);
}

static int commit_dynos(struct change *change)
{
    bool is_same = dynos_key_is_same(change);
    struct err err;

    if (!is_same && !dynos_key_write(change, &err))
        return change_fail(change, err.text);
    print_done(change, is_same, is_same ? ", it is so already\n" : NULL);
    return EXIT_DONE;
}

int change_commit(struct change *change, const char *after)
{
    struct err err;
    bool is_same = has_no_effect(change);

    if (dynos_key_has(change))
        return commit_dynos(change);
    /* Without the end mark a file that is cut later would seem complete. */
    if (!is_same && !edit_mark_end(&change->edit, &err))
        return change_fail(change, err.text);
    change->is_guarded = !is_same && is_guarded(change);
    if (!is_same && !(check_edit(change, &err) && replace(change, &err)))
        return change_fail(change, err.text);
    print_done(change, is_same, after);
    if (!is_same && change->store.loss.code != ERR_NONE)
        change_advise(change->session, "%s", change->store.loss.text);
    return EXIT_DONE;
}

int change_request_reload(struct change *change)
{
    struct session *session = change->session;
    char note[CHANGE_NOTE_MOST];

    if (session_has_registry(session))
        return EXIT_DONE; /* its replicas take the change, with the names that it releases */
    if (invocation_has(&session->invocation, OPTION_NO_RELOAD)) {
        removed_advise(&change->removed, session);
        return EXIT_DONE;
    }
    /* Others may edit while the server reads. */
    store_unlock(&change->store);
    const char *served = session_server_zones(session);
    if (served == NULL && !session->is_server_absent) {
        change_advise(session,
                      "%s is changed, but the server has not loaded it: run spacedns reload",
                      change->store.name);
        return session_fail(session, EXIT_REFUSED, "%s", session->server_problem.text);
    }
    if (served == NULL) {
        change_advise(session,
                      "No server answers here; to load the change into a running one, use spacedns "
                      "reload or kill -HUP");
        removed_advise(&change->removed, session);
        return EXIT_DONE;
    }
    if (!is_served(change, served)) {
        change_advise(session, "The running server serves %s, so it does not load this change",
                      served);
        return EXIT_DONE;
    }
    format_note(session, note);
    int code = live_request_other(session, COMMAND_RELOAD, note);
    if (code == EXIT_DONE && change->removed.count > 0)
        code = removed_forget(&change->removed, session, note);
    else if (code != EXIT_DONE)
        change_advise(session,
                      "%s is changed, and the server answers as before until spacedns reload "
                      "succeeds; spacedns plan shows what it would change",
                      change->store.name);
    return code;
}

static json_t *change_to_json(const struct change *change)
{
    const struct app *app = change->selected.app;

    return json_pack("{s:s, s:s?, s:o}", "space", change->selected.space->name.text, "app",
                     app == NULL ? NULL : app->name.text, "file",
                     print_text(change->store.name, strlen(change->store.name)));
}

/* Prints and requests what follows a change with that exit code. */
static int follow(struct change *change, int code)
{
    if (code == EXIT_DONE && change->session->is_json)
        code = session_print_json(change->session, change_to_json(change));
    fflush(change->session->out);
    return code == EXIT_DONE ? change_request_reload(change) : code;
}

int change_finish(struct change *change)
{
    return follow(change, change_commit(change, NULL));
}

static int commit_removal(struct change *change)
{
    const struct overlay_text absence = {.name = change->store.name};
    struct err err;

    change->is_guarded = is_guarded(change);
    if (!check_draft(change, &absence, &err) || !remove_document(change, &err))
        return change_fail(change, err.text);
    print_done(change, false, NULL);
    return EXIT_DONE;
}

int change_finish_removal(struct change *change)
{
    return follow(change, commit_removal(change));
}

/* The line of the first octet that an edit has changed. */
static size_t find_changed_line(const struct change *change)
{
    const struct store *old = &change->store;
    size_t line = 1;

    for (size_t i = 0; i < old->length && i < change->edit.length; i++) {
        if (old->text[i] != change->edit.text[i])
            break;
        line += old->text[i] == '\n';
    }
    return line;
}

int change_finish_at_line(struct change *change)
{
    char shown[PATH_MAX];
    char after[PATH_MAX + 32] = ", it is so already\n";

    if (!has_no_effect(change)) {
        escape_string(shown, sizeof shown, change->store.name);
        snprintf(after, sizeof after, ", %s:%zu\n", shown, find_changed_line(change));
    }
    return follow(change, change_commit(change, after));
}

void change_advise(const struct session *session, const char *format, ...)
{
    va_list arguments;

    fputs(session_sign(session, session->err, " ▸    "), session->err);
    va_start(arguments, format);
    escape_vprintf(session->err, format, arguments);
    va_end(arguments);
    fputc('\n', session->err);
}

#include "spacedns/apps.h"

#include <stdio.h>
#include <string.h>

#include "spacedns/change.h"
#include "spacedns/name_generator.h"
#include "spacedns/usage.h"

enum { NUMBER_DIGITS = 5, TRIES = 100 };

static json_t *app_to_json(const struct session *session, const struct space_set *space_set,
                           const struct app_selection *selected)
{
    const struct app *app = selected->app;
    const char *domain = app_default_domain(space_set, session, app);

    return json_pack("{s:o, s:s, s:s, s:b, s:b, s:b, s:o}", "id", json_text(app->id.text), "name",
                     app->name.text, "space", selected->space->name.text, "internal_routing",
                     (int)app->internal_routing, "acm", (int)app->acm, "maintenance",
                     (int)app->maintenance, "default_domain", json_text(domain));
}

static int print_apps(struct session *session, struct space_set *space_set,
                      const struct space *space)
{
    FILE *out = session->out;
    int width = 0;

    (void)space_set;
    if (space->app_count == 0) {
        fputs("There are no apps in space ", out);
        session_print_space(session, out, space->name.text);
        fputs(".\n", out);
        return EXIT_DONE;
    }
    fputs("=== Apps in space ", out);
    session_print_space(session, out, space->name.text);
    fputs("\n\n", out);
    for (size_t i = 0; i < space->app_count; i++)
        if (space->apps[i].internal_routing && (int)strlen(space->apps[i].name.text) > width)
            width = (int)strlen(space->apps[i].name.text);
    for (size_t i = 0; i < space->app_count; i++)
        if (space->apps[i].internal_routing)
            fprintf(out, "%-*s [internal]\n", width, space->apps[i].name.text);
        else
            fprintf(out, "%s\n", space->apps[i].name.text);
    return EXIT_DONE;
}

static int list_apps(struct session *session, struct space_set *space_set,
                     const struct space *space)
{
    if (!session->is_json)
        return print_apps(session, space_set, space);
    json_t *list = json_array();
    for (size_t i = 0; i < space->app_count; i++) {
        const struct app_selection selected = {.space = space, .app = &space->apps[i]};
        json_array_append_new(list, app_to_json(session, space_set, &selected));
    }
    return session_print_json(session, list);
}

int run_apps(struct session *session)
{
    return space_set_run(session, list_apps);
}

/* ---- info ---- */

static void print_fact(FILE *out, const char *title, const char *value)
{
    fprintf(out, "%-17s %s\n", title, value);
}

static void print_dyno_counts(FILE *out, const struct app *app)
{
    fprintf(out, "%-17s", "Dynos:");
    for (size_t i = 0; i < app->formation_count; i++)
        fprintf(out, "%s %s: %zu", i == 0 ? "" : ",", app->formations[i].type.text,
                app->formations[i].dyno_count);
    fputs(app->formation_count == 0 ? " none\n" : "\n", out);
}

static int print_info(struct session *session, const struct space_set *space_set,
                      const struct app_selection *selected)
{
    FILE *out = session->out;
    const char *domain = app_default_domain(space_set, session, selected->app);

    if (domain == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    if (session->is_json)
        return session_print_json(session, app_to_json(session, space_set, selected));
    fputs("=== ", out);
    session_print_app(session, out, selected->app->name.text);
    fputs("\n\n", out);
    print_fact(out, "Auto Cert Mgmt:", selected->app->acm ? "true" : "false");
    print_dyno_counts(out, selected->app);
    fprintf(out, "%-17s https://git.heroku.com/%s.git\n", "Git URL:", selected->app->name.text);
    print_fact(out, "Internal Routing:", selected->app->internal_routing ? "true" : "false");
    if (selected->app->maintenance)
        print_fact(out, "Maintenance:", "true");
    print_fact(out, "Space:", selected->space->name.text);
    fprintf(out, "%-17s https://%s/\n", "Web URL:", domain);
    return EXIT_DONE;
}

int run_apps_info(struct session *session)
{
    return app_selection_run(session, print_info);
}

/* ---- create ---- */

static bool is_taken(const struct space_set *space_set, const char *name)
{
    for (size_t i = 0; i < space_set->count; i++)
        for (size_t j = 0; j < space_set->spaces[i]->app_count; j++)
            if (strcmp(space_set->spaces[i]->apps[j].name.text, name) == 0)
                return true;
    return false;
}

/* A free name; the check before writing finds the one collision in ten million that is left. */
static void make_name(const struct space_set *space_set, char *name)
{
    for (unsigned i = 0; i < TRIES; i++) {
        name_generator_next(name, GENERATED_NAME_MOST, NUMBER_DIGITS);
        if (!is_taken(space_set, name))
            return;
    }
}

static void print_created(const struct change *change, const char *name, bool is_internal)
{
    struct session *session = change->session;
    const struct app app = {.name.text = name, .internal_routing = is_internal};
    const struct app_selection made = {.space = change->selected.space, .app = &app};

    if (session->is_json)
        session_print_json(session, app_to_json(session, &change->space_set, &made));
    else
        fprintf(session->out, "https://%s.%s/ | https://git.heroku.com/%s.git\n", name,
                session->policy.suffixes.apps, name);
    fflush(session->out);
}

static int create(struct change *change, const char *name)
{
    struct session *session = change->session;
    bool is_internal = invocation_has(&session->invocation, OPTION_INTERNAL_ROUTING);
    char after[GENERATED_NAME_MOST + 64];
    struct err err;

    fputs("Creating app in space ", session->err);
    session_print_space(session, session->err, change->selected.space->name.text);
    fputs("... ", session->err);
    change->is_begun = true;
    if (is_taken(&change->space_set, name)) {
        err_set(&err, ERR_RULE, "Name %.64s is already taken; choose another", name);
        return change_fail(change, err.text);
    }
    if (!edit_add_app(&change->edit, name, is_internal, &err))
        return change_fail(change, err.text);
    snprintf(after, sizeof after, ", %s%.64s\n", session_sign(session, session->err, "⬢ "), name);
    int code = change_commit(change, after);
    if (code != EXIT_DONE)
        return code;
    print_created(change, name, is_internal);
    return change_request_reload(change);
}

static int fail_without_space(struct session *session)
{
    bool is_internal = invocation_has(&session->invocation, OPTION_INTERNAL_ROUTING);

    session_fail(session, EXIT_USAGE, "Space name required.");
    if (is_internal)
        fputs("Internal Web Apps are only available for Private Spaces.\n", session->err);
    fprintf(session->err, "USAGE: spacedns apps:create --space my-space%s\n",
            is_internal ? " --internal-routing" : "");
    return EXIT_USAGE;
}

int run_apps_create(struct session *session)
{
    const char *name = invocation_operand(&session->invocation, 0);
    char made[GENERATED_NAME_MOST];
    struct change change;

    if (session->invocation.options[OPTION_SPACE] == NULL)
        return fail_without_space(session);
    int code = change_open(&change, session, NULL);
    if (code == EXIT_DONE) {
        if (name == NULL) {
            make_name(&change.space_set, made);
            /* As if it had been given: the server's log names it. */
            session->invocation.operands[session->invocation.operand_count++] = name = made;
        }
        code = create(&change, name);
    }
    change_close(&change);
    return code;
}

/* ---- destroy ---- */

static int destroy(struct change *change, const char *name)
{
    struct session *session = change->session;
    const char *confirmed = session->invocation.options[OPTION_CONFIRM];
    struct err err;

    if (confirmed == NULL) {
        usage_print_recent(session, name);
        return session_fail(session, EXIT_REFUSED,
                            "destroying %s cannot be undone; to go on, write spacedns "
                            "apps:destroy %s --confirm %s",
                            name, name, name);
    }
    if (strcmp(confirmed, name) != 0)
        return session_fail(session, EXIT_REFUSED,
                            "Confirmation %s did not match %s. Aborted. Write --confirm %s",
                            confirmed, name, name);
    if (!removed_add_app(&change->removed, &change->space_set, session, change->selected.app))
        return session_fail(session, EXIT_REFUSED,
                            "out of memory; nothing was changed; free some, then try again");
    change->removes_app = true;
    change_begin(change, name, "Destroying");
    if (!edit_remove_app(&change->edit, name, &err))
        return change_fail(change, err.text);
    return change_finish(change);
}

int run_apps_destroy(struct session *session)
{
    struct change change;
    int code = change_open_app(&change, session);

    if (code == EXIT_DONE)
        code = destroy(&change, change.selected.app->name.text);
    change_close(&change);
    return code;
}

/* ---- rename ---- */

/* A default domain that the file gives is not the app's any more, which the rules refuse: only the
 * platform knows the new one. */
static bool release_default_domain(struct change *change)
{
    const struct app *app = change->selected.app;

    if (!app->internal_routing || app->default_domain.text != NULL)
        return true;
    const char *domain = app_default_domain(&change->space_set, change->session, app);
    return domain != NULL && removed_add_name(&change->removed, &change->space_set, domain);
}

static int rename_app(struct change *change, const char *name)
{
    const struct app *app = change->selected.app;
    struct err err;

    if (!release_default_domain(change))
        return session_fail(change->session, EXIT_REFUSED,
                            "out of memory; nothing was changed; free some, then try again");
    change->new_name = name;
    change_begin(change, name, "Renaming %s to", app->name.text);
    if (is_taken(&change->space_set, name)) {
        err_set(&err, ERR_RULE, "Name %.64s is already taken; choose another", name);
        return change_fail(change, err.text);
    }
    if (!edit_rename_app(&change->edit, app->name.text, name, &err))
        return change_fail(change, err.text);
    return change_finish_at_line(change);
}

int run_apps_rename(struct session *session)
{
    struct change change;
    int code = change_open(&change, session, invocation_operand(&session->invocation, 0));

    if (code == EXIT_DONE)
        code = rename_app(&change, invocation_operand(&session->invocation, 1));
    change_close(&change);
    return code;
}

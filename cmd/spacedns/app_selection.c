#include "spacedns/app_selection.h"

#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

const char *app_selection_name(struct session *session)
{
    const struct invocation *invocation = &session->invocation;
    const struct command_entry *command = &commands_table[invocation->command];
    const char *operand = command_takes_app(command) ? invocation_operand(invocation, 0) : NULL;
    const char *option = invocation->options[OPTION_APP];

    if (operand != NULL && option != NULL && strcmp(operand, option) != 0) {
        session_fail(session, EXIT_USAGE, "Two apps are named, %s and %s; name one", operand,
                     option);
        return NULL;
    }
    if (operand == NULL && option == NULL)
        session_fail(session, EXIT_USAGE, "Missing required flag app; write -a APP");
    return operand != NULL ? operand : option;
}

static void fail_unknown(const struct space_set *space_set, struct session *session,
                         const char *wanted)
{
    const char *suggestion = NULL;

    for (size_t i = 0; i < space_set->count; i++)
        for (size_t j = 0; j < space_set->spaces[i]->app_count; j++)
            suggestion =
                suggest_nearer(wanted, suggestion, space_set->spaces[i]->apps[j].name.text);
    session_fail(session, EXIT_REFUSED,
                 "Couldn't find that app: %s; %s%s%sspacedns apps --space SPACE lists them", wanted,
                 suggestion == NULL ? "" : "did you mean ", suggestion == NULL ? "" : suggestion,
                 suggestion == NULL ? "" : "? ");
}

bool app_selection_find(const struct space_set *space_set, struct session *session,
                        const char *name, struct app_selection *selected)
{
    for (size_t i = 0; i < space_set->count; i++) {
        const struct space *space = space_set->spaces[i];
        for (size_t j = 0; j < space->app_count; j++)
            if (strcmp(space->apps[j].name.text, name) == 0) {
                *selected = (struct app_selection){.space = space, .app = &space->apps[j]};
                return true;
            }
    }
    fail_unknown(space_set, session, name);
    return false;
}

int app_selection_run(struct session *session, app_selection_command *run)
{
    const char *name = app_selection_name(session);
    struct space_set space_set;
    struct app_selection selected;
    int code = EXIT_REFUSED;

    if (name == NULL)
        return EXIT_USAGE;
    if (!space_set_open(&space_set, session))
        return EXIT_REFUSED;
    if (app_selection_find(&space_set, session, name, &selected))
        code = run(session, &space_set, &selected);
    space_set_close(&space_set);
    return code;
}

const char *app_default_domain(const struct space_set *space_set, const struct session *session,
                               const struct app *app)
{
    const char *suffix = session->policy.suffixes.apps;

    if (app->default_domain.text != NULL)
        return app->default_domain.text;
    size_t size = strlen(app->name.text) + strlen(suffix) + 2;
    char *text = arena_take(space_set->arena, size);
    if (text != NULL)
        snprintf(text, size, "%s.%s", app->name.text, suffix);
    return text;
}

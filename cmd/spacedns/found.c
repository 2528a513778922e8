#include "spacedns/found.h"

#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

const char *found_name(struct session *session)
{
    const struct invocation *invocation = &session->invocation;
    bool takes_operand = strcmp(commands_table[invocation->command].operands, "[APP]") == 0;
    const char *operand = takes_operand ? invocation_operand(invocation, 0) : NULL;
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

static size_t count_apps(const struct estate *estate)
{
    size_t count = 0;

    for (size_t i = 0; i < estate->count; i++)
        count += estate->spaces[i]->app_count;
    return count;
}

static void fail_unknown(const struct estate *estate, struct session *session, const char *wanted)
{
    const char **names = arena_take(estate->arena, (count_apps(estate) + 1) * sizeof *names);
    const char *near = NULL;
    size_t count = 0;

    for (size_t i = 0; names != NULL && i < estate->count; i++)
        for (size_t j = 0; j < estate->spaces[i]->app_count; j++)
            names[count++] = estate->spaces[i]->apps[j].name.text;
    if (names != NULL)
        near = suggest_among(wanted, names, count);
    session_fail(session, EXIT_REFUSED,
                 "Couldn't find that app: %s; %s%s%sspacedns apps --space SPACE lists them", wanted,
                 near == NULL ? "" : "did you mean ", near == NULL ? "" : near,
                 near == NULL ? "" : "? ");
}

bool found_app(const struct estate *estate, struct session *session, const char *name,
               struct found *found)
{
    for (size_t i = 0; i < estate->count; i++) {
        const struct space *space = estate->spaces[i];
        for (size_t j = 0; j < space->app_count; j++)
            if (strcmp(space->apps[j].name.text, name) == 0) {
                *found = (struct found){.space = space, .app = &space->apps[j]};
                return true;
            }
    }
    fail_unknown(estate, session, name);
    return false;
}

int found_run(struct session *session, found_command *run)
{
    const char *name = found_name(session);
    struct estate estate;
    struct found found;
    int code = EXIT_REFUSED;

    if (name == NULL)
        return EXIT_USAGE;
    if (!estate_open(&estate, session))
        return EXIT_REFUSED;
    if (found_app(&estate, session, name, &found))
        code = run(session, &estate, &found);
    estate_close(&estate);
    return code;
}

const char *found_default_domain(const struct estate *estate, const struct session *session,
                                 const struct app *app)
{
    const char *suffix = session->policy.suffixes.apps;

    if (app->default_domain.text != NULL)
        return app->default_domain.text;
    size_t size = strlen(app->name.text) + strlen(suffix) + 2;
    char *text = arena_take(estate->arena, size);
    if (text != NULL)
        snprintf(text, size, "%s.%s", app->name.text, suffix);
    return text;
}

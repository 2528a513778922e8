/* App names, and the requirements of internal routing: a cedar space, no automated certificates. */
#include "space/checking.h"

#include <string.h>

static bool is_letter(char octet)
{
    return octet >= 'a' && octet <= 'z';
}

static const char *app_name_flaw(const char *name)
{
    size_t length = strlen(name);

    if (length < 3 || length > 30)
        return "does not have 3 to 30 characters";
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
        return "has characters other than a-z, 0-9 and hyphens";
    if (!is_letter(name[0]))
        return "does not begin with a letter";
    if (name[length - 1] == '-')
        return "ends with a hyphen";
    return NULL;
}

void check_app_names(struct checking *checking)
{
    const struct space *space = checking->space;
    struct seen seen;

    seen_init(&seen, space->app_count);
    for (size_t i = 0; i < space->app_count; i++) {
        const struct word *name = &space->apps[i].name;
        const char *flaw = app_name_flaw(name->text);
        const struct seen_entry *before = seen_add(&seen, 0, name->text, name->at, NULL);
        if (flaw != NULL)
            FIND(checking, APP_NAME, name->at,
                 "app name `%.80s` %s; a name has 3 to 30 of a-z, 0-9 and -, and begins with a "
                 "letter",
                 name->text, flaw);
        else if (before != NULL)
            FIND(
                checking, DUP, name->at,
                "app %s is already declared on line %u; app names are unique, remove or rename one",
                name->text, (unsigned)before->at.line);
    }
    checking_close_seen(checking, &seen);
}

static bool has_web_dyno(const struct app *app)
{
    for (size_t i = 0; i < app->formation_count; i++)
        if (strcmp(app->formations[i].type.text, "web") == 0)
            return app->formations[i].dyno_count > 0;
    return false;
}

static void check_internal_app(struct checking *checking, const struct app *app)
{
    const struct space *space = checking->space;

    if (space->generation == GENERATION_FIR)
        FIND(checking, APP_FIR, app->internal_routing_at,
             "app %.40s has internal_routing: true, which only cedar spaces have, and space %.80s "
             "is fir; remove it or create the app in a cedar space",
             app->name.text, space->name.text);
    if (app->acm)
        FIND(checking, APP_ACM, app->acm_at,
             "app %.40s is internal, so a certificate authority cannot reach it and automated "
             "certificates (acm: true) fail; use the default certificate of .%s, or Heroku SSL "
             "with your own certificate on the custom domain",
             app->name.text, checking->suffixes->apps);
    if (!app_has_running_web(app) && !app->runs_by_key)
        FIND(checking, NO_WEB, app->name.at,
             "app %.40s is internal and has no web dyno that is up, so its names have no "
             "addresses; %s",
             app->name.text,
             has_web_dyno(app) ? "once a web dyno is up, set its `state`"
                               : "scale web to 1 or more");
}

void check_internal_apps(struct checking *checking)
{
    for (size_t i = 0; i < checking->space->app_count; i++)
        if (checking->space->apps[i].internal_routing)
            check_internal_app(checking, &checking->space->apps[i]);
}

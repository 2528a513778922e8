#include "spacedns/spaces_topology.h"

#include "space/topology.h"
#include "spacedns/spaces.h"

/* "Domains: example.com", and the next ones below the first. */
static void print_item(FILE *out, const char **title, const char *item)
{
    fprintf(out, "%-8s %s", *title, item);
    *title = "";
}

static bool print_domains(FILE *out, struct arena *arena, const struct app *app,
                          const struct suffixes *suffixes)
{
    const char *title = "Domains:";
    size_t count = 0;
    const char **names = topology_domains(arena, app, suffixes, &count);

    for (size_t i = 0; names != NULL && i < count; i++) {
        print_item(out, &title, names[i]);
        fputc('\n', out);
    }
    return names != NULL;
}

static bool print_dyno(FILE *out, const char *hostname, const struct formation *formation,
                       const struct dyno *dyno)
{
    char address[CIDR_TEXT_MAX];

    ipv4_write(dyno->ip, address);
    fprintf(out, "%s.%u - %s - %s\n", formation->type.text, dyno->number, address,
            hostname == NULL ? "" : hostname);
    return hostname != NULL;
}

/* `title` goes before the first dyno of the app. */
static bool print_dynos(FILE *out, struct arena *arena, const struct app *app,
                        const struct formation *formation, const struct suffixes *suffixes,
                        const char **title)
{
    size_t count;
    const struct dyno **dynos = topology_dynos(arena, formation, &count);
    bool is_whole = dynos != NULL;

    for (size_t i = 0; is_whole && i < count; i++) {
        const char *hostname = topology_hostname(arena, formation->type.text, dynos[i]->number,
                                                 app->name.text, suffixes);
        print_item(out, title, "");
        is_whole = print_dyno(out, hostname, formation, dynos[i]);
    }
    return is_whole;
}

static bool print_app(struct session *session, struct arena *arena, const struct app *app)
{
    const struct suffixes *suffixes = &session->policy.suffixes;
    const struct formation **formations = topology_formations(arena, app);
    const char *title = "Dynos:";
    FILE *out = session->out;

    if (formations == NULL)
        return false;
    fprintf(out, "=== %s", app->name.text);
    for (size_t i = 0; i < app->formation_count; i++)
        fprintf(out, "%s%s", i == 0 ? " (" : ", ", formations[i]->type.text);
    fputs(app->formation_count > 0 ? ")\n" : "\n", out);
    bool is_whole = print_domains(out, arena, app, suffixes);
    for (size_t i = 0; is_whole && i < app->formation_count; i++)
        is_whole = print_dynos(out, arena, app, formations[i], suffixes, &title);
    return is_whole;
}

static int print_topology(struct session *session, struct space_set *space_set,
                          const struct space *space)
{
    bool is_whole = true;

    if (session->is_json)
        is_whole = topology_write(space, &session->policy.suffixes, session->out);
    for (size_t i = 0; !session->is_json && is_whole && i < space->app_count; i++) {
        if (i > 0)
            fputc('\n', session->out);
        is_whole = print_app(session, space_set->arena, &space->apps[i]);
    }
    return is_whole
               ? EXIT_DONE
               : session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
}

int run_spaces_topology(struct session *session)
{
    return space_set_run(session, print_topology);
}

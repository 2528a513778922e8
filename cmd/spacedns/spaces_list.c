#include "spacedns/spaces_list.h"

#include <string.h>

#include "spacedns/spaces.h"
#include "spacedns/spaces_grid.h"

enum { AZ_MOST = 256 };

/* A space as in the platform's API. */
static json_t *space_to_json(const struct space *space)
{
    bool has_data = space->data_cidr.cidr.bits != 0;

    return json_pack("{s:o, s:s, s:o, s:s, s:b, s:s, s:o, s:o, s:s, s:I}", "id",
                     json_text(space->id.text), "name", space->name.text, "region",
                     json_text(space->region.text), "state", space_state_text(space->state),
                     "shield", (int)space->shield, "generation", generation_text(space->generation),
                     "cidr", json_cidr(space->cidr.cidr), "data_cidr",
                     has_data ? json_cidr(space->data_cidr.cidr) : json_null(), "affinity",
                     affinity_text(space->affinity), "apps", (json_int_t)space->app_count);
}

static int print_spaces(struct session *session, const struct space_set *space_set)
{
    static const char *const titles[] = {"Name", "Region", "State", "Generation", "CIDR", "Apps"};
    struct grid grid = grid_over(space_set->arena, titles, sizeof titles / sizeof titles[0]);

    for (size_t i = 0; i < space_set->count; i++) {
        const struct space *space = space_set->spaces[i];
        grid_add(&grid, space->name.text);
        grid_add(&grid, space->region.text);
        grid_add_state(&grid, space_state_text(space->state));
        grid_add(&grid, generation_text(space->generation));
        grid_add_cidr(&grid, space->cidr.cidr);
        grid_add_number(&grid, space->app_count);
    }
    return grid_print(&grid, session);
}

static int print_spaces_json(struct session *session, const struct space_set *space_set)
{
    json_t *list = json_array();

    for (size_t i = 0; i < space_set->count; i++)
        json_array_append_new(list, space_to_json(space_set->spaces[i]));
    return session_print_json(session, list);
}

int run_spaces(struct session *session)
{
    struct space_set space_set;

    if (!space_set_open(&space_set, session))
        return EXIT_REFUSED;
    int code = session->is_json ? print_spaces_json(session, &space_set)
                                : print_spaces(session, &space_set);
    space_set_close(&space_set);
    return code;
}

static void print_fact(FILE *out, const char *name, const char *value)
{
    char title[32];

    if (value == NULL)
        return;
    snprintf(title, sizeof title, "%s:", name);
    fprintf(out, "%-11s %s\n", title, value);
}

static void print_cidr_fact(FILE *out, const char *name, struct cidr cidr)
{
    char text[CIDR_TEXT_MAX];

    if (cidr.bits == 0)
        return;
    cidr_write(cidr, text);
    print_fact(out, name, text);
}

/* A line for each dyno CIDR in an availability zone. */
static void print_azs(FILE *out, struct arena *arena, const struct space *space)
{
    for (size_t i = 0; i < space->dyno_cidrs.count; i++) {
        const struct block *block = &space->dyno_cidrs.items[i];
        char value[CIDR_TEXT_MAX + AZ_MOST], cidr[CIDR_TEXT_MAX];
        if (block->az.text == NULL)
            continue;
        cidr_write(block->cidr, cidr);
        snprintf(value, sizeof value, "%s in %s", cidr, text_for_people(arena, block->az.text));
        print_fact(out, "Dyno CIDR", value);
    }
}

static int print_info(struct session *session, struct space_set *space_set,
                      const struct space *space)
{
    FILE *out = session->out;

    if (session->is_json)
        return session_print_json(session, space_to_json(space));
    fputs("=== ", out);
    session_print_space(session, out, space->name.text);
    fputc('\n', out);
    print_fact(out, "ID", space->id.text);
    print_fact(out, "Region", text_for_people(space_set->arena, space->region.text));
    print_cidr_fact(out, "CIDR", space->cidr.cidr);
    print_cidr_fact(out, "Data CIDR", space->data_cidr.cidr);
    print_azs(out, space_set->arena, space);
    if (space->affinity != AFFINITY_NONE)
        print_fact(out, "Affinity", affinity_text(space->affinity));
    print_fact(out, "State", space_state_text(space->state));
    print_fact(out, "Shield", space->shield ? "on" : "off");
    print_fact(out, "Generation", generation_text(space->generation));
    return EXIT_DONE;
}

int run_spaces_info(struct session *session)
{
    return space_set_run(session, print_info);
}

static json_t *dyno_to_json(const struct formation *formation, const struct dyno *dyno)
{
    return json_pack("{s:o, s:s, s:s, s:o}", "name",
                     json_sprintf("%s.%u", formation->type.text, dyno->number), "type",
                     formation->type.text, "state", dyno_state_text(dyno->state), "private_ip",
                     json_address(dyno->ip));
}

static json_t *dynos_to_json(const struct app *app)
{
    json_t *dynos = json_array();

    for (size_t i = 0; i < app->formation_count; i++)
        for (size_t j = 0; j < app->formations[i].dyno_count; j++)
            json_array_append_new(dynos,
                                  dyno_to_json(&app->formations[i], &app->formations[i].dynos[j]));
    return json_pack("{s:o, s:s, s:o}", "app_id", json_text(app->id.text), "app_name",
                     app->name.text, "dynos", dynos);
}

static void print_dynos(FILE *out, const struct app *app, const struct formation *formation)
{
    char address[CIDR_TEXT_MAX];

    fprintf(out, "=== %s %s (%zu)\n", app->name.text, formation->type.text, formation->dyno_count);
    for (size_t i = 0; i < formation->dyno_count; i++) {
        const struct dyno *dyno = &formation->dynos[i];
        fprintf(out, "%s.%u: %s", formation->type.text, dyno->number, dyno_state_text(dyno->state));
        ipv4_write(dyno->ip, address);
        fprintf(out, "%s%s\n", dyno->ip == 0 ? "" : " ", dyno->ip == 0 ? "" : address);
    }
}

static size_t print_app_dynos(FILE *out, const struct app *app)
{
    size_t count = 0;

    for (size_t i = 0; i < app->formation_count; i++) {
        if (app->formations[i].dyno_count > 0)
            print_dynos(out, app, &app->formations[i]);
        count += app->formations[i].dyno_count;
    }
    return count;
}

static int print_ps(struct session *session, struct space_set *space_set, const struct space *space)
{
    json_t *list = session->is_json ? json_array() : NULL;
    size_t count = 0;

    (void)space_set;
    for (size_t i = 0; i < space->app_count; i++)
        if (list != NULL)
            json_array_append_new(list, dynos_to_json(&space->apps[i]));
        else
            count += print_app_dynos(session->out, &space->apps[i]);
    if (session->is_json)
        return session_print_json(session, list);
    if (count > 0)
        return EXIT_DONE;
    fputs("No dynos on ", session->out);
    session_print_space(session, session->out, space->name.text);
    fputc('\n', session->out);
    return EXIT_DONE;
}

int run_spaces_ps(struct session *session)
{
    return space_set_run(session, print_ps);
}

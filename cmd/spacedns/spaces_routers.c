#include "spacedns/spaces_routers.h"

#include <string.h>

#include "base/suggest.h"
#include "spacedns/change.h"
#include "spacedns/spaces_grid.h"

/* ---- list ---- */

static int print_json_routers(struct session *session, const struct space *space)
{
    json_t *list = json_array();

    for (size_t i = 0; i < space->router_count; i++) {
        const struct router *router = &space->routers[i];
        json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "ip", json_address(router->ip),
                                              "state", router_state_text(router->state), "az",
                                              json_text(router->az.text)));
    }
    return session_print_json(session, list);
}

static int print_routers(struct session *session, struct space_set *space_set,
                         const struct space *space)
{
    static const char *const titles[] = {"IP", "State", "AZ"};
    struct grid grid = grid_over(space_set->arena, titles, sizeof titles / sizeof titles[0]);

    if (session->is_json)
        return print_json_routers(session, space);
    fputs("=== ", session->out);
    if (space->router_count == 0) {
        session_print_space(session, session->out, space->name.text);
        fputs(" has no routers\n", session->out);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < space->router_count; i++) {
        const struct router *router = &space->routers[i];
        grid_add_address(&grid, router->ip);
        grid_add_state(&grid, router_state_text(router->state));
        grid_add(&grid, router->az.text);
    }
    fprintf(session->out, "%s Routers\n", space->name.text);
    return grid_print(&grid, session);
}

int run_spaces_routers(struct session *session)
{
    return space_set_run(session, print_routers);
}

/* ---- changes ---- */

/* What the command line says about a router. */
struct wanted {
    const char *address;
    uint32_t ip;
    enum router_state state;
};

typedef int router_change(struct change *change, const struct wanted *wanted);

static int change_router(struct session *session, struct wanted *wanted, router_change *apply)
{
    struct change change;

    wanted->address = invocation_operand(&session->invocation, 0);
    if (!ipv4_read(wanted->address, &wanted->ip) || wanted->ip == 0)
        return session_fail(session, EXIT_USAGE, "%s is not an IPv4 address; write it as 10.0.0.37",
                            wanted->address);
    int code = change_open(&change, session, NULL);
    if (code == EXIT_DONE)
        code = apply(&change, wanted);
    change_close(&change);
    return code;
}

/* The edit has succeeded, or `err` is why it has not. */
static int end(struct change *change, bool is_edited, const struct err *err)
{
    struct err extended;

    if (is_edited)
        return change_finish_at_line(change);
    err_set(&extended, err->code, "%.380s; spacedns spaces:routers --space %.64s lists them",
            err->text, change->selected.space->name.text);
    return change_fail(change, err->code == ERR_RULE ? extended.text : err->text);
}

static int add(struct change *change, const struct wanted *wanted)
{
    const char *az = change->session->invocation.options[OPTION_AZ];
    struct err err;

    change_begin(change, NULL, "Adding router %s to %s", wanted->address,
                 change->selected.space->name.text);
    return end(change, edit_add_router(&change->edit, wanted->ip, az, &err), &err);
}

int run_spaces_routers_add(struct session *session)
{
    struct wanted wanted = {.state = ROUTER_UP};

    return change_router(session, &wanted, add);
}

static int remove_router(struct change *change, const struct wanted *wanted)
{
    struct err err;

    change_begin(change, NULL, "Removing router %s from %s", wanted->address,
                 change->selected.space->name.text);
    return end(change, edit_remove_router(&change->edit, wanted->ip, &err), &err);
}

int run_spaces_routers_remove(struct session *session)
{
    struct wanted wanted = {.state = ROUTER_UP};

    return change_router(session, &wanted, remove_router);
}

static int fail_state(struct session *session, const char *word)
{
    const char *words[ROUTER_DOWN + 1];

    if (word == NULL)
        return session_fail(session, EXIT_USAGE,
                            "Missing required flag state; write --state up, draining or down");
    for (unsigned i = 0; i <= ROUTER_DOWN; i++)
        words[i] = router_state_text((enum router_state)i);
    const char *suggestion = suggest_among(word, words, ROUTER_DOWN + 1);
    return session_fail(session, EXIT_USAGE,
                        "%s is not a state of a router; %s%s%swrite up, draining or down", word,
                        suggestion == NULL ? "" : "did you mean ",
                        suggestion == NULL ? "" : suggestion, suggestion == NULL ? "" : "? ");
}

static int set_state(struct change *change, const struct wanted *wanted)
{
    struct err err;

    change_begin(change, NULL, "Setting router %s of %s to %s", wanted->address,
                 change->selected.space->name.text, router_state_text(wanted->state));
    return end(change, edit_set_router(&change->edit, wanted->ip, wanted->state, &err), &err);
}

int run_spaces_routers_set(struct session *session)
{
    const char *word = session->invocation.options[OPTION_STATE];
    struct wanted wanted = {.state = ROUTER_UP};

    for (unsigned i = 0; word != NULL && i <= ROUTER_DOWN; i++) {
        wanted.state = (enum router_state)i;
        if (strcmp(word, router_state_text(wanted.state)) == 0)
            return change_router(session, &wanted, set_state);
    }
    return fail_state(session, word);
}

#include "spacedns/spaces_routes.h"

#include <string.h>

#include "base/suggest.h"
#include "space/peer_routes.h"
#include "spacedns/spaces.h"

/* A peering and its space. */
struct located_peering {
    const struct space *space;
    const struct peering *peering;
};

static bool find_in_space(const struct space *space, const char *wanted,
                          struct located_peering *located)
{
    for (size_t i = 0; i < space->peering_count; i++)
        if (strcmp(space->peerings[i].pcx_id.text, wanted) == 0) {
            *located = (struct located_peering){space, &space->peerings[i]};
            return true;
        }
    return false;
}

static const char *find_suggestion(const struct space *const *spaces, size_t count,
                                   const char *wanted)
{
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < spaces[i]->peering_count; j++)
            nearest = suggest_nearer(wanted, nearest, spaces[i]->peerings[j].pcx_id.text);
    return nearest;
}

/* Searches the space of --space, else all: the id of a peering is unique. */
static bool find(struct session *session, const struct space_set *space_set,
                 struct located_peering *located)
{
    const char *wanted = invocation_operand(&session->invocation, 0);
    const struct space *const *spaces = space_set->spaces;
    const struct space *only = NULL;
    size_t count = space_set->count;

    if (invocation_has(&session->invocation, OPTION_SPACE)) {
        only = space_set_pick(space_set, session);
        if (only == NULL)
            return false;
        spaces = &only;
        count = 1;
    }
    for (size_t i = 0; i < count; i++)
        if (find_in_space(spaces[i], wanted, located))
            return true;
    const char *suggestion = find_suggestion(spaces, count, wanted);
    session_fail(session, EXIT_REFUSED,
                 "there is no peering %s in %s; %s%s%sspacedns spaces:peerings lists them", wanted,
                 only == NULL ? session_zones(session) : only->name.text,
                 suggestion == NULL ? "" : "did you mean ", suggestion == NULL ? "" : suggestion,
                 suggestion == NULL ? "" : "? ");
    return false;
}

typedef void on_command(void *context, const struct text *command);

/* Commands that are called back with. */
struct commands {
    const struct located_peering *located;
    on_command *on;
    void *context;
    size_t count;
};

/* The first command comes after one that finds the route table, where that is not known. */
static void call(struct commands *commands, const struct text *command)
{
    char buffer[PEER_COMMAND_MAX];
    struct text describe = text_over(buffer, sizeof buffer);

    if (commands->count++ == 0 && peer_routes_lack_table(commands->located->peering)) {
        peer_routes_add_describe(commands->located->peering, &describe);
        commands->on(commands->context, &describe);
    }
    commands->on(commands->context, command);
}

/* Calls back with every command that corrects the routes. Returns false if there is none. */
static bool for_each_command(const struct located_peering *located, on_command *on, void *context)
{
    enum peer_routes routes = peer_routes_check(located->space, located->peering);
    const struct block *whole = peer_routes_find_whole(located->space, located->peering);
    const struct blocks *all = &located->peering->routes;
    struct commands commands = {.located = located, .on = on, .context = context};
    char buffer[PEER_COMMAND_MAX];

    if (routes != PEER_ROUTES_COMPLETE) {
        struct text command = text_over(buffer, sizeof buffer);
        peer_routes_add_create(located->space, located->peering, &command);
        call(&commands, &command);
    }
    for (size_t i = 0; whole != NULL && i < all->count; i++) {
        struct text command = text_over(buffer, sizeof buffer);
        if (!peer_routes_is_redundant(&all->items[i], whole))
            continue;
        peer_routes_add_delete(located->peering, &all->items[i], &command);
        call(&commands, &command);
    }
    return commands.count > 0;
}

static void print_command(void *context, const struct text *command)
{
    struct session *session = context;

    fprintf(session->out, "%.*s\n", (int)text_length(command), command->start);
}

static void print_missing(const struct session *session, const struct located_peering *located)
{
    char list[PEER_ROUTERS_MAX];
    struct text routers = text_over(list, sizeof list);

    peer_routes_list_missed(located->space, located->peering, &routers);
    fprintf(session->err,
            "%s has no route to router %.*s%s, so its clients get addresses they cannot reach. In "
            "the peered VPC, run:\n",
            located->peering->pcx_id.text, (int)text_length(&routers), routers.start,
            routers.cut ? "..." : "");
}

/* Explanations go to standard error, so that standard output has only the commands. */
static void print_why(const struct session *session, const struct located_peering *located)
{
    bool has_whole = peer_routes_find_whole(located->space, located->peering) != NULL;
    const char *name = located->peering->pcx_id.text;
    char cidr[CIDR_TEXT_MAX];

    cidr_write(located->space->cidr.cidr, cidr);
    switch (peer_routes_check(located->space, located->peering)) {
    case PEER_ROUTES_UNKNOWN:
        fprintf(session->err,
                "%s does not list the routes of its VPC. Unless it has a route to %s, run this in "
                "the peered VPC, and list what it has as `routes`:\n",
                name, cidr);
        return;
    case PEER_ROUTES_MISSING:
        print_missing(session, located);
        return;
    case PEER_ROUTES_PARTIAL:
        fprintf(session->err,
                "%s has routes to every router, but not to the whole of %s. To cover routers to "
                "come, run in the peered VPC:\n",
                name, cidr);
        return;
    case PEER_ROUTES_COMPLETE:
        fprintf(session->err, "%s has routes to the whole of %s%s\n", name, cidr,
                has_whole ? "." : ", in pieces.");
        return;
    }
}

static int print_routes(struct session *session, const struct located_peering *located)
{
    bool is_complete = peer_routes_check(located->space, located->peering) == PEER_ROUTES_COMPLETE;

    print_why(session, located);
    bool has_commands = for_each_command(located, print_command, session);
    if (is_complete && has_commands)
        fputs("The routes inside it are not needed, and these commands remove them.\n",
              session->err);
    return EXIT_DONE;
}

static void keep_command(void *context, const struct text *command)
{
    json_array_append_new(context, json_stringn(command->start, text_length(command)));
}

static json_t *missed_to_json(const struct located_peering *located)
{
    json_t *missed = json_array();

    for (size_t i = 0; i < located->space->router_count; i++)
        if (peer_routes_miss(located->peering, &located->space->routers[i]))
            json_array_append_new(missed, json_address(located->space->routers[i].ip));
    return missed;
}

static json_t *needless_to_json(const struct located_peering *located)
{
    const struct block *whole = peer_routes_find_whole(located->space, located->peering);
    const struct blocks *all = &located->peering->routes;
    json_t *needless = json_array();

    for (size_t i = 0; whole != NULL && i < all->count; i++)
        if (peer_routes_is_redundant(&all->items[i], whole))
            json_array_append_new(needless, json_cidr(all->items[i].cidr));
    return needless;
}

static int print_routes_json(struct session *session, const struct located_peering *located)
{
    static const char *const texts[] = {
        [PEER_ROUTES_UNKNOWN] = "unknown",
        [PEER_ROUTES_MISSING] = "missing",
        [PEER_ROUTES_PARTIAL] = "partial",
        [PEER_ROUTES_COMPLETE] = "complete",
    };
    enum peer_routes routes = peer_routes_check(located->space, located->peering);
    json_t *commands = json_array();

    for_each_command(located, keep_command, commands);
    return session_print_json(
        session,
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "pcx_id", located->peering->pcx_id.text,
                  "space", located->space->name.text, "routes_are", texts[routes], "routes",
                  json_blocks(&located->peering->routes), "missed_routers", missed_to_json(located),
                  "needless_routes", needless_to_json(located), "commands", commands));
}

int run_spaces_peerings_routes(struct session *session)
{
    struct space_set space_set;
    struct located_peering located;
    int code = EXIT_REFUSED;

    if (!space_set_open(&space_set, session))
        return EXIT_REFUSED;
    if (find(session, &space_set, &located))
        code = session->is_json ? print_routes_json(session, &located)
                                : print_routes(session, &located);
    space_set_close(&space_set);
    return code;
}

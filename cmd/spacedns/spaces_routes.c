#include "spacedns/spaces_routes.h"

#include <string.h>

#include "base/suggest.h"
#include "space/peer_routes.h"
#include "spacedns/spaces.h"

/* A peering and the space it stands in. */
struct crossing {
    const struct space *space;
    const struct peering *peering;
};

static bool find_in_space(const struct space *space, const char *wanted, struct crossing *crossing)
{
    for (size_t i = 0; i < space->peering_count; i++)
        if (strcmp(space->peerings[i].pcx_id.text, wanted) == 0) {
            *crossing = (struct crossing){space, &space->peerings[i]};
            return true;
        }
    return false;
}

static const char *find_suggestion(struct arena *arena, const struct space *const *spaces,
                                   size_t count, const char *wanted)
{
    size_t known = 0;

    for (size_t i = 0; i < count; i++)
        known += spaces[i]->peering_count;
    const char **names = arena_take(arena, (known + 1) * sizeof *names);
    known = 0;
    for (size_t i = 0; names != NULL && i < count; i++)
        for (size_t j = 0; j < spaces[i]->peering_count; j++)
            names[known++] = spaces[i]->peerings[j].pcx_id.text;
    return names == NULL ? NULL : suggest_among(wanted, names, known);
}

/* In the space of --space, else in all: a peering's id is its own. */
static bool find(struct session *session, const struct space_set *space_set,
                 struct crossing *crossing)
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
        if (find_in_space(spaces[i], wanted, crossing))
            return true;
    const char *near = find_suggestion(space_set->arena, spaces, count, wanted);
    session_fail(session, EXIT_REFUSED,
                 "there is no peering %s in %s; %s%s%sspacedns spaces:peerings lists them", wanted,
                 only == NULL ? session_zones(session) : only->name.text,
                 near == NULL ? "" : "did you mean ", near == NULL ? "" : near,
                 near == NULL ? "" : "? ");
    return false;
}

typedef void on_command(void *context, const struct text *command);

/* Calls back with every command that mends the routes; returns how many. */
static size_t for_each_command(const struct crossing *crossing, on_command *on, void *context)
{
    enum peer_routes routes = peer_routes_judge(crossing->space, crossing->peering);
    const struct block *whole = peer_routes_find_whole(crossing->space, crossing->peering);
    const struct blocks *all = &crossing->peering->routes;
    char buffer[PEER_COMMAND_MAX];
    size_t count = 0;

    if (routes != PEER_ROUTES_COMPLETE) {
        struct text command = text_over(buffer, sizeof buffer);
        peer_routes_add_create(crossing->space, crossing->peering, &command);
        on(context, &command);
        count++;
    }
    for (size_t i = 0; whole != NULL && i < all->count; i++) {
        struct text command = text_over(buffer, sizeof buffer);
        if (!peer_routes_is_needless(&all->items[i], whole))
            continue;
        peer_routes_add_delete(crossing->peering, &all->items[i], &command);
        on(context, &command);
        count++;
    }
    return count;
}

static void print_command(void *context, const struct text *command)
{
    struct session *session = context;

    fprintf(session->out, "%.*s\n", (int)text_length(command), command->start);
}

static void print_missing(const struct session *session, const struct crossing *crossing)
{
    char list[PEER_ROUTERS_MAX];
    struct text routers = text_over(list, sizeof list);

    peer_routes_list_missed(crossing->space, crossing->peering, &routers);
    fprintf(session->err,
            "%s has no route to router %.*s%s, so its clients get addresses they cannot reach. In "
            "the peered VPC, run:\n",
            crossing->peering->pcx_id.text, (int)text_length(&routers), routers.start,
            routers.cut ? "..." : "");
}

/* What is wrong goes to standard error, so that the commands alone can be taken from the output. */
static void print_why(const struct session *session, const struct crossing *crossing)
{
    bool has_whole = peer_routes_find_whole(crossing->space, crossing->peering) != NULL;
    const char *name = crossing->peering->pcx_id.text;
    char cidr[CIDR_TEXT_MAX];

    cidr_write(crossing->space->cidr.cidr, cidr);
    switch (peer_routes_judge(crossing->space, crossing->peering)) {
    case PEER_ROUTES_UNKNOWN:
        fprintf(session->err,
                "%s does not list the routes of its VPC. Unless it has a route to %s, run this in "
                "the peered VPC, and list what it has as `routes`:\n",
                name, cidr);
        return;
    case PEER_ROUTES_MISSING:
        print_missing(session, crossing);
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

static int print_text(struct session *session, const struct crossing *crossing)
{
    bool is_complete =
        peer_routes_judge(crossing->space, crossing->peering) == PEER_ROUTES_COMPLETE;

    print_why(session, crossing);
    size_t count = for_each_command(crossing, print_command, session);
    if (is_complete && count > 0)
        fputs("The routes inside it are not needed, and these commands remove them.\n",
              session->err);
    return EXIT_DONE;
}

static void keep_command(void *context, const struct text *command)
{
    json_array_append_new(context, json_stringn(command->start, text_length(command)));
}

static json_t *missed_to_json(const struct crossing *crossing)
{
    json_t *missed = json_array();

    for (size_t i = 0; i < crossing->space->router_count; i++)
        if (peer_routes_miss(crossing->peering, &crossing->space->routers[i]))
            json_array_append_new(missed, json_address(crossing->space->routers[i].ip));
    return missed;
}

static json_t *needless_to_json(const struct crossing *crossing)
{
    const struct block *whole = peer_routes_find_whole(crossing->space, crossing->peering);
    const struct blocks *all = &crossing->peering->routes;
    json_t *needless = json_array();

    for (size_t i = 0; whole != NULL && i < all->count; i++)
        if (peer_routes_is_needless(&all->items[i], whole))
            json_array_append_new(needless, json_cidr(all->items[i].cidr));
    return needless;
}

static int print_routes_json(struct session *session, const struct crossing *crossing)
{
    static const char *const texts[] = {
        [PEER_ROUTES_UNKNOWN] = "unknown",
        [PEER_ROUTES_MISSING] = "missing",
        [PEER_ROUTES_PARTIAL] = "partial",
        [PEER_ROUTES_COMPLETE] = "complete",
    };
    enum peer_routes routes = peer_routes_judge(crossing->space, crossing->peering);
    json_t *commands = json_array();

    for_each_command(crossing, keep_command, commands);
    return session_print_json(
        session,
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "pcx_id", crossing->peering->pcx_id.text,
                  "space", crossing->space->name.text, "routes_are", texts[routes], "routes",
                  json_blocks(&crossing->peering->routes), "missed_routers",
                  missed_to_json(crossing), "needless_routes", needless_to_json(crossing),
                  "commands", commands));
}

int run_spaces_peerings_routes(struct session *session)
{
    struct space_set space_set;
    struct crossing crossing;
    int code = EXIT_REFUSED;

    if (!space_set_open(&space_set, session))
        return EXIT_REFUSED;
    if (find(session, &space_set, &crossing))
        code = session->is_json ? print_routes_json(session, &crossing)
                                : print_text(session, &crossing);
    space_set_close(&space_set);
    return code;
}

/* A peered VPC needs routes to the routers: with routes to the dynos only, it cannot reach them. */
#include "space/checking.h"
#include "space/peer_routes.h"

enum { LIST_SIZE = 320 };

static bool has_router_up(const struct space *space)
{
    for (size_t i = 0; i < space->router_count; i++)
        if (space->routers[i].state == ROUTER_UP)
            return true;
    return false;
}

static void warn_missed(struct checking *checking, const struct peering *peering)
{
    char list[PEER_ROUTERS_MAX], run[PEER_COMMAND_MAX];
    struct text routers = text_over(list, sizeof list);
    struct text command = text_over(run, sizeof run);

    peer_routes_list_missed(checking->space, peering, &routers);
    peer_routes_add_create(checking->space, peering, &command);
    FIND(
        checking, PEER_ROUTE, peering->routes_at,
        "peering %s has no route to router %.*s%s, so its clients get addresses they cannot reach; "
        "run: %.*s",
        peering->pcx_id.text, (int)text_length(&routers), routers.start, routers.cut ? "..." : "",
        (int)text_length(&command), command.start);
}

static void note_partial(struct checking *checking, const struct peering *peering)
{
    char cidr[CIDR_TEXT_MAX];

    cidr_write(checking->space->cidr.cidr, cidr);
    FIND(checking, PEER_PARTIAL, peering->routes_at,
         "peering %s has routes to every router, but not to the whole space; one route to %s would "
         "also cover routers to come",
         peering->pcx_id.text, cidr);
}

static void note_redundant(struct checking *checking, const struct peering *peering,
                           const struct block *whole)
{
    char buffer[LIST_SIZE];
    struct text text = text_over(buffer, sizeof buffer);
    const struct block *first = NULL;
    char cidr[CIDR_TEXT_MAX];

    for (size_t i = 0; i < peering->routes.count; i++) {
        const struct block *route = &peering->routes.items[i];
        if (!peer_routes_is_redundant(route, whole))
            continue;
        if (first != NULL)
            text_add_string(&text, ", ");
        else
            first = route;
        text_add_cidr(&text, route->cidr);
    }
    if (first == NULL)
        return;
    cidr_write(whole->cidr, cidr);
    FIND(checking, PEER_REDUNDANT, first->at,
         "peering %s has a route to %s, so these are not needed and can be removed: %.*s%s",
         peering->pcx_id.text, cidr, (int)text_length(&text), text.start, text.cut ? "..." : "");
}

static void check_peering_routes(struct checking *checking, const struct peering *peering)
{
    const struct space *space = checking->space;
    const struct block *whole = peer_routes_find_whole(space, peering);
    enum peer_routes routes = peer_routes_check(space, peering);

    if (routes == PEER_ROUTES_MISSING)
        warn_missed(checking, peering);
    else if (routes == PEER_ROUTES_PARTIAL && has_router_up(space))
        note_partial(checking, peering);
    if (whole != NULL)
        note_redundant(checking, peering, whole);
}

void check_routes(struct checking *checking)
{
    const struct space *space = checking->space;

    for (size_t i = 0; i < space->peering_count; i++) {
        const struct peering *peering = &space->peerings[i];
        if (peering->lists_routes && space->cidr.cidr.bits != 0 && !peering_is_over(peering) &&
            pcx_id_is_valid(peering->pcx_id.text))
            check_peering_routes(checking, peering);
    }
}

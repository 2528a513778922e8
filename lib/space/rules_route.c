/* What a peered VPC's route tables say about the way to the routers (R19). */
#include "space/checking.h"

#include <stdlib.h>

enum { LIST_SIZE = 320 };

static size_t count_up(const struct space *space)
{
    size_t count = 0;

    for (size_t i = 0; i < space->router_count; i++)
        count += space->routers[i].state == ROUTER_UP;
    return count;
}

/* Writes "10.0.0.37 (in 10.0.0.0/20), …" of the routers no route covers; returns how many. */
static size_t list_missed(const struct space *space, const struct peering *peering,
                          struct text *text)
{
    size_t count = 0;

    for (size_t i = 0; i < space->router_count; i++) {
        const struct router *router = &space->routers[i];
        const struct block *subnet = blocks_find(&space->router_cidrs, router->ip);
        if (router->state != ROUTER_UP || blocks_find(&peering->routes, router->ip) != NULL)
            continue;
        if (count++ > 0)
            text_add_string(text, ", ");
        text_add_ipv4(text, router->ip);
        if (subnet != NULL) {
            text_add_string(text, " (in ");
            text_add_cidr(text, subnet->cidr);
            text_add_string(text, ")");
        }
    }
    return count;
}

static void warn_missed(struct checking *checking, const struct peering *peering,
                        const struct text *routers)
{
    const struct word *table = &peering->route_table_id;
    bool has_table = table->text != NULL && route_table_id_is_valid(table->text);
    char cidr[CIDR_TEXT_MAX];

    cidr_write(checking->space->cidr.cidr, cidr);
    FIND(
        checking, PEER_ROUTE, peering->routes_at,
        "peering %s has no route to router %.*s%s, so its clients get addresses they cannot reach; "
        "run: aws ec2 create-route --route-table-id %s --destination-cidr-block %s "
        "--vpc-peering-connection-id %s",
        peering->pcx_id.text, (int)text_length(routers), routers->start, routers->cut ? "..." : "",
        has_table ? table->text : "rtb-your-route-table-id", cidr, peering->pcx_id.text);
}

/* Returns a route that covers the whole space, or NULL. */
static const struct block *find_whole(const struct space *space, const struct peering *peering)
{
    for (size_t i = 0; i < peering->routes.count; i++)
        if (cidr_is_inside(space->cidr.cidr, peering->routes.items[i].cidr))
            return &peering->routes.items[i];
    return NULL;
}

static bool covers_space(const struct space *space, const struct peering *peering)
{
    size_t count = peering->routes.count;
    struct span *spans = calloc(count + 1, sizeof *spans);

    if (spans == NULL)
        return true;
    for (size_t i = 0; i < count; i++)
        spans[i].cidr = peering->routes.items[i].cidr;
    spans_sort(spans, count);
    bool is_covered = spans_cover(spans, count, space->cidr.cidr);
    free(spans);
    return is_covered;
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
        if (route == whole || !cidr_is_inside(route->cidr, whole->cidr))
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
    const struct block *whole = find_whole(space, peering);
    char buffer[LIST_SIZE];
    struct text routers = text_over(buffer, sizeof buffer);

    if (list_missed(space, peering, &routers) > 0)
        warn_missed(checking, peering, &routers);
    else if (count_up(space) > 0 && whole == NULL && !covers_space(space, peering))
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

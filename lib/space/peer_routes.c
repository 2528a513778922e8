#include "space/peer_routes.h"

#include <stdlib.h>

#include "space/checking.h"

bool peer_routes_miss(const struct peering *peering, const struct router *router)
{
    return router->state == ROUTER_UP && blocks_find(&peering->routes, router->ip) == NULL;
}

void peer_routes_list_missed(const struct space *space, const struct peering *peering,
                             struct text *text)
{
    const char *between = "";

    for (size_t i = 0; i < space->router_count; i++) {
        const struct router *router = &space->routers[i];
        const struct block *subnet = blocks_find(&space->router_cidrs, router->ip);
        if (!peer_routes_miss(peering, router))
            continue;
        text_add_string(text, between);
        between = ", ";
        text_add_ipv4(text, router->ip);
        if (subnet != NULL) {
            text_add_string(text, " (in ");
            text_add_cidr(text, subnet->cidr);
            text_add_string(text, ")");
        }
    }
}

const struct block *peer_routes_find_whole(const struct space *space, const struct peering *peering)
{
    for (size_t i = 0; i < peering->routes.count; i++)
        if (cidr_is_inside(space->cidr.cidr, peering->routes.items[i].cidr))
            return &peering->routes.items[i];
    return NULL;
}

bool peer_routes_is_redundant(const struct block *route, const struct block *whole)
{
    return route != whole && cidr_is_inside(route->cidr, whole->cidr);
}

static bool covers_space(const struct space *space, const struct peering *peering)
{
    size_t count = peering->routes.count;
    struct cidr_span *spans = calloc(count + 1, sizeof *spans);

    if (spans == NULL)
        return true;
    for (size_t i = 0; i < count; i++)
        spans[i].cidr = peering->routes.items[i].cidr;
    spans_sort(spans, count);
    bool is_covered = spans_cover(spans, count, space->cidr.cidr);
    free(spans);
    return is_covered;
}

enum peer_routes peer_routes_check(const struct space *space, const struct peering *peering)
{
    if (!peering->lists_routes)
        return PEER_ROUTES_UNKNOWN;
    for (size_t i = 0; i < space->router_count; i++)
        if (peer_routes_miss(peering, &space->routers[i]))
            return PEER_ROUTES_MISSING;
    return covers_space(space, peering) ? PEER_ROUTES_COMPLETE : PEER_ROUTES_PARTIAL;
}

bool peer_routes_lack_table(const struct peering *peering)
{
    const struct word *table = &peering->route_table_id;

    return table->text == NULL || !route_table_id_is_valid(table->text);
}

void peer_routes_add_describe(const struct peering *peering, struct text *text)
{
    const struct word *vpc = &peering->aws_vpc_id;
    bool has_vpc = vpc->text != NULL && vpc_id_is_valid(vpc->text);

    text_add_string(text, "aws ec2 describe-route-tables --filters Name=vpc-id,Values=");
    text_add_string(text, has_vpc ? vpc->text : "vpc-your-vpc-id");
    text_add_string(text, " --query \"RouteTables[].RouteTableId\" --output text");
}

/* "aws ec2 VERB --route-table-id ID --destination-cidr-block CIDR" */
static void add_command(const struct peering *peering, const char *verb, struct cidr cidr,
                        struct text *text)
{
    text_add_string(text, "aws ec2 ");
    text_add_string(text, verb);
    text_add_string(text, " --route-table-id ");
    text_add_string(text, peer_routes_lack_table(peering) ? "rtb-your-route-table-id"
                                                          : peering->route_table_id.text);
    text_add_string(text, " --destination-cidr-block ");
    text_add_cidr(text, cidr);
}

void peer_routes_add_create(const struct space *space, const struct peering *peering,
                            struct text *text)
{
    add_command(peering, "create-route", space->cidr.cidr, text);
    text_add_string(text, " --vpc-peering-connection-id ");
    text_add_string(text, peering->pcx_id.text);
}

void peer_routes_add_delete(const struct peering *peering, const struct block *route,
                            struct text *text)
{
    add_command(peering, "delete-route", route->cidr, text);
}
